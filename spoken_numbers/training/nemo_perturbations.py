"""The perturbations under their names in NeMo's own registry, for whoever trains with NeMo's own scripts.

``import spoken_numbers.training.nemo_perturbations`` once, and every ``augmentor`` section that NeMo builds uses them.
"""

import os
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from nemo.collections.asr.parts.preprocessing import perturb
from nemo.collections.asr.parts.preprocessing.segment import AudioSegment

from spoken_numbers.audio import SAMPLE_RATE
from spoken_numbers.augmentation.config import PERTURBATIONS
from spoken_numbers.augmentation.perturbation import Perturbation


class Registered(perturb.Perturbation):
    """NeMo's face of a perturbation; takes the keys of the class it stands for.

    NeMo's loader hands no seed on, so each process draws from torch's seed of that process, which PyTorch's loader
    sets anew for each worker. The project's own loader seeds every utterance (``training.dataset``).
    """

    kind: Callable[..., Perturbation]

    def __init__(self, **settings: Any) -> None:
        self._perturbation = type(self).kind(**settings)
        self._drawing: tuple[int, np.random.Generator] | None = None

    def perturb(self, data: AudioSegment) -> None:
        if data.sample_rate != SAMPLE_RATE:
            raise ValueError(f"utterance has {data.sample_rate} Hz; perturbations are made for {SAMPLE_RATE} Hz")
        data._samples = self._perturbation(np.asarray(data._samples, np.float32), self._rng())

    def _rng(self) -> np.random.Generator:
        if self._drawing is None or self._drawing[0] != os.getpid():
            self._drawing = os.getpid(), np.random.default_rng(torch.initial_seed() % 2**64)
        return self._drawing[1]


def register() -> None:
    """Put ours in the place of NeMo's of the same names, and beside them those that NeMo does not have."""
    for name, kind in PERTURBATIONS.items():
        perturb.perturbation_types[name] = type(
            f"Registered{name.title()}", (Registered,), {"kind": staticmethod(kind)}
        )


register()
