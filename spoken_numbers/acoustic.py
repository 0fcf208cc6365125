"""Any model file → log-probabilities; only the formats that need torch load it."""

import tarfile
import zipfile
from functools import cache, partial
from pathlib import Path

from spoken_numbers.assessment.evaluation import Acoustic
from spoken_numbers.audio import SAMPLE_RATE, resample
from spoken_numbers.decoding.confidence import Calibration
from spoken_numbers.errors import UserError
from spoken_numbers.recognizer import Recognizer


def open_acoustic(path: Path, batch_size: int = 32) -> Acoustic:
    """The model in an ``.onnx``, ``.nemo`` or ``.ckpt`` file, on the CPU.

    Args:
        batch_size: utterances at once, of ``.nemo`` and ``.ckpt``; the ONNX recogniser chooses for itself.

    Raises:
        UserError: a file that cannot be used.
    """
    if path.suffix == ".onnx":
        recognizer = _recognizer(path)
        return lambda waveforms: recognizer.log_probabilities(
            resample(waveform, SAMPLE_RATE, recognizer.sample_rate) for waveform in waveforms
        )
    if path.is_file() and not (tarfile.is_tarfile(path) or zipfile.is_zipfile(path)):  # said before NeMo's seconds
        raise UserError(
            "cannot load model: neither .onnx nor .nemo nor checkpoint", where=str(path), todo="give a model file"
        )
    from spoken_numbers.training.load import load_model, log_probabilities  # torch and NeMo: seconds

    return partial(log_probabilities, load_model(path), batch_size=batch_size)


def calibration_of(path: Path) -> Calibration | None:
    """What ``evaluation/calibrate.py`` stored in an ``.onnx`` file; None of others.

    Raises:
        OnnxModelError: a file that cannot be used.
    """
    return _recognizer(path).calibration if path.suffix == ".onnx" else None


@cache
def _recognizer(path: Path) -> Recognizer:
    return Recognizer(path, threads=0)


def parameters_of(path: Path) -> int | None:
    """How many weights a ``.nemo`` or ``.ckpt`` file holds; None for ``.onnx``, where some are folded together.

    Raises:
        ModelError: a file that cannot be used.
    """
    if path.suffix == ".onnx":
        return None
    from spoken_numbers.training.load import load_model

    return sum(weights.numel() for weights in load_model(path).parameters())
