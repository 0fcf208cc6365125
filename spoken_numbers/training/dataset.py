"""NeMo's dataset, with perturbations that the seed, the epoch and the utterance alone decide."""

import ctypes
import math
from typing import Any

import numpy as np
import torch
from nemo.collections.asr.data.audio_to_text import AudioToCharDataset
from nemo.collections.asr.parts.preprocessing.perturb import AudioAugmentor
from nemo.collections.asr.parts.preprocessing.segment import AudioSegment
from omegaconf import DictConfig
from threadpoolctl import threadpool_limits
from torch.utils.data import get_worker_info

from spoken_numbers.augmentation.chain import Chain
from spoken_numbers.augmentation.config import chain_of
from spoken_numbers.row_check import ctc_frames_needed
from spoken_numbers.training.batching import Drawn

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
KEPT = 1 << 28


def settle_loader(worker: int) -> None:
    """Make a loader process fit for many short-lived waveforms, on one core.

    BLAS leaves the other cores to the model. glibc keeps what is freed, up to ``KEPT`` bytes, for the next waveform;
    given back to the system, each array of 200 kB costs 50 page faults when it is wanted again (mallopt(3)).
    """
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
        self._shortest = 1

    def start(self, seed: tuple[int, ...], shortest: int) -> None:
        self._rng, self._shortest = np.random.default_rng(seed), shortest

    def perturb(self, segment: AudioSegment) -> None:
        worker = get_worker_info()
        segment._samples = self.chain(
            segment._samples, self._rng, shortest=self._shortest, process=0 if worker is None else worker.id + 1
        )


class AugmentedDataset(AudioToCharDataset):
    """Utterances of a manifest, perturbed.

    An utterance is perturbed the same in the same epoch of the same seed, whichever process loads it, on however many
    ranks, and whether or not the training was interrupted. No perturbation leaves fewer frames than CTC needs for
    the label.

    Args:
        config: NeMo's loader section, with ``augmentor`` and ``seed``.
        frame_stride: seconds between the model's output frames.
    """

    def __init__(self, config: DictConfig, frame_stride: float) -> None:
        chain = chain_of(config.get("augmentor") or {}, processes=config.num_workers + 1)
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

    def _process_sample(self, index: int | Drawn) -> tuple[torch.Tensor, ...]:
        drawn = index if isinstance(index, Drawn) else Drawn(0, index)
        label: Any = self.manifest_processor.collection[drawn.row].text_tokens
        shortest = math.ceil(ctc_frames_needed(label) * self._samples_per_frame)
        self.augmentor.start((self._seed, drawn.epoch, drawn.row), shortest)
        return super()._process_sample(drawn.row)
