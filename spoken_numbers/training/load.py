"""A .nemo file or a checkpoint → a model that reads waveforms."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from nemo.collections.asr.models import EncDecCTCModel
from nemo.utils import logging
from omegaconf import open_dict

from spoken_numbers.audio import FloatArray, padded
from spoken_numbers.errors import UserError
from spoken_numbers.labels import LABELS
from spoken_numbers.training.checkpoints import load
from spoken_numbers.training.relative_guard import guard
from spoken_numbers.training.untrusted import WeightsOnly, bounded_model, check_archive, check_settings


class ModelError(UserError):
    """A model file that cannot be used."""


def load_model(path: Path) -> EncDecCTCModel:
    """Restore a model for inference on the CPU, without its datasets. Nothing that the file holds is run.

    Raises:
        ModelError: missing or broken file, or one that is no CTC model.
    """
    if not path.is_file():
        raise ModelError("no such model", where=str(path), todo="give a .nemo file or a checkpoint (.ckpt)")
    try:
        with bounded_model(), logging.temp_verbosity(logging.CRITICAL):  # NeMo logs tracebacks of what it raises
            if path.suffix == ".ckpt":
                model = _from_checkpoint(path)
            else:
                check_archive(path)
                model = EncDecCTCModel.restore_from(str(path), map_location="cpu", save_restore_connector=WeightsOnly())
    except Exception as error:
        while isinstance(error.__cause__, Exception):  # Hydra's own says only which class it was about to call
            error = error.__cause__
        reason = f"{type(error).__name__}: {error}".splitlines()[0][:200]
        raise ModelError(
            f"cannot load model: {reason}", where=str(path), todo="train it again or copy it whole"
        ) from None
    if not isinstance(model, EncDecCTCModel):  # NeMo restores whatever the file holds
        raise ModelError(f"{type(model).__name__} is no CTC model", where=str(path), todo="give a QuartzNet")
    try:
        guard(model)
    except ValueError as error:
        raise ModelError(str(error), where=str(path), todo="train it again or copy it whole") from None
    return model.eval()


def load_weights(model: EncDecCTCModel, path: Path) -> None:
    """Start from another model's weights; the decoder may differ.

    Raises:
        ModelError: not loadable, or an encoder of another size.
    """
    state = load_model(path).state_dict()
    mine = model.state_dict()
    encoder = [name for name in mine if name.startswith("encoder.")]
    misfits = [name for name in encoder if name not in state or state[name].shape != mine[name].shape]
    if misfits:
        raise ModelError(
            f"encoder of another size (at {misfits[0]})", where=str(path), todo="choose the same size config"
        )
    fitting = {name: value for name, value in state.items() if name in mine and mine[name].shape == value.shape}
    model.load_state_dict(fitting, strict=False)


def log_probabilities(
    model: EncDecCTCModel, waveforms: Iterable[FloatArray], batch_size: int = 32
) -> Iterator[FloatArray]:
    """One (frames, labels + 1) array for each waveform, in order. Labels must be this project's.

    Raises:
        ModelError: a model of another vocabulary.
    """
    if tuple(model.decoder.vocabulary) != LABELS:
        raise ModelError("model has other labels than 0–9 and *", where="vocabulary", todo="use a model trained here")
    batch: list[FloatArray] = []
    for waveform in waveforms:
        batch.append(waveform)
        if len(batch) == batch_size:
            yield from log_probabilities_of_batch(model, batch)
            batch = []
    if batch:
        yield from log_probabilities_of_batch(model, batch)


@torch.inference_mode()
def log_probabilities_of_batch(model: EncDecCTCModel, batch: Sequence[FloatArray]) -> list[FloatArray]:
    """The waveforms padded to the longest, through a model in evaluation mode; any labels."""
    signal, lengths = _padded(model, batch)
    log_probs, frames, _ = model(input_signal=signal, input_signal_length=lengths)
    return [one[:n].numpy() for one, n in zip(log_probs, frames.tolist(), strict=True)]


@torch.inference_mode()
def features_of_batch(model: EncDecCTCModel, batch: Sequence[FloatArray]) -> tuple[FloatArray, npt.NDArray[np.int64]]:
    """Log-mel features (batch, n_mels, frames) of the same batch, and their lengths in frames."""
    signal, lengths = _padded(model, batch)
    features, frames = model.preprocessor(input_signal=signal, length=lengths)
    return features.numpy(), frames.numpy()


def _padded(model: EncDecCTCModel, batch: Sequence[FloatArray]) -> tuple[torch.Tensor, torch.Tensor]:
    signal, lengths = padded(batch, model.cfg.preprocessor.sample_rate)
    return torch.from_numpy(signal), torch.from_numpy(lengths)


def _from_checkpoint(path: Path) -> EncDecCTCModel:
    checkpoint = load(path)
    check_settings(checkpoint["hyper_parameters"]["cfg"])
    cfg = checkpoint["hyper_parameters"]["cfg"].copy()
    with open_dict(cfg):
        for name in ("train_ds", "validation_ds", "test_ds"):
            cfg.pop(name, None)
    model = EncDecCTCModel(cfg=cfg)
    model.load_state_dict(checkpoint["state_dict"])
    return model
