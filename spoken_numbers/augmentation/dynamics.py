"""What telephones and browsers do to soft sounds."""

import numpy as np
import scipy.ndimage

from spoken_numbers.audio import FloatArray
from spoken_numbers.augmentation.level import FRAME, speech_power
from spoken_numbers.augmentation.perturbation import bounds

SMOOTHED = 5
"""Frames, 25 ms, over which the level is followed: shorter than any sound of speech but stops."""


class Dynamics:
    """Soft sounds, as of an "f", made softer, as noise suppression makes them, or louder, as gain control does.

    What lies below a threshold, in dB re the speech's own level, is moved away from it or towards it.

    Args:
        min_ratio, max_ratio: dB after for each dB before; above 1 expands (a gate, at last), below 1 compresses.
        min_threshold_db, max_threshold_db: re the level of the speech in the utterance.
        max_change_db: no sound is made softer or louder by more.
    """

    def __init__(
        self,
        min_ratio: float = 0.5,
        max_ratio: float = 3,
        min_threshold_db: float = -20,
        max_threshold_db: float = -3,
        max_change_db: float = 25,
    ) -> None:
        self._ratio = bounds(min_ratio, max_ratio, "ratio", least=0.1, most=20)
        self._threshold = bounds(min_threshold_db, max_threshold_db, "threshold in dB", least=-60, most=20)
        bounds(0, max_change_db, "change in dB", least=0, most=60)
        self._change = max_change_db

    def __call__(self, waveform: FloatArray, rng: np.random.Generator) -> FloatArray:
        ratio = float(np.exp(rng.uniform(*np.log(self._ratio))))
        return expand(waveform, ratio, rng.uniform(*self._threshold), self._change)


def expand(waveform: FloatArray, ratio: float, threshold_db: float, most_db: float) -> FloatArray:
    """Multiply the level below ``threshold_db``, re that of the speech, by ``ratio`` in dB; (samples,) → (samples,)."""
    speech = speech_power(waveform)
    if speech <= 0 or len(waveform) < FRAME:
        return waveform
    frames = waveform[: len(waveform) // FRAME * FRAME].reshape(-1, FRAME)
    power = np.einsum("ij,ij->i", frames, frames, dtype=np.float64) / FRAME
    level = 10 * np.log10(scipy.ndimage.uniform_filter1d(power, SMOOTHED, mode="nearest") / speech + 1e-12)
    change = np.clip((ratio - 1) * np.minimum(level - threshold_db, 0), -most_db, most_db)
    middles = (np.arange(len(frames)) + 0.5) * FRAME
    waveform *= np.interp(np.arange(len(waveform)), middles, 10 ** (change / 20)).astype(np.float32)
    return waveform
