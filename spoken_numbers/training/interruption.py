"""Ctrl-C and SIGTERM end a training between two steps, with a checkpoint."""

import signal
from types import FrameType
from typing import Any

from lightning.pytorch import Callback, LightningModule, Trainer

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interruption(Callback):
    """The first signal ends the training where its state is whole; the second one at once.

    Raises:
        KeyboardInterrupt: with the signal's number, once a signal came to any rank.
    """

    def __init__(self) -> None:
        self._received: signal.Signals | None = None
        self._before: dict[signal.Signals, Any] = {}

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:  # after Lightning set its own
        self._before = {number: signal.signal(number, self._receive) for number in SIGNALS}

    def teardown(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before = {}

    def on_train_batch_start(self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int) -> None:
        if batch_idx % trainer.accumulate_grad_batches == 0:
            self._end(trainer)

    def on_validation_batch_end(self, trainer: Trainer, *args: Any, **kwargs: Any) -> None:
        if trainer.world_size == 1:  # ranks have unlike numbers of batches here
            self._end(trainer)

    def _receive(self, number: int, frame: FrameType | None) -> None:
        if self._received is not None:
            raise KeyboardInterrupt(number)
        self._received = signal.Signals(number)

    def _end(self, trainer: Trainer) -> None:
        if trainer.strategy.reduce_boolean_decision(self._received is not None, all=False):
            raise KeyboardInterrupt(self._received or signal.SIGTERM)
