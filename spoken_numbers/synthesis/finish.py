"""From an engine's rendering to an utterance: checked, trimmed, given margins and a level."""

import random
from itertools import pairwise

import numpy as np

from spoken_numbers.audio import SAMPLE_RATE, FloatArray, is_silent

_FRAME = SAMPLE_RATE // 100
_SECONDS_PER_OUTPUT = 0.02
_LONGEST_WORD = 1.2
_SHORTEST_LABEL = 0.08


def trimmed(rendering: FloatArray) -> FloatArray:
    """Without the silence before and after: from the first to the last 10 ms that reach -45 dB of the loudest."""
    frames = rendering[: len(rendering) // _FRAME * _FRAME].reshape(-1, _FRAME)
    energy = np.square(frames).mean(axis=1, dtype=np.float64)
    loud = np.flatnonzero(energy > energy.max(initial=0.0) * 10**-4.5)
    return rendering[loud[0] * _FRAME : (loud[-1] + 1) * _FRAME] if len(loud) else rendering[:0]


def fault(speech: FloatArray, words: str, label: str, rate: float) -> str | None:
    """Why this cannot be the label spoken: silent, or shorter or longer than anyone would take.

    Too short is less than CTC needs at 20 ms an output (one per symbol and one between equal ones) or than 80 ms per
    symbol; too long is more than 1.2 s a word at this tempo, three times the usual.
    """
    if not len(speech) or is_silent(speech):
        return "silent"
    if not np.isfinite(speech).all():
        return "not finite"
    seconds = len(speech) / SAMPLE_RATE
    outputs = len(label) + sum(a == b for a, b in pairwise(label))
    if seconds < max(outputs * _SECONDS_PER_OUTPUT, len(label.replace("*", "")) * _SHORTEST_LABEL / max(rate, 1.0)):
        return "too short for its label"
    if seconds > (1 + len(words.split())) * _LONGEST_WORD / min(rate, 1.0):
        return "too long for its words"
    return None


def placed(speech: FloatArray, rng: random.Random) -> FloatArray:
    """With 0.1 to 0.3 s of silence on either side, at -32 to -14 dBFS (root mean square), never clipped."""
    level = 10 ** (rng.uniform(-32.0, -14.0) / 20)
    rms = float(np.sqrt(np.square(speech).mean(dtype=np.float64)))
    gain = min(level / rms, 0.97 / float(np.abs(speech).max()))
    before, after = (round(rng.uniform(0.1, 0.3) * SAMPLE_RATE) for _ in range(2))
    return np.pad(speech * np.float32(gain), (before, after))
