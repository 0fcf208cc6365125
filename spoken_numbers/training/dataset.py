"""NeMo's dataset, with perturbations that the seed, the epoch and the utterance alone decide."""

import ctypes
import io
import math
import os
import signal
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from nemo.collections.asr.data.audio_to_text import AudioToCharDataset
from nemo.collections.asr.parts.preprocessing.perturb import AudioAugmentor
from nemo.collections.asr.parts.preprocessing.segment import AudioSegment
from omegaconf import DictConfig
from threadpoolctl import threadpool_limits
from torch.utils.data import get_worker_info

from spoken_numbers.audio import AudioError
from spoken_numbers.augmentation.chain import Chain, Tally
from spoken_numbers.augmentation.config import chain_of
from spoken_numbers.corpora.shards import ShardError
from spoken_numbers.errors import on_one_line
from spoken_numbers.row_check import ctc_frames_needed
from spoken_numbers.training.batching import Drawn, LengthBatchSampler
from spoken_numbers.training.manifests import manifest_paths, shards_of
from spoken_numbers.training.shard_batching import Rows, ShardBatchSampler
from spoken_numbers.training.shards import read_shard

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
KEPT = 1 << 28

WHOLE = 0.9
"""Of a row's seconds; a recording with fewer has lost some of what its label says."""


def settle_loader(worker: int) -> None:
    """Make a loader process fit for many short-lived waveforms, on one core.

    BLAS leaves the other cores to the model. glibc keeps what is freed, up to ``KEPT`` bytes, for the next waveform;
    given back to the system, each array of 200 kB costs 50 page faults when it is wanted again (mallopt(3)).
    """
    for number in (
        signal.SIGINT,
        signal.SIGTERM,
    ):  # the trainer's, though terminals and SLURM send them to all processes
        signal.signal(number, signal.SIG_IGN)
    threadpool_limits(1)
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # glibc's alone
    if mallopt is not None:
        mallopt(M_TRIM_THRESHOLD, KEPT)
        mallopt(M_MMAP_THRESHOLD, KEPT)


class SeededAugmentor(AudioAugmentor):
    """NeMo's augmentor around a chain; told before each utterance what to draw from and how short it may become."""

    def __init__(self, chain: Chain) -> None:
        super().__init__()
        self.chain = chain
        self._rng = np.random.default_rng()
        self._shortest, self._seconds = 1, 0.0

    def start(self, seed: tuple[int, ...], shortest: int, seconds: float) -> None:
        self._rng, self._shortest, self._seconds = np.random.default_rng(seed), shortest, seconds

    def perturb(self, segment: AudioSegment) -> None:
        if segment.duration < WHOLE * self._seconds:
            raise AudioError(f"holds {segment.duration:.2f} s of {self._seconds:.2f}")
        segment._samples = self.chain(segment._samples, self._rng, shortest=self._shortest, process=_process())


class AugmentedDataset(AudioToCharDataset):
    """Utterances of a manifest, perturbed.

    A recording that cannot be read, or holds less than its row says, is left out of its batch, named on stderr and
    counted in ``unreadable``; another takes the place of a batch of which nothing is left.

    An utterance is perturbed the same in the same epoch of the same seed, whichever process loads it, on however many
    ranks, and whether or not the training was interrupted. No perturbation leaves fewer frames than CTC needs for
    the label.

    Args:
        config: NeMo's loader section, with ``augmentor`` and ``seed``.
        frame_stride: seconds between the model's output frames.
    """

    def __init__(self, config: DictConfig, frame_stride: float) -> None:
        processes = config.num_workers + 1
        chain = chain_of(config.get("augmentor") or {}, processes, before=config.get("taught_before"))
        self.unreadable = Tally(["recordings"], processes)
        self.augmentor = SeededAugmentor(chain)
        super().__init__(
            manifest_filepath=list(map(str, manifest_paths(config))),  # NeMo splits a string at commas
            labels=list(config.labels),
            sample_rate=config.sample_rate,
            augmentor=self.augmentor,
            min_duration=config.get("min_duration"),
            max_duration=config.get("max_duration"),
            normalize=config.get("normalize_transcripts", False),
        )
        self._seed = int(config.get("seed") or 0)
        self._samples_per_frame = frame_stride * config.sample_rate

    def __getitem__(self, index: list[Drawn]) -> list[tuple[torch.Tensor, ...]]:
        batch = [sample for drawn in index if (sample := self._readable(drawn)) is not None]
        following = self._following(index[-1])
        while not batch:
            drawn = next(following, None)
            if drawn is None:
                raise RuntimeError("no recording can be read")
            batch = [sample] if (sample := self._readable(drawn)) is not None else []
        return batch

    def _readable(self, drawn: Drawn) -> tuple[torch.Tensor, ...] | None:
        try:
            sample = self._with_kept(self._process_sample(drawn))
        except Exception as error:  # NeMo's readers raise whatever their libraries do
            reason = str(error).splitlines()[0] if str(error) else type(error).__name__
            told = on_one_line(f"{self.manifest_processor.collection[drawn.row].audio_file}: {reason}")
            print(f"warning: left out – {told}", file=sys.stderr, flush=True)
            self.unreadable.keep_message(0, told)
            sample = None
        self.unreadable.add(_process(), 0, failed=int(sample is None))
        return sample

    def _following(self, last: Drawn) -> Iterator[Drawn]:
        """What may take the place of a batch that cannot be read."""
        return (Drawn(last.epoch, (last.row + n) % len(self)) for n in range(1, len(self)))

    @property
    def durations(self) -> list[float]:
        """Of each utterance, in seconds."""
        return [row.duration for row in self.manifest_processor.collection.data]

    def sampler(self, batch_size: int, *, rank: int = 0, world_size: int = 1) -> LengthBatchSampler:
        """The batches of one rank."""
        return LengthBatchSampler(self.durations, batch_size, seed=self._seed, rank=rank, world_size=world_size)

    def examples(self, count: int) -> list[Drawn]:
        """Up to ``count`` utterances, from the first to the last."""
        rows = np.linspace(0, len(self) - 1, min(count, len(self)), dtype=int)
        return [Drawn(0, row) for row in rows.tolist()]

    def _process_sample(self, drawn: Drawn) -> tuple[torch.Tensor, ...]:
        self._start(drawn)
        return super()._process_sample(drawn.row)

    def _with_kept(self, sample: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, ...]:
        """And the waveform as it was before the chain's step ``taught_before``, as long as it is after the last."""
        kept = self.augmentor.chain.kept
        if kept is None:
            return sample
        before, samples = torch.from_numpy(kept), len(sample[0])
        return *sample, torch.nn.functional.pad(before, (0, samples - len(before)))  # a codec may have cut or added

    def collate(self, batch: list[tuple[torch.Tensor, ...]]) -> tuple[torch.Tensor, ...]:
        """NeMo's four tensors of a batch; with ``taught_before`` also the waveforms (batch, samples) before it."""
        collated: tuple[torch.Tensor, ...] = self.collate_fn([sample[:4] for sample in batch])
        before = [one for sample in batch for one in sample[4:]]
        return (*collated, torch.nn.utils.rnn.pad_sequence(before, batch_first=True)) if before else collated

    def _start(self, drawn: Drawn) -> None:
        row = self.manifest_processor.collection[drawn.row]
        tokens: Any = row.text_tokens
        shortest = math.ceil(ctc_frames_needed(tokens) * self._samples_per_frame)
        self.augmentor.start((self._seed, drawn.epoch, drawn.row), shortest, row.duration)


class ShardedDataset(AugmentedDataset):
    """The same of shards: its sampler reads them and hands each utterance's audio on to be decoded and perturbed."""

    def __init__(self, config: DictConfig, frame_stride: float) -> None:
        super().__init__(config, frame_stride)
        shards = shards_of(config)
        self._tars = shards.tars
        self._shard_of = shards.of_row[[row.id for row in self.manifest_processor.collection.data]]

    def sampler(self, batch_size: int, *, rank: int = 0, world_size: int = 1) -> ShardBatchSampler:
        ranks = {"rank": rank, "world_size": world_size}
        return ShardBatchSampler(self.durations, batch_size, self._shard_of, self._read, seed=self._seed, **ranks)

    def examples(self, count: int) -> list[Drawn]:
        """Up to ``count`` utterances, of the shard that the first is in."""
        rows = np.flatnonzero(self._shard_of == self._shard_of[0])[:count]
        return [Drawn(0, row, content) for row, content in self._read(int(self._shard_of[0]), rows).items()]

    def _read(self, shard: int, rows: Rows) -> dict[int, bytes]:
        """
        Raises:
            ShardError: the shard cannot be read, or lacks a recording.
        """
        collection = self.manifest_processor.collection
        row_of = {os.path.basename(collection[row].audio_file): row for row in rows.tolist()}
        read = {row_of[name]: content for name, content in read_shard(self._tars[shard], row_of.__contains__)}
        if missing := [name for name, row in row_of.items() if row not in read]:
            what = f"shard lacks {len(missing)} recordings of its manifest, such as {missing[0]}"
            raise ShardError(what, where=self._tars[shard], todo="make or fetch it again")
        return read

    def _following(self, last: Drawn) -> Iterator[Drawn]:
        return iter(())  # only what the sampler has read

    def _process_sample(self, drawn: Drawn) -> tuple[torch.Tensor, ...]:
        assert drawn.audio is not None
        self._start(drawn)
        row = self.manifest_processor.collection[drawn.row]
        signal = self.featurizer.process(io.BytesIO(drawn.audio), duration=row.duration, orig_sr=row.orig_sr)
        label, symbols = self.manifest_processor.process_text_by_sample(row)
        return signal, torch.tensor(len(signal)), torch.tensor(label).long(), torch.tensor(symbols)


def _process() -> int:
    """0 for the trainer's own, above for loaders."""
    worker = get_worker_info()
    return 0 if worker is None else worker.id + 1
