"""Batches of utterances that stand in shards, each of which is read through once an epoch."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby, zip_longest

import numpy as np
import numpy.typing as npt

from spoken_numbers.training.batching import BATCHES_PER_POOL, Drawn, LengthBatchSampler

Rows = npt.NDArray[np.int64]


class ShardBatchSampler(LengthBatchSampler):
    """``LengthBatchSampler`` for streams: it reads the shards in this process and hands on each utterance's audio.

    (seed, epoch) draw the order of the shards. The utterances in that order, whichever shards they are in, make pools
    of 50 batches; a pool is shuffled, sorted by duration, cut into batches, and these are shuffled. So the batches
    depend neither on the number of loader processes nor of ranks, and a corpus of one pool has those that it has as
    files. At most two pools and two shards are held, compressed: one to train from, one that is read ahead.

    A rank takes a run of the epoch's batches and reads the shards that these are in; a resumed epoch reads only what
    is left of it.

    Args:
        shard_of: the shard of each utterance.
        read: the content of the files of given utterances, all of one shard.
    """

    def __init__(
        self,
        durations: Sequence[float],
        batch_size: int,
        shard_of: Rows,
        read: Callable[[int, Rows], dict[int, bytes]],
        *,
        seed: int = 0,
        rank: int = 0,
        world_size: int = 1,
    ) -> None:
        super().__init__(durations, batch_size, seed=seed, rank=rank, world_size=world_size)
        self._read = read
        by_shard = np.argsort(shard_of, kind="stable")
        self._shards, starts = np.unique(shard_of[by_shard], return_index=True)
        self._rows = np.split(by_shard, starts[1:])

    def __iter__(self) -> Iterator[list[Drawn]]:
        parts = self._parts()
        mine = np.zeros(len(self.durations), bool)
        for part in parts:
            mine[np.concatenate(part)] = True
        held: dict[int, bytes] = {}
        with ThreadPoolExecutor(1) as reader:
            reads = self._reads(parts)
            ahead = [reader.submit(self._read_all, read, mine) for read in reads[:1]]
            for part, following in zip_longest(parts, reads[1:]):
                held |= ahead.pop().result()
                if following is not None:
                    ahead.append(reader.submit(self._read_all, following, mine))
                for batch in part:
                    yield [Drawn(self.epoch, row, held.pop(row)) for row in batch]

    def _parts(self) -> list[list[list[int]]]:
        """The batches that are left of this rank's share, those of one pool together."""
        batches = self._epoch_batches()
        share = [index % len(batches) for index in range(self.rank * len(self), (self.rank + 1) * len(self))]
        skip, self.skip = self.skip, 0
        pools = groupby(share[skip:], key=lambda index: index // BATCHES_PER_POOL)
        return [[batches[index] for index in pool] for _, pool in pools]

    def _reads(self, parts: list[list[list[int]]]) -> list[list[int]]:
        """For each part the shards that must be read before it, in the epoch's order; none is read twice."""
        place = np.empty(len(self.durations), np.int64)
        order = self._shard_order()
        for position, shard in enumerate(order):
            place[self._rows[shard]] = position
        done: set[int] = set()
        reads = []
        for part in parts:
            there = set(place[np.concatenate(part)].tolist())
            reads.append([order[position] for position in sorted(there - done)])
            done |= there
        return reads

    def _read_all(self, shards: list[int], mine: npt.NDArray[np.bool_]) -> dict[int, bytes]:
        read: dict[int, bytes] = {}
        for shard in shards:
            rows = self._rows[shard]
            read |= self._read(int(self._shards[shard]), rows[mine[rows]])
        return read

    def _shard_order(self) -> list[int]:
        return np.random.default_rng([self.seed, self.epoch, 1]).permutation(len(self._rows)).tolist()

    def _epoch_batches(self) -> list[list[int]]:
        rng = np.random.default_rng([self.seed, self.epoch])
        stream = np.concatenate([self._rows[shard] for shard in self._shard_order()])
        epoch = []
        for start in range(0, len(stream), self.pool):
            pool = rng.permutation(np.sort(stream[start : start + self.pool]))
            pool = pool[np.argsort(self.durations[pool], kind="stable")]
            batches = [pool[first : first + self.batch_size] for first in range(0, len(pool), self.batch_size)]
            epoch += [batches[index].tolist() for index in rng.permutation(len(batches))]
        return epoch
