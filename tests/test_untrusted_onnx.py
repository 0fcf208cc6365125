"""ONNX files from strangers: what they say of themselves is not believed, and what they do is said in one line."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper
from tone_model import RATE, played, tone_model

from spoken_numbers import Recognizer
from spoken_numbers.deploy.pair import read_pair
from spoken_numbers.onnx_model import OnnxModelError

ROOT = Path(__file__).parents[1]


def changed(path: Path, change: Callable[[onnx.ModelProto], None]) -> Path:
    model = onnx.load(tone_model(path))
    change(model)
    path.write_bytes(model.SerializeToString())
    return path


def test_models_that_cannot_be_used_say_why(tmp_path):
    model = tone_model(tmp_path / "model.onnx")
    features = tmp_path / "features.onnx"
    shutil.copy(ROOT / "models" / "quartznet_5x1_int8_features.onnx", features)
    letters = tone_model(tmp_path / "letters.onnx", labels=tuple("abcdefghijk"))
    huge = tmp_path / "huge.onnx"
    with huge.open("wb") as out:
        out.truncate(10**12)
    bare, broken = tmp_path / "bare.onnx", tmp_path / "broken.onnx"
    without = onnx.load(model)
    del without.metadata_props[:]
    onnx.save(without, bare)
    broken.write_bytes(model.read_bytes()[:-1000])
    for path, told in [
        (features, "takes features"),
        (letters, "other labels"),
        (bare, "metadata says nothing"),
        (broken, "cannot load model"),
        (tmp_path / "gone.onnx", "no such model"),
        (huge, "1000000 MB are no small recogniser"),
    ]:
        with pytest.raises(OnnxModelError, match=told) as error:
            Recognizer(path)
        assert str(path) in str(error.value)


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
        ({"labels": ("1", "2")}, "2 labels and a blank for 12 outputs"),
    ],
)
def test_a_model_whose_metadata_lies_is_refused(tmp_path, lie, told):
    with pytest.raises(OnnxModelError, match=f"metadata is not the graph's: {told}"):
        Recognizer(tone_model(tmp_path / "lie.onnx", **lie))


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("confidence", '{"slop": 1.0, "intercept": 0}'),
        ("confidence", '{"slope": "1", "intercept": 0}'),
        ("confidence", '{"slope": NaN, "intercept": 0}'),
        ("front_end", "[" * 100_000),
        ("training_config", "[" * 100_000),
        ("sample_rate", "9" * 5000),
        ("labels", "7"),
    ],
)
def test_metadata_that_is_no_metadata_is_refused(tmp_path, key, value):
    def change(model: onnx.ModelProto) -> None:
        helper.set_model_props(model, {one.key: one.value for one in model.metadata_props} | {key: value})

    with pytest.raises(OnnxModelError, match="metadata cannot be read"):
        Recognizer(changed(tmp_path / "odd.onnx", change))


def after(model: onnx.ModelProto, output: str, operator: str, constant: object) -> None:
    """Put ``operator`` with a constant between a graph's result and its output."""
    for node in model.graph.node:
        node.output[:] = ["before" if name == output else name for name in node.output]
    model.graph.initializer.append(numpy_helper.from_array(np.array(constant), "constant"))
    model.graph.node.append(helper.make_node(operator, ["before", "constant"], [output]))


@pytest.mark.parametrize(
    ("output", "operator", "constant", "told"),
    [
        ("logprobs", "Expand", [1, 10**11, 1], "model fails: "),
        ("logprobs", "Unsqueeze", [2], r"model gives \(1, 25, 1, 12\)"),
        ("logprobs_length", "Mul", [-3], r"and lengths \[-75\]"),
        ("logprobs_length", "Mul", [3], r"and lengths \[75\]"),
        ("logprobs_length", "Unsqueeze", [1], "in place of"),
    ],
)
def test_a_graph_that_misbehaves_is_told_of_in_one_line(tmp_path, capfd, output, operator, constant, told):
    def change(model: onnx.ModelProto) -> None:
        after(model, output, operator, constant)
        for one in model.graph.output:
            one.type.tensor_type.ClearField("shape")

    recognizer = Recognizer(changed(tmp_path / "odd.onnx", change))
    with pytest.raises(OnnxModelError, match=told) as error:
        recognizer.transcribe(played("123"), RATE)
    assert "\n" not in str(error.value)
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("place", ["weights.bin", "../weights.bin", "/etc/hostname", "model.onnx"])
def test_a_model_reads_no_file_but_its_own(tmp_path, place):
    folder = tmp_path / "folder"
    folder.mkdir()

    def change(model: onnx.ModelProto) -> None:
        weights = next(one for one in model.graph.initializer if one.name == "waves")
        for path in (folder / "weights.bin", tmp_path / "weights.bin"):
            path.write_bytes(weights.raw_data)
        weights.ClearField("raw_data")
        weights.data_location = onnx.TensorProto.EXTERNAL
        weights.external_data.add(key="location", value=place)

    path = changed(folder / "model.onnx", change)
    for read in (Recognizer, read_pair):
        with pytest.raises(OnnxModelError, match="cannot load model"):
            read(path)


def test_a_model_to_be_quantised_is_believed_no_more_than_one_to_be_run(tmp_path):
    for name, metadata, told in (
        ("no_features", {}, "nothing of 'features'"),
        ("rate", {"sample_rate": 10**9, "front_end": {"features": 64, "hop_length": 320}}, "a sample rate of"),
        ("hop", {"front_end": {"features": 64, "hop_length": 0}}, "a frame of 2 times 0 samples"),
    ):
        with pytest.raises(OnnxModelError, match=told):
            read_pair(tone_model(tmp_path / f"{name}.onnx", **metadata))
