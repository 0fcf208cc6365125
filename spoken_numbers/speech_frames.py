"""Which frames of a recording are speech, by their level alone."""

import numpy as np
import numpy.typing as npt

from spoken_numbers.audio import SAMPLE_RATE, FloatArray

FRAME = SAMPLE_RATE // 100
"""Samples, 10 ms."""


def speech_frames(waveform: FloatArray) -> npt.NDArray[np.intp]:
    """Indices of the frames of ``FRAME`` samples that are speech; a recording shorter than one is one.

    Speech is what rises 6 dB above the quietest frames, but anything within 25 dB of the loudest frame counts as
    speech (a take cut tight has no silence to measure) and nothing 40 dB below it does.
    """
    level = 10 * np.log10(_power(waveform) + 1e-12)
    loudest, floor = level.max(), np.percentile(level, 5)
    threshold = min(max(loudest - 40, floor + 6), loudest - 25)
    return np.flatnonzero(level >= threshold)


def _power(waveform: FloatArray) -> npt.NDArray[np.float64]:
    if len(waveform) < FRAME:
        return np.array([np.square(waveform, dtype=np.float64).mean()])
    return np.square(waveform[: len(waveform) // FRAME * FRAME].reshape(-1, FRAME), dtype=np.float64).mean(axis=1)
