"""An exponential moving average of the weights: what is judged, kept and released is steadier than any one step."""

from typing import Any

import torch
from lightning.pytorch import Callback, LightningModule, Trainer

_TRAINED = "weights_in_training"


class WeightAverage(Callback):
    """Averages weights and batch-normalisation statistics after each step; validates and saves the average.

    A checkpoint's ``state_dict`` is the average, so whatever reads the file reads that; the weights in training
    lie beside it, and training goes on from them.

    Args:
        decay: of one step, in (0, 1). The first steps forget faster, (1 + n) / (10 + n), as TensorFlow's average does.
    """

    def __init__(self, decay: float) -> None:
        self.decay = decay
        self.average: dict[str, torch.Tensor] = {}
        self._updates = 0
        self._kept: dict[str, torch.Tensor] | None = None  # while the average stands in

    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if not self.average:
            self.average = _copy(pl_module.state_dict())

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        if trainer.global_step == self._updates:  # gradients were only gathered
            return
        self._updates = trainer.global_step
        decay = min(self.decay, (1 + self._updates) / (10 + self._updates))
        for name, value in pl_module.state_dict().items():
            if value.is_floating_point():
                self.average[name].lerp_(value, 1 - decay)
            else:
                self.average[name].copy_(value)

    def on_validation_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._kept = _copy(pl_module.state_dict())
        pl_module.load_state_dict(self.average)

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        assert self._kept is not None
        pl_module.load_state_dict(self._kept)
        self._kept = None

    def on_save_checkpoint(self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]) -> None:
        checkpoint[_TRAINED] = checkpoint["state_dict"]
        checkpoint["state_dict"] = self.average

    def on_load_checkpoint(self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]) -> None:
        self._updates = checkpoint["global_step"]
        self.average = _copy(checkpoint["state_dict"])
        pl_module.load_state_dict(checkpoint.get(_TRAINED, checkpoint["state_dict"]))


def _copy(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {name: value.detach().clone() for name, value in state.items()}
