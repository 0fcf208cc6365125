"""The shipped files: small, what their card says, and reading the same in runtimes that others wrote."""

import json
import os
import shutil
from pathlib import Path

import numpy as np
import onnx_asr
import pytest
import sherpa_onnx
from commands import ROOT

from spoken_numbers import Recognizer, audio, manifest
from spoken_numbers.corpora import an4
from spoken_numbers.labels import speak
from spoken_numbers.onnx_model import open_model
from spoken_numbers.synthesis.engine import Line
from spoken_numbers.synthesis.flite import Flite
from spoken_numbers.training.command import CONF, composed

CORPORA = Path(os.environ.get("SPOKEN_NUMBERS_CORPORA", "/nonexistent"))
MODEL, FEATURES = ROOT / "models" / "quartznet_5x1_int8.onnx", ROOT / "models" / "quartznet_5x1_int8_features.onnx"


@pytest.fixture(scope="module")
def recordings(tmp_path_factory):
    """Every number utterance of AN4 that is there."""
    if not (CORPORA / "an4").is_dir():
        pytest.skip("needs SPOKEN_NUMBERS_CORPORA with an4/")
    out = tmp_path_factory.mktemp("an4")
    an4.prepare(CORPORA / "an4", out)
    manifests = [out / "train.json", out / "test.json"]
    return [audio.read(row.path(path)) for path in manifests for row in manifest.read(path)]


def test_two_megabytes_that_say_what_they_are():
    assert MODEL.stat().st_size <= 2_200_000
    assert FEATURES.stat().st_size <= 2_050_000
    metadata = open_model(MODEL).metadata
    assert metadata.licence
    assert metadata.git_revision
    assert metadata.quantization["method"] == "static"
    assert metadata.training_config["name"] == "quartznet_5x1_released_all_people_int8"


@pytest.mark.parametrize("name", ["quartznet_5x1_finetune", "quartznet_5x1_aug_ru"])
def test_what_goes_on_from_it_computes_its_features(name):
    config, heard = composed(CONF / f"{name}.yaml", []), open_model(MODEL).metadata.front_end
    assert config.init_from == "models/quartznet_5x1_int8.onnx"
    assert config.model.relative_guard == heard["relative_guard"]
    assert config.frontend.features == heard["features"]


@pytest.mark.skipif(shutil.which("flite") is None, reason="needs flite")
def test_it_reads_numbers_in_every_style():
    voice = next(one for one in Flite().voices("en") if "rms" in one.name)
    said = [(number, style) for number in ("896867", "332763", "309758", "183037") for style in ("digits", "cardinal")]
    waveforms = Flite().render([Line(speak(number, style).words, voice) for number, style in said])
    recognizer = Recognizer(MODEL)
    read = [recognizer.transcribe(waveform, sample_rate=audio.SAMPLE_RATE).digits for waveform in waveforms]
    assert sum(digits == number for digits, (number, _) in zip(read, said, strict=True)) >= 6


def test_silence_is_no_number():
    assert Recognizer(MODEL).transcribe(np.zeros(32000, np.float32), sample_rate=16000).digits == ""


def test_its_level_changes_nothing_that_a_recording_says(recordings):
    recognizer = Recognizer(MODEL)
    for waveform in recordings[::20]:
        said = {recognizer.transcribe(waveform * 10 ** (db / 20), sample_rate=16000).label for db in (-40, -20, 0, 20)}
        assert len(said) == 1


def test_sherpa_onnx_reads_real_speech_as_we_do(recordings):
    recognizer = sherpa_onnx.OfflineRecognizer.from_nemo_ctc(str(FEATURES), str(FEATURES.parent / "tokens.txt"))
    streams = [recognizer.create_stream() for _ in recordings]
    for stream, waveform in zip(streams, recordings, strict=True):
        stream.accept_waveform(16000, waveform)
    recognizer.decode_streams(streams)
    assert agreement(recordings, [stream.result.text for stream in streams]) >= 0.99


def test_onnx_asr_reads_real_speech_as_we_do(recordings, tmp_path):
    shutil.copy(FEATURES, tmp_path / "model.onnx")
    shutil.copy(FEATURES.parent / "tokens.txt", tmp_path / "vocab.txt")
    config = {"model_type": "nemo-conformer-ctc", "features_size": 80, "subsampling_factor": 4}
    (tmp_path / "config.json").write_text(json.dumps(config))
    read = onnx_asr.load_model("nemo-conformer-ctc", tmp_path).recognize(recordings)
    assert agreement(recordings, read) >= 0.99


def agreement(recordings, others):
    recognizer = Recognizer(MODEL)
    ours = [recognizer.transcribe(waveform, sample_rate=16000).digits for waveform in recordings]
    return sum(one == other.replace("*", "") for one, other in zip(ours, others, strict=True)) / len(ours)
