"""What every decoder makes of an utterance's log-probabilities."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from spoken_numbers.labels import digit_string

FloatArray = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Character:
    """One character of a label, where it was heard."""

    label: str
    """A digit or ``*``."""
    start: float
    """Seconds from the utterance's beginning."""
    end: float
    """Seconds."""
    confidence: float
    """0 to 1."""


@dataclass(frozen=True, slots=True)
class Decoded:
    """An utterance as a decoder read it."""

    label: str
    """``*`` stands for a spoken "thousand" or "million"."""
    confidence: float
    """0 to 1; of the whole."""
    characters: tuple[Character, ...]
    """One for each of the label's."""

    @property
    def digits(self) -> str:
        """The digit string: the label without ``*``."""
        return digit_string(self.label)


Decoder = Callable[[FloatArray, float], Decoded]
"""(frames, 12) log-probabilities and the seconds of a frame → what was said."""
