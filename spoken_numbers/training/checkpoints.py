"""The last and the best checkpoint, and which of them training can go on from."""

import sys
from pathlib import Path
from typing import Any

import torch
from lightning.pytorch.callbacks import ModelCheckpoint

METRIC = "string_accuracy"


def checkpoint_callbacks(folder: Path, every_n_steps: int) -> list[ModelCheckpoint]:
    """One keeps the newest state, the other the best on validation. A new file is whole before the old one goes."""
    last = ModelCheckpoint(
        folder, "last-{step}", save_top_k=1, every_n_train_steps=every_n_steps, enable_version_counter=False
    )
    best = ModelCheckpoint(
        folder,
        "best-{step}",
        monitor=METRIC,
        mode="max",
        save_top_k=1,
        save_on_train_epoch_end=False,
        enable_version_counter=False,
    )
    return [last, best]


def newest_usable(folder: Path) -> Path | None:
    """The checkpoint with the most steps that loads whole; a broken one is named on stderr and passed over."""
    usable: list[tuple[int, Path]] = []
    for path in folder.glob("*.ckpt"):
        try:
            usable.append((load(path)["global_step"], path))
        except Exception as error:
            print(f"warning: broken checkpoint passed over – {path} – {type(error).__name__}", file=sys.stderr)
    return max(usable, default=(0, None))[1]


def load(path: Path) -> dict[str, Any]:
    """The checkpoint's content, on the CPU. It is a pickle: load only what you trust."""
    return torch.load(path, map_location="cpu", weights_only=False)
