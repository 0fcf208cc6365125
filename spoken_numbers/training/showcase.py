"""What curves cannot show: references beside hypotheses, and training utterances as augmented."""

from typing import Any

import matplotlib.figure
import numpy as np
import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.loggers import TensorBoardLogger

from spoken_numbers.training.model import SpokenNumberModel


class Showcase(Callback):
    """Writes to TensorBoard a table of readings per validation, and some training utterances at the start."""

    def __init__(self, utterances: int) -> None:
        self.utterances = utterances

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        writer = _writer(trainer)
        if writer is None or not isinstance(pl_module, SpokenNumberModel) or trainer.global_step > 0:
            return
        dataset = pl_module.train_dataloader().dataset
        with torch.random.fork_rng(devices=[]):
            for drawn in dataset.examples(self.utterances):
                ((signal, length, *_),) = dataset[[drawn]]
                waveform = signal[: int(length)]
                rate = pl_module.cfg.preprocessor.sample_rate
                features = _log_mel(pl_module, waveform)
                name = f"training utterance {drawn.row}"
                writer.add_audio(name, waveform.clamp(-1, 1).unsqueeze(0), 0, sample_rate=rate)
                writer.add_figure(name, _spectrogram(features, pl_module.cfg.preprocessor.window_stride), 0)

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        writer = _writer(trainer)
        if writer is None or not isinstance(pl_module, SpokenNumberModel):
            return
        for name, pairs in pl_module.examples.items():
            rows = [f"| `{ref}` | `{hyp}` | {'' if ref == hyp else '✗'} |" for ref, hyp in pairs[:20]]
            table = "\n".join(["| reference | hypothesis | |", "|---|---|---|", *rows])
            writer.add_text(f"readings/{name}", table, trainer.global_step)


def _writer(trainer: Trainer) -> Any:
    logger = trainer.logger
    return logger.experiment if isinstance(logger, TensorBoardLogger) and trainer.is_global_zero else None


def _log_mel(model: SpokenNumberModel, waveform: torch.Tensor) -> np.ndarray:
    with torch.no_grad():
        features, _ = model.preprocessor(
            input_signal=waveform[None].to(model.device), length=torch.tensor([len(waveform)], device=model.device)
        )
    return features[0].float().cpu().numpy()


def _spectrogram(features: np.ndarray, hop: float) -> matplotlib.figure.Figure:
    figure = matplotlib.figure.Figure(figsize=(6, 2.5), layout="constrained")
    axes = figure.subplots()
    axes.imshow(features, origin="lower", aspect="auto", extent=(0, features.shape[1] * hop, 0, features.shape[0]))
    axes.set(xlabel="seconds", ylabel="mel band")
    return figure
