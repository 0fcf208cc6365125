"""Where sound first arrives in an impulse response."""

import numpy as np

from spoken_numbers.audio import SAMPLE_RATE, FloatArray

FIRST_ARRIVAL_DB = -10.0
"""The direct path is the first to come this near the largest sample, not the largest: a wall or a focusing vault can
send more than comes straight, while what a sweep's harmonics leave before it is far weaker."""

WITHIN = SAMPLE_RATE // 1000
"""Samples, 1 ms, after the first arrival among which its peak is."""


def direct_path(response: FloatArray) -> int:
    """Index of the largest sample within 1 ms of the first that comes within 10 dB of the largest of all."""
    magnitude = np.abs(response)
    first = int(np.argmax(magnitude >= magnitude.max() * 10 ** (FIRST_ARRIVAL_DB / 20)))
    return first + int(np.argmax(magnitude[first : first + WITHIN]))
