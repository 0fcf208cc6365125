"""Batches of utterances of like length, the same for the same seed, and able to go on in mid-epoch."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch.utils.data import Sampler

BATCHES_PER_POOL = 50


class Drawn(NamedTuple):
    """An utterance of an epoch: with the seed, all that its perturbations are drawn from.

    ``audio`` is the content of its file where that was read ahead, out of a shard.
    """

    epoch: int
    row: int
    audio: bytes | None = None


def micro_batches(batch: Sequence[torch.Tensor], count: int) -> list[list[torch.Tensor]]:
    """Split a batch into ``count`` of utterances of like length, each without padding that none of its own needs.

    Perturbations that lengthen utterances leave a batch that was sorted by duration half padding.

    Args:
        batch: signals (batch, samples), their lengths, labels (batch, characters), their lengths; and any others of
            the signals' shape.
    """
    signals, samples, labels, characters, *others = batch
    parts = samples.argsort().tensor_split(min(count, len(samples)))
    cut = []
    for rows in parts:
        longest = samples[rows].max()
        of_labels = labels[rows, : characters[rows].max()], characters[rows]
        cut.append([signals[rows, :longest], samples[rows], *of_labels, *(other[rows, :longest] for other in others)])
    return cut


class LengthBatchSampler(Sampler[list[Drawn]]):
    """Utterances of one rank's batches: shuffled, sorted by duration within pools, shuffled as batches.

    NeMo's ``SemiSortBatchSampler`` draws from NumPy's global generator and starts every resumed epoch anew;
    this one draws from (seed, epoch) and leaves out the batches that were trained before the checkpoint.
    The order does not depend on the number of ranks; each takes every n-th batch, and the last incomplete
    round is filled from the epoch's beginning, so that no rank waits for another.
    """

    def __init__(
        self, durations: Sequence[float], batch_size: int, *, seed: int = 0, rank: int = 0, world_size: int = 1
    ) -> None:
        self.durations = np.asarray(durations, dtype=np.float64)
        self.batch_size = self.micro_batch_size = batch_size  # NeMo looks for the latter name
        self.seed, self.rank, self.world_size = seed, rank, world_size
        self.pool = batch_size * BATCHES_PER_POOL
        self.epoch = 0
        self.skip = 0

    def set_epoch(self, epoch: int) -> None:
        """Called by Lightning at the start of each epoch."""
        if epoch != self.epoch:
            self.epoch, self.skip = epoch, 0

    def resume(self, epoch: int, batches_done: int) -> None:
        """Start ``epoch`` after its first ``batches_done`` batches of this rank."""
        self.epoch, self.skip = epoch, batches_done

    def __len__(self) -> int:
        batches = -(-len(self.durations) // self.batch_size)
        return -(-batches // self.world_size)

    def __iter__(self) -> Iterator[list[Drawn]]:
        batches = self._epoch_batches()
        padded = [batches[i % len(batches)] for i in range(len(self) * self.world_size)]
        skip, self.skip = self.skip, 0
        for batch in padded[self.rank :: self.world_size][skip:]:
            yield [Drawn(self.epoch, index) for index in batch]

    def _epoch_batches(self) -> list[list[int]]:
        rng = np.random.default_rng([self.seed, self.epoch])
        order = rng.permutation(len(self.durations))
        pools = [order[start : start + self.pool] for start in range(0, len(order), self.pool)]
        ordered = np.concatenate([pool[np.argsort(self.durations[pool], kind="stable")] for pool in pools])
        batches = [ordered[start : start + self.batch_size] for start in range(0, len(ordered), self.batch_size)]
        return [batches[i].tolist() for i in rng.permutation(len(batches))]
