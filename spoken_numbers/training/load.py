"""A .nemo file or a checkpoint → a model that reads waveforms."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import torch
from nemo.collections.asr.models import EncDecCTCModel
from omegaconf import open_dict

from spoken_numbers.audio import FloatArray
from spoken_numbers.errors import UserError
from spoken_numbers.labels import LABELS
from spoken_numbers.training.checkpoints import load


class ModelError(UserError):
    """A model file that cannot be used."""


def load_model(path: Path) -> EncDecCTCModel:
    """Restore a model for inference on the CPU, without its datasets.

    Raises:
        ModelError: missing or broken file, or one that is no CTC model.
    """
    if not path.is_file():
        raise ModelError("no such model", where=str(path), todo="give a .nemo file or a checkpoint (.ckpt)")
    try:
        if path.suffix == ".ckpt":
            model = _from_checkpoint(path)
        else:
            model = EncDecCTCModel.restore_from(str(path), map_location="cpu")
    except Exception as error:
        reason = f"{type(error).__name__}: {error}".splitlines()[0][:200]
        raise ModelError(
            f"cannot load model: {reason}", where=str(path), todo="train it again or copy it whole"
        ) from None
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
    dither, model.preprocessor.featurizer.dither = model.preprocessor.featurizer.dither, 0.0
    batch: list[FloatArray] = []
    try:
        for waveform in waveforms:
            batch.append(waveform)
            if len(batch) == batch_size:
                yield from _forward(model, batch)
                batch = []
        if batch:
            yield from _forward(model, batch)
    finally:
        model.preprocessor.featurizer.dither = dither


@torch.inference_mode()
def _forward(model: EncDecCTCModel, batch: list[FloatArray]) -> list[FloatArray]:
    # Features are normalised over an utterance's frames, which takes more than one of them.
    shortest = int(0.1 * model.cfg.preprocessor.sample_rate)
    lengths = torch.tensor([max(len(waveform), shortest) for waveform in batch])
    signal = torch.zeros(len(batch), int(lengths.max()))
    for row, waveform in zip(signal, batch, strict=True):
        row[: len(waveform)] = torch.from_numpy(np.ascontiguousarray(waveform))
    log_probs, frames, _ = model(input_signal=signal, input_signal_length=lengths)
    return [one[:n].numpy() for one, n in zip(log_probs, frames.tolist(), strict=True)]


def _from_checkpoint(path: Path) -> EncDecCTCModel:
    checkpoint = load(path)
    cfg = checkpoint["hyper_parameters"]["cfg"].copy()
    with open_dict(cfg):
        for name in ("train_ds", "validation_ds", "test_ds"):
            cfg.pop(name, None)
    model = EncDecCTCModel(cfg=cfg)
    model.load_state_dict(checkpoint["state_dict"])
    return model
