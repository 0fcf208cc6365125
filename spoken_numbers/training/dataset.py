"""NeMo's dataset, with perturbations that the seed, the epoch and the utterance alone decide."""

import ctypes
import math
import signal
import sys
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
from spoken_numbers.row_check import ctc_frames_needed
from spoken_numbers.training.batching import Drawn

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
KEPT = 1 << 28

WHOLE = 0.9
"""Of a row's seconds; a recording with fewer has lost some of what its label says."""


def settle_loader(worker: int) -> None:
    """Make a loader process fit for many short-lived waveforms, on one core.

    BLAS leaves the other cores to the model. glibc keeps what is freed, up to ``KEPT`` bytes, for the next waveform;
    given back to the system, each array of 200 kB costs 50 page faults when it is wanted again (mallopt(3)).
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the trainer's
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
        chain = chain_of(config.get("augmentor") or {}, processes)
        self.unreadable = Tally(["recordings"], processes)
        self.augmentor = SeededAugmentor(chain)
        super().__init__(
            manifest_filepath=config.manifest_filepath,
            labels=list(config.labels),
            sample_rate=config.sample_rate,
            augmentor=self.augmentor,
            min_duration=config.get("min_duration"),
            max_duration=config.get("max_duration"),
            normalize=config.get("normalize_transcripts", False),
        )
        self._seed = int(config.get("seed") or 0)
        self._samples_per_frame = frame_stride * config.sample_rate

    def __getitem__(self, index: int | list[Drawn]) -> Any:
        if isinstance(index, int):
            return self._process_sample(Drawn(0, index))
        batch = [sample for drawn in index if (sample := self._readable(drawn)) is not None]
        following = (Drawn(index[-1].epoch, (index[-1].row + n) % len(self)) for n in range(1, len(self)))
        while not batch:
            drawn = next(following, None)
            if drawn is None:
                raise RuntimeError("no recording can be read")
            batch = [sample] if (sample := self._readable(drawn)) is not None else []
        return batch

    def _readable(self, drawn: Drawn) -> tuple[torch.Tensor, ...] | None:
        try:
            sample = self._process_sample(drawn)
        except Exception as error:  # NeMo's readers raise whatever their libraries do
            reason = str(error).splitlines()[0] if str(error) else type(error).__name__
            told = f"{self.manifest_processor.collection[drawn.row].audio_file}: {reason}"
            print(f"warning: left out – {told}", file=sys.stderr, flush=True)
            self.unreadable.keep_message(0, told)
            sample = None
        self.unreadable.add(_process(), 0, failed=int(sample is None))
        return sample

    def _process_sample(self, drawn: Drawn) -> tuple[torch.Tensor, ...]:
        row = self.manifest_processor.collection[drawn.row]
        tokens: Any = row.text_tokens
        shortest = math.ceil(ctc_frames_needed(tokens) * self._samples_per_frame)
        self.augmentor.start((self._seed, drawn.epoch, drawn.row), shortest, row.duration)
        return super()._process_sample(drawn.row)


def _process() -> int:
    """0 for the trainer's own, above for loaders."""
    worker = get_worker_info()
    return 0 if worker is None else worker.id + 1
