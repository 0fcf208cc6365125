"""What every perturbation is."""

from typing import Protocol

import numpy as np

from spoken_numbers.audio import FloatArray
from spoken_numbers.errors import UserError


class AugmentationError(UserError):
    """A perturbation that cannot run, does nothing or fails too often."""


class Perturbation(Protocol):
    """A change to an utterance that leaves its label true.

    Its constructor takes the keys of the config and raises ValueError for values that make no sense.
    """

    def __call__(self, waveform: FloatArray, rng: np.random.Generator) -> FloatArray:
        """(samples,) at ``audio.SAMPLE_RATE`` → (samples,), of the same length unless the perturbation is of time.

        Draws from ``rng`` alone, and writes into ``waveform`` only when nothing can fail any more.
        """
        ...


def bounds(low: float, high: float, what: str, *, least: float = -np.inf, most: float = np.inf) -> tuple[float, float]:
    """The two ends of a range to draw from.

    Raises:
        ValueError: they are not least <= low <= high <= most.
    """
    if not least <= low <= high <= most:
        limits = "" if least == -np.inf and most == np.inf else f", both from {least:g} to {most:g}"
        raise ValueError(f"{what} from {low:g} to {high:g}: give the smaller one first{limits}")
    return float(low), float(high)


def gain_of(db: float) -> np.float32:
    """The factor of an amplitude, in float32 so that it does not widen a waveform."""
    return np.float32(10 ** (db / 20))
