"""Perturbations and recordings that fail in mid-training are seen, and end the training when they are no accident."""

import sys

from lightning.pytorch import Callback, LightningModule, Trainer
from torch.utils.data import DataLoader

from spoken_numbers.audio import AudioError
from spoken_numbers.augmentation.chain import Outcome, Tally
from spoken_numbers.augmentation.perturbation import AugmentationError
from spoken_numbers.training.dataset import AugmentedDataset

MOST_FAILED = 0.01
"""The share of a perturbation's runs above which the training stops."""

FEWEST_FAILED = 3
"""Failures below which no share is believed."""


class LoaderWatch(Callback):
    """Logs ``augmentation/NAME/ran``, ``…/failed`` and ``…/too_short``: counts since the training's start here.

    And ``recordings/read`` and ``recordings/left_out``, for those that cannot be read.

    Args:
        most_unreadable: the share of recordings that may be left out.

    Raises:
        AugmentationError: a perturbation fails more often than ``MOST_FAILED``.
        AudioError: more recordings than that cannot be read.
    """

    def __init__(self, most_unreadable: float) -> None:
        self.most_unreadable = most_unreadable
        self._tally: Tally | None = None
        self._unreadable: Tally | None = None
        self._told: set[str] = set()

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        loader = trainer.train_dataloader
        if isinstance(loader, DataLoader) and isinstance(loader.dataset, AugmentedDataset):
            self._tally = loader.dataset.augmentor.chain.tally
            self._unreadable = loader.dataset.unreadable

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: object, batch: object, batch_idx: int
    ) -> None:
        if trainer.global_step % trainer.log_every_n_steps == 0:  # type: ignore[attr-defined]
            self._look(trainer)

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._look(trainer)

    def _look(self, trainer: Trainer) -> None:
        if self._tally is None or self._unreadable is None:
            return
        outcomes = self._tally.outcomes()
        counts = {
            f"augmentation/{outcome.name}/{kind}": float(getattr(outcome, kind))
            for outcome in outcomes
            for kind in ("ran", "failed", "too_short")
        }
        (recordings,) = self._unreadable.outcomes()
        counts |= {"recordings/read": float(recordings.ran), "recordings/left_out": float(recordings.failed)}
        if trainer.logger is not None:
            trainer.logger.log_metrics(counts, trainer.global_step)
        for outcome in outcomes:
            self._judge(outcome)
        if recordings.failed >= FEWEST_FAILED and recordings.failed > self.most_unreadable * recordings.ran:
            raise AudioError(
                f"{recordings.failed} of {recordings.ran} recordings left out, the last: {recordings.message}",
                where="model.train_ds.max_unreadable",
                todo="mend them, or raise that share, and type the same command to go on",
            )

    def _judge(self, outcome: Outcome) -> None:
        if outcome.failed and outcome.name not in self._told:
            self._told.add(outcome.name)
            print(f"warning: augment.{outcome.name} failed: {outcome.message}", file=sys.stderr, flush=True)
        if outcome.failed >= FEWEST_FAILED and outcome.failed > MOST_FAILED * outcome.ran:
            raise AugmentationError(
                f"perturbation failed in {outcome.failed} of {outcome.ran} utterances: {outcome.message}",
                where=f"augment.{outcome.name}",
                todo=f"correct it or leave it out with ~augment.{outcome.name}, and type the same command to go on",
            )
