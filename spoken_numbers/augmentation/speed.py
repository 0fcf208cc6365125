"""Speed perturbation by soxr."""

import random

import soxr
from nemo.collections.asr.parts.preprocessing.perturb import Perturbation, perturbation_types
from nemo.collections.asr.parts.preprocessing.segment import AudioSegment


class SpeedPerturbation(Perturbation):
    """Plays the utterance faster or slower, pitch and all (Ko et al. 2015).

    It takes NeMo's keys and NeMo's name. NeMo's own needs resampy for its ``kaiser`` resamplers, which nothing
    installs, and without it returns the audio unchanged.

    Args:
        sr: sample rate of the utterances, Hz.
        resample_type: NeMo's key; soxr's quality is chosen by it: ``kaiser_best`` HQ, the others MQ.
        min_speed_rate, max_speed_rate: bounds of the factor by which speech gets faster.
        num_rates: number of evenly spaced factors, or -1 for any between the bounds.
    """

    def __init__(
        self,
        sr: int,
        resample_type: str = "kaiser_fast",
        min_speed_rate: float = 0.9,
        max_speed_rate: float = 1.1,
        num_rates: int = -1,
    ) -> None:
        if not 0 < min_speed_rate <= max_speed_rate:
            raise ValueError("speed: 0 < min_speed_rate <= max_speed_rate must hold")
        self._rate = sr
        self._quality = "HQ" if resample_type == "kaiser_best" else "MQ"
        self._bounds = min_speed_rate, max_speed_rate
        self._steps = num_rates

    def max_augmentation_length(self, length: int) -> float:
        return length / self._bounds[0]

    def perturb(self, data: AudioSegment) -> None:
        factor = self._draw()
        data._samples = soxr.resample(data._samples, self._rate * factor, self._rate, quality=self._quality)

    def _draw(self) -> float:
        low, high = self._bounds
        if self._steps <= 0:
            return random.uniform(low, high)
        return low + (high - low) * random.randrange(self._steps) / max(1, self._steps - 1)


def register() -> None:
    """Put ours in the place of NeMo's for every config that names ``speed``."""
    perturbation_types["speed"] = SpeedPerturbation
