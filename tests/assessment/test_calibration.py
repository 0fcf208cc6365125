"""Calibrated confidences are true of the utterances that they were fitted on, and travel in the model."""

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from commands import ROOT, run
from hypothesis import given
from hypothesis import strategies as st
from manifest_makers import row, write
from tone_model import RATE, played, tone_model

from spoken_numbers import Recognizer, audio
from spoken_numbers.decoding.confidence import Calibration


@given(st.floats(0.01, 5), st.floats(-5, 5), st.lists(st.floats(0, 1), min_size=2, max_size=5))
def test_a_calibration_rises_between_0_and_1(slope, intercept, confidences):
    calibration = Calibration(slope, intercept)
    made = [calibration(confidence) for confidence in sorted(confidences)]
    assert made == sorted(made)
    assert all(0 <= one <= 1 for one in made)


def calibrate(*args: object) -> subprocess.CompletedProcess[str]:
    return run("evaluation/calibrate.py", *args)


@pytest.fixture
def labelled(tmp_path) -> Path:
    """40 utterances that the tone model reads right, a quarter of which the manifest says otherwise."""
    rows = []
    for number in range(40):
        digits = f"{number:03}"
        audio.write(tmp_path / f"{number}.wav", played(digits).astype(np.float32), RATE)
        said = "999" if number % 4 == 0 else digits
        rows.append(row(f"{number}.wav", text=said, duration=len(played(digits)) / RATE))
    return write(tmp_path / "labelled.json", *rows)


def test_confidence_becomes_the_share_that_is_right_and_stays_in_the_file(labelled, tmp_path):
    model = tone_model(tmp_path / "tones.onnx")
    recording = tmp_path / "7.wav"
    before = Recognizer(model).transcribe(recording)
    done = calibrate(model, "--manifest", labelled)
    assert done.returncode == 0, done.stderr
    assert "30 of 40 strings right" in done.stdout
    after = Recognizer(model).transcribe(recording)
    assert after.digits == before.digits
    assert before.confidence > 0.9
    assert after.confidence == pytest.approx(0.75, abs=0.05)


def test_too_few_answers_and_other_files_are_named(labelled, tmp_path):
    model = tone_model(tmp_path / "tones.onnx")
    few = tmp_path / "few.json"
    few.write_text("".join(labelled.read_text().splitlines(keepends=True)[:5]))
    before = model.read_bytes()
    done = calibrate(model, "--manifest", few)
    assert (done.returncode, done.stderr) == (2, "error: 5 answers to calibrate on – --manifest – give at least 20\n")
    assert model.read_bytes() == before
    shutil.copy(ROOT / "models" / "quartznet_5x1_int8_features.onnx", tmp_path / "features.onnx")
    done = calibrate(tmp_path / "features.onnx", "--manifest", labelled)
    assert done.returncode == 2
    assert "takes features" in done.stderr
