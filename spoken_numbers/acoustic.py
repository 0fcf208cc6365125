"""Any model file → log-probabilities; only the formats that need torch load it."""

import tarfile
import zipfile
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from spoken_numbers.assessment.evaluation import Acoustic
from spoken_numbers.audio import SAMPLE_RATE, resample
from spoken_numbers.decoding.confidence import Calibration
from spoken_numbers.errors import UserError
from spoken_numbers.recognizer import Recognizer

if TYPE_CHECKING:
    from nemo.collections.asr.models import EncDecCTCModel


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
    model = _torch_model(path)
    from spoken_numbers.training.load import log_probabilities

    return partial(log_probabilities, model, batch_size=batch_size)


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
        UserError: a file that cannot be used.
    """
    if path.suffix == ".onnx":
        return None
    return sum(weights.numel() for weights in _torch_model(path).parameters())


def _torch_model(path: Path) -> "EncDecCTCModel":
    if path.is_file() and not (tarfile.is_tarfile(path) or zipfile.is_zipfile(path)):  # said before NeMo's seconds
        raise UserError(
            "cannot load model: neither .onnx nor .nemo nor checkpoint", where=str(path), todo="give a model file"
        )
    from spoken_numbers.training.load import load_model  # torch and NeMo: seconds

    return load_model(path)
