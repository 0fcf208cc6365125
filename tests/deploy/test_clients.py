"""Exported features graphs run in runtimes that others wrote, and read there what they read here."""

import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import onnx_asr
import pytest
import sherpa_onnx
from tiny_models import teach_tones, tiny_quartznet
from training_fixtures import tones

from spoken_numbers import audio, manifest
from spoken_numbers.audio import FloatArray
from spoken_numbers.decoding.greedy import greedy
from spoken_numbers.deploy.export import export
from spoken_numbers.deploy.quantize import quantize
from spoken_numbers.onnx_model import open_model

MODELS = ["model.onnx", "model_int8.onnx"]
"""Of the exported folder; each has a features graph beside it."""


@dataclass
class Exported:
    folder: Path
    said: list[str]
    waveforms: list[FloatArray]


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Exported:
    """A small model that has learnt tones, in the features that these runtimes compute."""
    folder = tmp_path_factory.mktemp("clients")
    heard, unheard = tones(folder, "train", 96, 0), tones(folder, "test", 200, 1)
    model = tiny_quartznet("frontend=nemo80", "size.epilogue=[16,32]", blocks=[0, 1, 7], kernel=[11])
    teach_tones(model, heard)
    model.save_to(str(folder / "tones.nemo"))
    export(folder / "tones.nemo", folder / "model" / "model.onnx", [unheard], "Apache-2.0", 16)
    quantize(folder / "model" / "model.onnx", folder / "model" / "model_int8.onnx", "static", [heard], [], False, False)
    rows = list(manifest.read(unheard))
    return Exported(folder / "model", [row.text for row in rows], [audio.read(row.path(unheard)) for row in rows])


def features_graph(exported: Exported, name: str) -> Path:
    return exported.folder / f"{Path(name).stem}_features.onnx"


def by_sherpa(exported: Exported, name: str, _: Path) -> list[str]:
    recognizer = sherpa_onnx.OfflineRecognizer.from_nemo_ctc(
        str(features_graph(exported, name)), str(exported.folder / "tokens.txt")
    )
    streams = [recognizer.create_stream() for _ in exported.waveforms]
    for stream, waveform in zip(streams, exported.waveforms, strict=True):
        stream.accept_waveform(16000, waveform)
    recognizer.decode_streams(streams)
    return [stream.result.text for stream in streams]


def by_onnx_asr(exported: Exported, name: str, folder: Path) -> list[str]:
    shutil.copy(features_graph(exported, name), folder / "model.onnx")
    shutil.copy(exported.folder / "tokens.txt", folder / "vocab.txt")
    config = {"model_type": "nemo-conformer-ctc", "features_size": 80, "subsampling_factor": 2}
    (folder / "config.json").write_text(json.dumps(config))
    return onnx_asr.load_model("nemo-conformer-ctc", folder).recognize(exported.waveforms)


@pytest.mark.parametrize("read", [by_sherpa, by_onnx_asr])
@pytest.mark.parametrize("name", MODELS)
def test_another_runtime_reads_what_we_read(
    exported: Exported, name: str, read: Callable[[Exported, str, Path], Sequence[str]], tmp_path: Path
):
    model = open_model(exported.folder / name)
    ours = [greedy(model.log_probabilities([waveform])[0]) for waveform in exported.waveforms]
    assert share_alike(ours, exported.said) > 0.9
    assert share_alike(ours, read(exported, name, tmp_path)) >= 0.99


def share_alike(one: Sequence[str], other: Sequence[str]) -> float:
    return sum(a == b for a, b in zip(one, other, strict=True)) / len(one)
