"""ITU-T G.711: what 8 bits of A-law or µ-law leave of a 16-bit sample."""

import functools

import numpy as np

from spoken_numbers.audio import FloatArray


def alaw(waveform: FloatArray) -> FloatArray:
    """(samples,) in [-1, 1] → (samples,), through 13-bit A-law."""
    return _alaw_table()[_index(waveform)]


def mulaw(waveform: FloatArray) -> FloatArray:
    """(samples,) in [-1, 1] → (samples,), through 14-bit µ-law."""
    return _mulaw_table()[_index(waveform)]


def _index(waveform: FloatArray) -> np.ndarray:
    samples = np.clip(np.rint(waveform * np.float32(32768)), -32768, 32767)
    return samples.astype(np.int16).view(np.uint16)


@functools.cache
def _alaw_table() -> FloatArray:
    """For each 16-bit sample, taken as an unsigned index, the decoder's output (G.711 tables 1a and 1b).

    Segments 0 and 1 have steps of 2 in units of 13 bits, each further one twice the step; outputs are mid-interval.
    """
    linear = np.arange(65536, dtype=np.uint16).view(np.int16).astype(np.int32) >> 3  # 13 bits
    magnitude = np.where(linear >= 0, linear, -linear - 1)  # -1 is the smallest negative: no zero is coded
    step = 2 ** np.maximum(1, np.floor(np.log2(np.maximum(magnitude, 1))).astype(np.int32) - 4)
    middle = magnitude // step * step + step // 2
    return (np.where(linear >= 0, middle, -middle) * 8 / 32768).astype(np.float32)


@functools.cache
def _mulaw_table() -> FloatArray:
    """As for A-law (G.711 tables 2a and 2b): a bias of 33, then segments that each double the step of the last."""
    linear = np.arange(65536, dtype=np.uint16).view(np.int16).astype(np.int32) >> 2  # 14 bits
    negative = linear < 0
    biased = np.minimum(np.where(negative, -linear, linear), 8158) + 33
    step = 2 ** (np.floor(np.log2(biased)).astype(np.int32) - 4)
    middle = biased // step * step + step // 2 - 33
    return (np.where(negative, -middle, middle) * 4 / 32768).astype(np.float32)
