"""The recogniser's side of the house starts without torch."""

import subprocess
import sys

import pytest


@pytest.mark.parametrize(
    "room", ["labels", "audio", "manifest", "decoding.greedy", "assessment.evaluation", "augmentation.config"]
)
def test_no_torch_or_nemo_under_the_recogniser(room):
    code = f"import sys, spoken_numbers.{room}; print([m for m in ('torch', 'nemo', 'lightning') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
