"""Silence around speech, as recordings have that nobody cut, and between its words, as of those who dictate."""

import numpy as np

from spoken_numbers.audio import SAMPLE_RATE, FloatArray
from spoken_numbers.augmentation.perturbation import bounds
from spoken_numbers.speech_frames import FRAME, speech_frames

LONGEST = 60.0
"""Seconds; a longer silence is another recording."""

SHORTEST_GAP = 12
"""Frames; what is quiet for less may be the closure inside "eight" or "six"."""

GRAIN = SAMPLE_RATE // 25
"""Samples, 40 ms, of the pieces of a gap that its pause is made of."""


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


class Pauses:
    """Words set apart, as when dictating: each gap between them grows by drawn seconds of its own quiet sound.

    How long a speaker's pauses are is drawn once for an utterance, up to ``max_secs``, and each within a factor of 1.5
    of it. Speech without a gap of 0.12 s stays as it is.
    """

    def __init__(self, min_secs: float = 0, max_secs: float = 1) -> None:
        self._usual = bounds(min_secs, max_secs, "pauses in s", least=0, most=LONGEST)

    def __call__(self, waveform: FloatArray, rng: np.random.Generator) -> FloatArray:
        usual = rng.uniform(*self._usual)
        pieces, end = [], 0
        for first, last in _gaps(waveform):
            middle = (first + last) // 2
            samples = int(usual * np.exp(rng.uniform(-1, 1) * np.log(1.5)) * SAMPLE_RATE)
            pieces += [waveform[end:middle], _sounding_like(waveform[first:last], samples, rng)]
            end = middle
        return np.concatenate([*pieces, waveform[end:]])


def _gaps(waveform: FloatArray) -> list[tuple[int, int]]:
    """First sample and last of what is quiet between speech, without the frames next to that."""
    if not len(waveform):
        return []
    spoken = speech_frames(waveform)
    apart = np.flatnonzero(np.diff(spoken) > SHORTEST_GAP)
    return [((spoken[at] + 2) * FRAME, (spoken[at + 1] - 1) * FRAME) for at in apart]


def _sounding_like(gap: FloatArray, samples: int, rng: np.random.Generator) -> FloatArray:
    """(samples,): overlapping pieces from random places of the gap, each faded in and out at constant power."""
    hop = GRAIN // 2
    starts = rng.integers(0, len(gap) - GRAIN + 1, samples // hop + 2)
    grains = np.lib.stride_tricks.sliding_window_view(gap, GRAIN)[starts]
    grains = grains * np.sin(np.pi / GRAIN * (np.arange(GRAIN, dtype=np.float32) + np.float32(0.5)))
    return (grains[:-1, hop:] + grains[1:, :hop]).reshape(-1)[:samples]
