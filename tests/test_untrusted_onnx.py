"""ONNX models from strangers: what their metadata or their graphs do amiss is one line, and no other file is read."""

import json
from pathlib import Path

import numpy as np
import onnx
import pytest
from commands import run
from onnx import TensorProto, helper, numpy_helper
from tone_model import RATE, played, tone_model

from spoken_numbers import Recognizer, audio
from spoken_numbers.deploy.pair import read_pair
from spoken_numbers.onnx_model import OnnxModelError

ROOT = Path(__file__).parents[1]


def rewired(path: Path, output: str, *nodes: onnx.NodeProto, **constants: np.ndarray) -> Path:
    """The tone model with ``nodes`` between what was an output, now ``plain``, and the output."""
    model = onnx.load(tone_model(path))
    for node in model.graph.node:
        node.output[:] = ["plain" if name == output else name for name in node.output]
    model.graph.initializer.extend(numpy_helper.from_array(array, name) for name, array in constants.items())
    model.graph.node.extend(nodes)
    for one in model.graph.output:
        one.type.tensor_type.ClearField("shape")
    onnx.save(model, path)
    return path


def described(path: Path, **properties: str) -> Path:
    model = onnx.load(tone_model(path))
    said = {one.key: one.value for one in model.metadata_props}
    helper.set_model_props(model, said | properties)
    onnx.save(model, path)
    return path


@pytest.mark.parametrize(
    ("lie", "told"),
    [
        ({"sample_rate": 10**9}, "a sample rate of 1000000000 Hz"),
        ({"sample_rate": -16_000}, "a sample rate of -16000 Hz"),
        ({"stride": 0}, "a frame of 0 times 320 samples"),
        ({"stride": 10**6}, "a frame of 1000000 times 320 samples"),
        ({"front_end": {"hop_length": -160}}, "a frame of 2 times -160 samples"),
        ({"front_end": {}}, "a frame of 2 times None samples"),
        ({"graph": "features"}, "inputs length, waveform"),
        ({"front_end": {"hop_length": "160"}}, "a frame of 2 times 160 samples"),
        ({"labels": ("1", "2")}, "2 labels and a blank for 12 outputs"),
    ],
)
def test_a_model_whose_metadata_lies_is_refused(tmp_path, lie, told):
    with pytest.raises(OnnxModelError, match=f"metadata is not the graph's: {told}"):
        Recognizer(tone_model(tmp_path / "lie.onnx", **lie))


@pytest.mark.parametrize(
    "properties",
    [
        {"confidence": '{"slop": 1.0}'},
        {"confidence": '{"slope": 1.0}'},
        {"confidence": '{"slope": "a", "intercept": "b"}'},
        {"confidence": '{"slope": NaN, "intercept": 0}'},
        {"confidence": f'{{"slope": 1{"0" * 400}, "intercept": 0}}'},
        {"confidence": "[1]"},
        {"front_end": "[" * 100_000},
        {"training_config": '{"a":' * 100_000},
        {"trained_feature_range": "[5]"},
        {"sample_rate": "9" * 5000},
        {"labels": "7"},
    ],
    ids=lambda properties: "".join(f"{name}-{value[:30]}" for name, value in properties.items()),
)
def test_metadata_of_other_types_are_refused(tmp_path, properties):
    path = described(tmp_path / "odd.onnx", **properties)
    for reader in (Recognizer, read_pair):
        with pytest.raises(OnnxModelError, match="metadata cannot be read") as error:
            reader(path)
        assert "\n" not in str(error.value)


def test_metadata_that_is_no_text_is_refused(tmp_path):
    """Found by fuzzing."""
    path = tone_model(tmp_path / "odd.onnx")
    path.write_bytes(path.read_bytes().replace(b"EncDecCTCModel", b"EncDec\xe1\xff_Model"))
    for reader in (Recognizer, read_pair):
        with pytest.raises(OnnxModelError, match="cannot load model: 'utf-8' codec"):
            reader(path)


NODE = helper.make_node


@pytest.mark.parametrize(
    ("output", "nodes", "constants", "told"),
    [
        ("logprobs", [NODE("Expand", ["plain", "x"], ["logprobs"])], {"x": np.array([1, 10**11, 1])}, "cannot run"),
        ("logprobs", [NODE("Unsqueeze", ["plain", "x"], ["logprobs"])], {"x": np.array([2])}, "no log-probabilities"),
        ("logprobs", [NODE("Concat", 2 * ["plain"], ["logprobs"], axis=2)], {}, "blank for 24 outputs"),
        ("logprobs", [NODE("Concat", 2 * ["plain"], ["logprobs"], axis=0)], {}, "no log-probabilities"),
        ("logprobs_length", [NODE("Mul", ["plain", "x"], ["logprobs_length"])], {"x": np.array(-3)}, "no log-prob"),
        ("logprobs_length", [NODE("Mul", ["plain", "x"], ["logprobs_length"])], {"x": np.array(3)}, "no log-prob"),
        ("logprobs_length", [NODE("Unsqueeze", ["plain", "x"], ["logprobs_length"])], {"x": np.array([1])}, "no log-"),
    ],
    ids=["fails", "rank", "labels", "batch", "negative", "long", "matrix"],
)
def test_a_graph_that_fails_or_answers_something_else_is_told(tmp_path, output, nodes, constants, told):
    rewired(tmp_path / "odd.onnx", output, *nodes, **constants)
    with pytest.raises(OnnxModelError, match=told) as error:
        Recognizer(tmp_path / "odd.onnx").transcribe(played("12"), sample_rate=RATE)
    assert str(tmp_path / "odd.onnx") in str(error.value)


def test_not_a_number_is_no_answer(tmp_path):
    rewired(tmp_path / "odd.onnx", "logprobs", NODE("Mul", ["plain", "x"], ["logprobs"]), x=np.float32(np.nan))
    with pytest.raises(OnnxModelError, match="model gives NaN"):
        Recognizer(tmp_path / "odd.onnx").transcribe(played("12"), sample_rate=RATE)


def test_the_command_says_of_each_recording_that_the_graph_fails(tmp_path):
    expand = NODE("Expand", ["plain", "x"], ["logprobs"])
    path = rewired(tmp_path / "odd.onnx", "logprobs", expand, x=np.array([1, 10**11, 1]))
    audio.write(tmp_path / "a.wav", played("12").astype(np.float32), RATE)
    done = run("-m", "spoken_numbers", "transcribe", path, tmp_path / "a.wav")
    assert (done.returncode, done.stdout) == (1, "")
    first, second = done.stderr.splitlines()
    assert first.startswith("error: cannot run model: ")
    assert second == "1 of 1 recordings could not be read"


@pytest.mark.parametrize("location", ["beside.bin", "../beside.bin", "/etc/hostname"])
@pytest.mark.parametrize("as_constant", [False, True])
@pytest.mark.parametrize("reader", [Recognizer, read_pair])
def test_no_other_file_is_read(tmp_path, location, as_constant, reader):
    folder = tmp_path / "model"
    folder.mkdir()
    model = onnx.load(tone_model(folder / "m.onnx"))
    waves = next(one for one in model.graph.initializer if one.name == "waves")
    for place in (folder, tmp_path):
        (place / "beside.bin").write_bytes(waves.raw_data)
    waves.ClearField("raw_data")
    waves.data_location = TensorProto.EXTERNAL
    waves.external_data.add(key="location", value=location)
    if as_constant:
        model.graph.initializer.remove(waves)
        model.graph.node.insert(0, NODE("Constant", [], ["waves"], value=waves))
    (folder / "m.onnx").write_bytes(model.SerializeToString())
    with pytest.raises(OnnxModelError, match="cannot load model"):
        reader(folder / "m.onnx")


@pytest.mark.parametrize("bands", [None, 0, -1, 10**12, "64", 65])
@pytest.mark.parametrize("name", ["quartznet_5x1_int8.onnx", "quartznet_5x1_int8_features.onnx"])
def test_a_pair_is_not_read_with_other_mel_bands_than_its_graph_has(tmp_path, name, bands):
    path = tmp_path / name
    model = onnx.load(ROOT / "models" / name)
    said = {one.key: one.value for one in model.metadata_props}
    front = json.loads(said["front_end"]) | {"features": bands}
    helper.set_model_props(model, said | {"front_end": json.dumps(front)})
    onnx.save(model, path)
    with pytest.raises(OnnxModelError, match=r"metadata is not the graph's|cannot run model"):
        read_pair(path)


@pytest.mark.parametrize("lie", [{"sample_rate": 10**9}, {"front_end": {"features": 64, "hop_length": 0}}, {}])
def test_a_pair_whose_metadata_lies_is_not_read(tmp_path, lie):
    with pytest.raises(OnnxModelError, match="metadata is not the graph's"):
        read_pair(tone_model(tmp_path / "lie.onnx", **lie))
