"""Loss, string accuracy and time left: a bar on a terminal, a line per validation elsewhere."""

import sys
from typing import Any

from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import ProgressBar
from tqdm import tqdm


class TrainingProgress(ProgressBar):
    """One bar over the whole training rather than one per epoch, so that its time left is the training's."""

    def __init__(self) -> None:
        super().__init__()
        self._bar: tqdm | None = None
        self._shown = True

    def disable(self) -> None:
        self._shown = False

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        total = trainer.estimated_stepping_batches
        self._bar = tqdm(
            total=None if total == float("inf") else int(total),
            initial=trainer.global_step,
            desc="training",
            unit="step",
            dynamic_ncols=True,
            disable=None if self._shown else True,
            file=sys.stderr,
        )

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        if self._bar is None or self._bar.disable:
            return
        self._bar.update(trainer.global_step - self._bar.n)
        self._bar.set_postfix(_shown_metrics(trainer), refresh=False)

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if self._shown and (self._bar is None or self._bar.disable):
            metrics = ", ".join(f"{name} {value}" for name, value in _shown_metrics(trainer).items())
            print(f"step {trainer.global_step}: {metrics}", file=sys.stderr, flush=True)

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if self._bar is not None:
            self._bar.close()


def _shown_metrics(trainer: Trainer) -> dict[str, str]:
    metrics = trainer.callback_metrics
    shown = {}
    if "train/loss" in metrics:
        shown["loss"] = f"{float(metrics['train/loss']):.2f}"
    if "string_accuracy" in metrics:
        shown["strings right"] = f"{100 * float(metrics['string_accuracy']):.1f} %"
    return shown
