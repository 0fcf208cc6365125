"""Piper: any voices put into its folder speak, the same samples for the same line, whichever lines stand beside it."""

import json

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper

from spoken_numbers import audio
from spoken_numbers.errors import UserError
from spoken_numbers.synthesis import piper
from spoken_numbers.synthesis.engine import Line, Prosody, Voice
from spoken_numbers.synthesis.espeak import Espeak
from spoken_numbers.synthesis.finish import fault, trimmed

ENGINE = piper.Piper()
IDS = {symbol: [number] for number, symbol in enumerate("_^$ ,ˈːfɔoɹtuɪksʌ")}
NEEDS_ESPEAK = pytest.mark.skipif(Espeak().version() is None, reason=f"needs {Espeak.install}")
JOE = "en_US-joe-medium"
INSTALLED = pytest.mark.skipif(f"{JOE}.onnx.json" not in {path.name for path in piper._configs()}, reason="no Joe")


def config(voice="en-us", **more):
    manner = {"noise_scale": 0.6, "length_scale": 1, "noise_w": 0.8}
    return {
        "audio": {"sample_rate": 22050},
        "espeak": {"voice": voice},
        "inference": manner,
        "phoneme_id_map": IDS,
    } | more


def hissing_voice():
    """A graph of Piper's inputs and outputs: 512 samples of noise for each phoneme, louder by the speaker's number."""
    nodes = [
        helper.make_node("Cast", ["input"], ["floats"], to=TensorProto.FLOAT),
        helper.make_node("Unsqueeze", ["floats", "last"], ["column"]),
        helper.make_node("Expand", ["column", "wide"], ["shaped"]),
        helper.make_node("RandomNormalLike", ["shaped"], ["drawn"], dtype=TensorProto.FLOAT),
        helper.make_node("Cast", ["sid"], ["speaker"], to=TensorProto.FLOAT),
        helper.make_node("Mul", ["drawn", "speaker"], ["output"]),
    ]
    inputs = [("input", TensorProto.INT64, [1, None]), ("input_lengths", TensorProto.INT64, [1])]
    inputs += [("scales", TensorProto.FLOAT, [3]), ("sid", TensorProto.INT64, [1])]
    constants = [
        helper.make_tensor("last", TensorProto.INT64, [1], [2]),
        helper.make_tensor("wide", TensorProto.INT64, [3], [1, 1, 512]),
    ]
    values = [helper.make_tensor_value_info(*each) for each in inputs]
    output = helper.make_tensor_value_info("output", TensorProto.FLOAT, [1, None, 512])
    graph = helper.make_graph(nodes, "hiss", values, [output], constants)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 15)], ir_version=8)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    def put(name, settings):
        onnx.save(hissing_voice(), tmp_path / f"{name}.onnx")
        (tmp_path / f"{name}.onnx.json").write_text(json.dumps(settings), encoding="utf-8")

    monkeypatch.setattr(piper, "FOLDER", tmp_path)
    put("en_GB-many-medium", config("en-gb", speaker_id_map={"p1": 1, "p2": 2}))
    put("en_US-one-low", config())
    put("en_US-one-high", config())
    put("ru_RU-one-medium", config("ru"))
    (tmp_path / "en_US-unfinished-low.onnx.json").write_text("{}")
    return tmp_path


def test_each_speaker_is_a_voice_and_qualities_of_one_are_one_person(folder):
    found = [(voice.name, voice.person, voice.accent) for voice in ENGINE.voices("en")]
    assert found == [
        ("en_GB-many-medium/p1", "piper:en_GB-many/p1", "en-gb"),
        ("en_GB-many-medium/p2", "piper:en_GB-many/p2", "en-gb"),
        ("en_US-one-high", "piper:en_US-one", "en-us"),
        ("en_US-one-low", "piper:en_US-one", "en-us"),
    ]
    assert [voice.name for voice in ENGINE.voices("ru")] == ["ru_RU-one-medium"]
    assert ENGINE.version() == "en_GB-many-medium, en_US-one-high, en_US-one-low, ru_RU-one-medium"


def test_no_voices_are_no_engine(tmp_path, monkeypatch):
    monkeypatch.setattr(piper, "FOLDER", tmp_path)
    assert ENGINE.version() is None
    assert ENGINE.voices("en") == []


@pytest.mark.parametrize("broken", ["{", '{"phoneme_type": "text"}', json.dumps({"audio": {}})])
def test_a_config_that_will_not_do_is_named(folder, broken):
    (folder / "en_US-one-low.onnx.json").write_text(broken)
    with pytest.raises(UserError, match=r"no voice of Piper's.*en_US-one-low\.onnx\.json"):
        ENGINE.voices("en")


@NEEDS_ESPEAK
def test_phonemes_are_numbered_as_piper_numbers_them():
    f, stress, o, long, r, space, t, u, comma = (IDS[symbol][0] for symbol in "fˈoːɹ tu,")
    four, two = [f, stress, o, long, r], [t, stress, u, long]
    for text, spoken in {"four two": [*four, space, *two], "four, two": [*four, comma, space, *two]}.items():
        assert piper.phoneme_ids(text, config()) == [1, *(id for each in spoken for id in (each, 0)), 2]
    assert piper.phoneme_ids("", config()) == []


@NEEDS_ESPEAK
def test_a_line_gives_the_same_samples_whatever_stands_beside_it(folder):
    one, other = (Voice("piper", f"en_GB-many-medium/{name}", name, "en-gb") for name in ("p1", "p2"))
    lines = [
        Line("four", one),
        Line("four six", one),
        Line("four", other),
        Line("", one),
        Line("four", one, Prosody(0.9)),
    ]
    four, longer, louder, nothing, slower = ENGINE.render(lines)
    assert np.array_equal(ENGINE.render(lines[2:3])[0], louder)
    assert np.array_equal(ENGINE.render(lines[:1])[0], four)
    assert not np.array_equal(four, slower), "noise is drawn for the line"
    assert four.dtype == np.float32
    assert len(four) < len(longer)
    assert len(nothing) == 0
    assert np.std(louder) == pytest.approx(2 * np.std(four), rel=0.1)


def test_noise_that_is_given_is_what_the_graph_uses():
    model = hissing_voice()
    assert piper.with_noise_given(model) == ["noise_0"]
    onnx.checker.check_model(model)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    noise = np.random.default_rng(0).standard_normal(5000).astype(np.float32)
    one, ids = np.array([1]), np.zeros((1, 7), np.int64)
    given, *_ = session.run(
        None, {"input": ids, "input_lengths": one, "scales": np.ones(3, np.float32), "sid": one, "noise_0": noise}
    )
    assert np.array_equal(given.ravel(), noise[: 7 * 512])


@INSTALLED
@NEEDS_ESPEAK
def test_joe_speaks_at_his_tempo():
    voice = next(voice for voice in ENGINE.voices("en") if voice.name == JOE)
    words = "four two seven nine one oh"
    usual, slow = (trimmed(wave) for wave in ENGINE.render([Line(words, voice), Line(words, voice, Prosody(0.7))]))
    assert fault(usual, words, "427910", 1.0) is None
    assert 1.0 < len(usual) / audio.SAMPLE_RATE < 4.0
    assert len(slow) / len(usual) == pytest.approx(1 / 0.7, rel=0.15)
