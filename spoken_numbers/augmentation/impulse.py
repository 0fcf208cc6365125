"""Rooms, by convolution with their impulse responses."""

from collections.abc import Sequence

import numpy as np
import scipy.fft

from spoken_numbers.audio import FloatArray
from spoken_numbers.augmentation.clips import MEMORY_MB, ClipBank
from spoken_numbers.direct_path import direct_path

BLOCK = 1 << 15
"""Samples of one transform. Blocks of an utterance are transformed together, which lets the CPU do four at once."""

LONGEST = BLOCK // 2
"""Samples; what of a response comes later (1.02 s at 16 kHz) is cut off."""


def align(response: FloatArray) -> FloatArray:
    """Cut to begin at the direct path and to last at most ``LONGEST`` samples."""
    return response[direct_path(response) :][:LONGEST]


def spectrum(response: FloatArray) -> np.ndarray:
    """(samples,), at most ``LONGEST`` → (BLOCK // 2 + 1,) complex64."""
    return scipy.fft.rfft(response, BLOCK)


def reverberate(waveform: FloatArray, response_spectrum: np.ndarray) -> FloatArray:
    """Linear convolution, by overlap-save, cut to the length of the waveform."""
    history, step = LONGEST, BLOCK - LONGEST
    blocks = max(1, -(-len(waveform) // step))
    padded = np.zeros(history + blocks * step, np.float32)
    padded[history : history + len(waveform)] = waveform
    framed = np.lib.stride_tricks.sliding_window_view(padded, BLOCK)[::step]
    filtered = scipy.fft.irfft(scipy.fft.rfft(framed, axis=1) * response_spectrum, BLOCK, axis=1)
    return filtered[:, history:].reshape(-1)[: len(waveform)]


class Impulse:
    """A drawn room around the speech: the direct path stays where it was, and the length is kept (NeMo's keys).

    Args:
        manifest_path: impulse responses; each channel of a recording counts as one.
        shift_impulse: NeMo's key. It must be true here: the response is always cut at its direct path, since one that
            is not can delay the speech out of the utterance.
        normalize_impulse: NeMo's key: take the mean off the response.
        keep_level: keep the utterance's energy; otherwise the response's own gain counts.
    """

    def __init__(
        self,
        manifest_path: str | Sequence[str],
        shift_impulse: bool = True,
        normalize_impulse: bool = False,
        keep_level: bool = True,
        memory_mb: float = MEMORY_MB,
    ) -> None:
        if not shift_impulse:
            raise ValueError("shift_impulse is false, which would delay the speech out of the utterance: leave it out")
        self._keep_level = keep_level
        self._clips = ClipBank(manifest_path, _centred_spectrum if normalize_impulse else _spectrum, memory_mb)

    def __call__(self, waveform: FloatArray, rng: np.random.Generator) -> FloatArray:
        reverberant = reverberate(waveform, self._clips.draw(rng))
        if self._keep_level:
            before, after = np.dot(waveform, waveform), np.dot(reverberant, reverberant)
            if after > 0:
                reverberant *= np.sqrt(before / after)
        return reverberant


def _spectrum(response: FloatArray) -> np.ndarray:
    return spectrum(align(response))


def _centred_spectrum(response: FloatArray) -> np.ndarray:
    return spectrum(align(response - response.mean()))
