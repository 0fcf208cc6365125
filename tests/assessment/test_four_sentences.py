"""The four testing sentences, spoken by an installed voice or recorded."""

import shutil

import pytest
from commands import run
from tone_model import RATE, played, tone_model

from spoken_numbers import audio
from spoken_numbers.assessment.four_sentences import NUMBERS, rendered


def four(*arguments):
    return run("evaluation/four_sentences.py", *arguments)


@pytest.fixture
def model(tmp_path):
    return tone_model(tmp_path / "tones.onnx")


def test_recordings_are_read_in_order_and_what_is_wrong_stands_out(model, tmp_path):
    played_numbers = [*NUMBERS[:3], "183038"]
    recordings = [tmp_path / f"{number}.wav" for number in played_numbers]
    for path, number in zip(recordings, played_numbers, strict=True):
        audio.write(path, played(number).astype("float32"), RATE)
    done = four(model, *[f"--recording={path}" for path in recordings])
    assert done.returncode == 0, done.stderr
    size = f"{model.stat().st_size / 1e6:.2f} MB"
    assert done.stdout.splitlines()[-1] == f"| `tones.onnx` |  | {size} | 896867 | 332763 | 309758 | **183038** |"


@pytest.mark.skipif(shutil.which("flite") is None, reason="needs flite")
def test_a_voice_says_all_four_and_they_differ():
    waveforms = rendered()
    assert len({waveform.tobytes() for waveform in waveforms}) == 4
    assert all(2 < len(waveform) / audio.SAMPLE_RATE < 10 for waveform in waveforms)


@pytest.mark.parametrize(
    ("arguments", "told"), [(["--voice=nobody"], "no voice 'nobody'"), (["--recording=README.md"], "1 recordings")]
)
def test_a_wrong_command_is_one_line_and_status_2(model, arguments, told):
    done = four(model, *arguments)
    assert done.returncode == 2
    assert done.stderr.startswith("error: ")
    assert told in done.stderr
    assert done.stderr.count("\n") == 1
