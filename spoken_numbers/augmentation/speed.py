"""Speed perturbation by soxr."""

import numpy as np
import soxr

from spoken_numbers.audio import SAMPLE_RATE, FloatArray
from spoken_numbers.augmentation.perturbation import bounds

QUALITY = {"kaiser_best": "HQ", "kaiser_fast": "MQ", "fft": "HQ", "scipy": "HQ"}
"""NeMo's names of resamplers → soxr's qualities."""


class Speed:
    """Plays the utterance faster or slower, pitch and all (Ko et al. 2015), by a factor between the bounds.

    It takes NeMo's keys. NeMo's own needs resampy for its ``kaiser`` resamplers, which nothing installs, and without
    it returns the audio unchanged.

    Args:
        sr: sample rate of the utterances, Hz.
        num_rates: number of evenly spaced factors, or -1 for any between the bounds.
    """

    def __init__(
        self,
        sr: int = SAMPLE_RATE,
        resample_type: str = "kaiser_fast",
        min_speed_rate: float = 0.9,
        max_speed_rate: float = 1.1,
        num_rates: int = -1,
    ) -> None:
        if sr != SAMPLE_RATE:
            raise ValueError(f"sr is {sr}, and utterances have {SAMPLE_RATE} Hz")
        if resample_type not in QUALITY:
            raise ValueError(f"resample_type is {resample_type!r}: choose among {', '.join(QUALITY)}")
        self._bounds = bounds(min_speed_rate, max_speed_rate, "speed", least=0.25, most=4)
        self._quality = QUALITY[resample_type]
        self._rates = np.linspace(*self._bounds, num_rates) if num_rates > 0 else None

    def __call__(self, waveform: FloatArray, rng: np.random.Generator) -> FloatArray:
        factor = rng.uniform(*self._bounds) if self._rates is None else rng.choice(self._rates)
        return soxr.resample(waveform, SAMPLE_RATE * factor, SAMPLE_RATE, quality=self._quality)
