"""How loud speech is, and perturbations of level."""

import functools

import numpy as np

from spoken_numbers.audio import SAMPLE_RATE, FloatArray
from spoken_numbers.augmentation.perturbation import bounds, gain_of

FRAME = SAMPLE_RATE // 200
"""Samples, 5 ms, over which speech activity is judged: short, for few frames to lie half in a pause."""

MARGIN = 10 ** (-15.9 / 10)
"""Speech is what lies within 15.9 dB of its own level (ITU-T P.56, Active speech level)."""


def speech_power(waveform: FloatArray) -> float:
    """Mean square over the frames in which somebody speaks.

    The largest set of loudest frames whose softest still lies within 15.9 dB of the set's mean, as the active speech
    level of ITU-T P.56 is defined, on short frames in place of its envelope.
    """
    usable = len(waveform) // FRAME * FRAME
    if usable == 0:
        return float(np.dot(waveform, waveform)) / max(1, len(waveform))
    frames = waveform[:usable].reshape(-1, FRAME)
    power = np.sort(np.einsum("ij,ij->i", frames, frames))[::-1]
    mean = np.cumsum(power, dtype=np.float64) / np.arange(1, len(power) + 1)
    active = int(np.flatnonzero(power >= MARGIN * mean)[-1])
    return float(mean[active]) / FRAME


class Gain:
    """Louder or softer by a drawn gain in dB (NeMo's keys)."""

    def __init__(self, min_gain_dbfs: float = -10, max_gain_dbfs: float = 10) -> None:
        self._gain = bounds(min_gain_dbfs, max_gain_dbfs, "gain in dB", least=-120, most=120)

    def __call__(self, waveform: FloatArray, rng: np.random.Generator) -> FloatArray:
        waveform *= gain_of(rng.uniform(*self._gain))
        return waveform


class WhiteNoise:
    """Gaussian noise at a drawn level in dB re full scale (NeMo's keys).

    Cut at a random place out of a minute drawn once per process: drawing it anew would cost forty times as much.
    """

    def __init__(self, min_level: float = -90, max_level: float = -46) -> None:
        self._level = bounds(min_level, max_level, "level in dB", least=-150, most=20)

    def __call__(self, waveform: FloatArray, rng: np.random.Generator) -> FloatArray:
        level = gain_of(rng.uniform(*self._level))
        if rng.integers(2):
            level = -level
        pool = _white(1 << max(20, (2 * len(waveform)).bit_length()))
        start = rng.integers(len(pool) - len(waveform) + 1)
        waveform += pool[start : start + len(waveform)] * level
        return waveform


@functools.lru_cache(maxsize=2)
def _white(samples: int) -> FloatArray:
    return np.random.default_rng(0).standard_normal(samples, dtype=np.float32)
