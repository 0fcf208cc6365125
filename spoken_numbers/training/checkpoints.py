"""The last and the best checkpoint, and which of them training can go on from."""

import io
import sys
from pathlib import Path
from typing import Any

import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.callbacks import ModelCheckpoint
from lightning.pytorch.plugins.io import TorchCheckpointIO

from spoken_numbers.errors import on_one_line
from spoken_numbers.files import written_whole
from spoken_numbers.training.untrusted import load_plain

METRIC = "string_accuracy"


class LastCheckpoint(Callback):
    """Keeps the newest state, every so many steps and at the end; a new file is whole before the old one goes.

    A state is kept when the next batch begins, so that what a step's validation changed is in it. A training that
    ends by an exception keeps the state of its last whole step.
    """

    def __init__(self, folder: Path, every_n_steps: int) -> None:
        self.folder, self.every_n_steps = folder, every_n_steps
        self._saved = -1
        self._in_step = True

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._saved = trainer.global_step

    def on_train_batch_start(self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int) -> None:
        if trainer.global_step % self.every_n_steps == 0:
            self._save(trainer)
        self._in_step = True

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        self._in_step = trainer.fit_loop._should_accumulate()

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._save(trainer)

    def on_exception(self, trainer: Trainer, pl_module: LightningModule, exception: BaseException) -> None:
        if not self._in_step and not isinstance(exception, OSError):
            self._save(trainer)

    def _save(self, trainer: Trainer) -> None:
        if trainer.global_step == self._saved:
            return
        path = self.folder / f"last-step={trainer.global_step}.ckpt"
        trainer.save_checkpoint(path)
        self._saved = trainer.global_step
        if trainer.is_global_zero:
            for old in set(self.folder.glob("last-*.ckpt")) - {path}:
                old.unlink()


class WholeCheckpoints(TorchCheckpointIO):
    """Checkpoints that appear whole or not at all.

    Raises:
        UserError: the disk is full, or the folder cannot be written to.
    """

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any = None) -> None:
        content = io.BytesIO()
        torch.save(checkpoint, content)  # straight into a file it would hide the disk's error
        with written_whole(Path(path)) as temporary:
            temporary.write_bytes(content.getbuffer())

    def load_checkpoint(self, path: Any, map_location: Any = None) -> dict[str, Any]:
        return load(Path(path))


def best_checkpoint(folder: Path) -> ModelCheckpoint:
    """Keeps the state with the highest string accuracy on validation."""
    return ModelCheckpoint(
        folder, "best-{step}", monitor=METRIC, mode="max", save_on_train_epoch_end=False, enable_version_counter=False
    )


def newest_usable(folder: Path) -> Path | None:
    """The checkpoint with the most steps that loads whole; a broken one is named on stderr and passed over."""
    usable: list[tuple[int, Path]] = []
    for path in folder.glob("*.ckpt"):
        try:
            usable.append((load(path)["global_step"], path))
        except Exception as error:
            print(
                f"warning: broken checkpoint passed over – {on_one_line(path)} – {type(error).__name__}",
                file=sys.stderr,
            )
    return max(usable, default=(0, None))[1]


def load(path: Path) -> dict[str, Any]:
    """The checkpoint's content, on the CPU; one that holds more than weights and settings is refused."""
    return load_plain(path)
