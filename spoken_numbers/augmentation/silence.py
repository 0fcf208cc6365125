"""Silence before and after speech, as recordings have that nobody cut."""

import numpy as np

from spoken_numbers.audio import SAMPLE_RATE, FloatArray
from spoken_numbers.augmentation.perturbation import bounds

LONGEST = 60.0
"""Seconds; a longer silence is another recording."""


class Silence:
    """Drawn seconds of digital silence on either side (NeMo's keys); rooms and noise that follow fill them."""

    def __init__(
        self,
        min_start_silence_secs: float = 0,
        max_start_silence_secs: float = 1,
        min_end_silence_secs: float = 0,
        max_end_silence_secs: float = 1,
    ) -> None:
        self._start = bounds(
            min_start_silence_secs, max_start_silence_secs, "start silence in s", least=0, most=LONGEST
        )
        self._end = bounds(min_end_silence_secs, max_end_silence_secs, "end silence in s", least=0, most=LONGEST)

    def __call__(self, waveform: FloatArray, rng: np.random.Generator) -> FloatArray:
        before, after = (int(rng.uniform(*seconds) * SAMPLE_RATE) for seconds in (self._start, self._end))
        return np.pad(waveform, (before, after))
