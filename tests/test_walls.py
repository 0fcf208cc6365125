"""The recogniser's side of the house starts without torch."""

import subprocess
import sys

import pytest
from tone_model import RATE, played, tone_model

from spoken_numbers import audio


@pytest.mark.parametrize(
    "room",
    ["labels", "audio", "manifest", "decoding.greedy", "assessment.evaluation", "augmentation.config", "acoustic"],
)
def test_no_torch_or_nemo_under_the_recogniser(room):
    code = f"import sys, spoken_numbers.{room}; print([m for m in ('torch', 'nemo', 'lightning') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_recogniser_reads_a_file_with_its_own_dependencies_alone(tmp_path):
    model, recording = tone_model(tmp_path / "tones.onnx"), tmp_path / "a.wav"
    audio.write(recording, played("896867").astype("float32"), RATE)
    code = f"""
import sys
from spoken_numbers import Recognizer
print(Recognizer({str(model)!r}).transcribe({str(recording)!r}).digits)
others = ("torch", "nemo", "lightning", "onnx", "scipy", "librosa", "kaldialign", "matplotlib", "typer", "yaml")
print([m for m in others if m in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "896867\n[]\n"


def test_the_transcribe_command_starts_without_what_preparation_needs():
    others = "tqdm distributed dask typer scipy onnx torch"
    code = f"import sys, spoken_numbers.__main__; print([m for m in {others.split()} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_package_itself_loads_nothing_until_it_is_asked():
    code = "import sys, spoken_numbers; print([m for m in ('numpy', 'onnxruntime', 'soundfile') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
