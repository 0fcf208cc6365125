"""One voice made into many: tempo, pitch and length of the vocal tract, each alone."""

import functools

import numpy as np
import scipy.fft
import soxr

from spoken_numbers.audio import SAMPLE_RATE, FloatArray
from spoken_numbers.augmentation.perturbation import bounds

HOP = SAMPLE_RATE // 50
"""Samples, 20 ms, between frames of the tempo change; a frame is two hops long."""

REACH = SAMPLE_RATE // 125
"""Samples, 8 ms, to either side in which a frame may be moved to fit: together a period of a voice of 63 Hz."""

FRAME = 512
"""Samples, 32 ms, of the frames whose spectral envelope is moved; they start every quarter of it."""

ENVELOPE_S = 0.003, 0.0045
"""Quefrencies, in seconds, up to which the cepstrum is all envelope, and from which on it is all voice."""

ROUNDS = 3
"""Of the true envelope; of 0 to 10 the fewest that carry the formants of vowels of 90 to 220 Hz as well as ten do."""

PASSBAND = 0.9
"""Share of its band that soxr's resampling leaves whole."""


class Tempo:
    """Faster or slower speech of the same pitch: a rate of 1.1 takes a tenth off the time."""

    def __init__(self, min_rate: float = 0.85, max_rate: float = 1.15) -> None:
        self._rate = bounds(min_rate, max_rate, "tempo", least=0.5, most=2)

    def __call__(self, waveform: FloatArray, rng: np.random.Generator) -> FloatArray:
        return change_tempo(waveform, rng.uniform(*self._rate))


class Pitch:
    """A higher or lower voice from the same vocal tract, at the same tempo."""

    def __init__(self, min_semitones: float = -4, max_semitones: float = 4) -> None:
        self._semitones = bounds(min_semitones, max_semitones, "pitch in semitones", least=-12, most=12)

    def __call__(self, waveform: FloatArray, rng: np.random.Generator) -> FloatArray:
        return shift_pitch(waveform, rng.uniform(*self._semitones))


class Formant:
    """A shorter vocal tract (factors over 1, as of a child) or a longer one, at the same pitch and tempo."""

    def __init__(self, min_factor: float = 0.85, max_factor: float = 1.18) -> None:
        self._factor = bounds(min_factor, max_factor, "formant factor", least=0.5, most=2)

    def __call__(self, waveform: FloatArray, rng: np.random.Generator) -> FloatArray:
        return shift_formants(waveform, rng.uniform(*self._factor))


def change_tempo(waveform: FloatArray, factor: float) -> FloatArray:
    """Speak ``factor`` times as fast: (samples,) → (round(samples / factor),), in time to within 8 ms.

    WSOLA (Verhelst and Roelands 1993): overlapping frames are laid out anew, each taken from where, around its place,
    the speech continues the frame before best. The search costs 10 µs a frame, the rest is done on all frames at once.
    """
    samples = round(len(waveform) / factor)
    if factor == 1 or samples == 0:
        return waveform[:samples].copy()
    frames = -(-samples // HOP) + 1
    before, after = HOP + REACH, 2 * HOP + 2 * REACH  # zeros, so that every search and frame lies within
    padded = np.zeros(before + max(len(waveform), round(frames * HOP * factor)) + after, np.float32)
    padded[before : before + len(waveform)] = waveform
    starts = _starts(padded, frames, factor)
    laid = np.lib.stride_tricks.sliding_window_view(padded, 2 * HOP)[starts] * _hann(2 * HOP)
    return (laid[:-1, HOP:] + laid[1:, :HOP]).reshape(-1)[:samples]


def shift_pitch(waveform: FloatArray, semitones: float) -> FloatArray:
    """Multiply the fundamental by 2 ** (semitones / 12); formants and duration stay, (samples,) → (samples,).

    Tempo is changed and undone by resampling, which moves pitch and formants alike; then the formants are moved back.
    Where resampling leaves the top of the band empty, it is filled with the speech below, shaped as the top was.
    """
    ratio = 2 ** (semitones / 12)
    if semitones == 0 or len(waveform) == 0:
        return waveform.copy()
    longer = change_tempo(waveform, 1 / ratio)
    resampled = soxr.resample(longer, ratio * SAMPLE_RATE, SAMPLE_RATE, quality="MQ") if len(longer) else longer
    shifted = np.zeros_like(waveform)
    kept = min(len(waveform), len(resampled))
    shifted[:kept] = resampled[:kept]
    return shift_formants(shifted, 1 / ratio, filled_share=PASSBAND * min(1.0, ratio))


def shift_formants(waveform: FloatArray, factor: float, filled_share: float = 1.0) -> FloatArray:
    """Multiply the frequency of every formant by ``factor``; pitch, level and duration stay, (samples,) → (samples,).

    The spectral envelope of 32 ms frames is stretched, and each frame keeps its energy. The envelope is the cepstrum's
    low quefrencies, raised onto the harmonics ("true envelope", Röbel and Rodet 2005).

    Args:
        filled_share: what of the band, from 0 Hz on, holds speech; the rest is filled with a copy of what lies below.
    """
    if factor == 1 or len(waveform) == 0:
        return waveform.copy()
    step = FRAME // 4
    frames = -(-len(waveform) // step) + 3
    padded = np.zeros((frames + 3) * step, np.float32)
    padded[3 * step : 3 * step + len(waveform)] = waveform
    framed = np.lib.stride_tricks.sliding_window_view(padded, FRAME)[::step]
    spectra = scipy.fft.rfft(framed * _hann(FRAME), axis=1)
    _fill(spectra, filled_share)
    _stretch_envelope(spectra, factor)
    moved = scipy.fft.irfft(spectra, FRAME, axis=1) * (_hann(FRAME) / np.float32(1.5))
    quarters = moved.reshape(frames, 4, step)
    laid = quarters[3:, 0] + quarters[2:-1, 1] + quarters[1:-2, 2] + quarters[:-3, 3]
    return laid.reshape(-1)[: len(waveform)]


def _starts(padded: FloatArray, frames: int, factor: float) -> np.ndarray:
    """Where in ``padded`` each frame starts; the first two hops from its beginning are silence."""
    squares = np.concatenate(([0.0], np.cumsum(np.square(padded, dtype=np.float64))))
    energy = np.maximum(squares[HOP:] - squares[:-HOP], 0)
    scale = (1 / np.sqrt(energy + 1e-9)).astype(np.float32)
    nearness = np.float32(1e-6) * np.hanning(2 * REACH + 1).astype(np.float32)  # decides in silence alone
    start = REACH
    starts = np.empty(frames, np.intp)
    for frame in range(frames):
        first = round(frame * HOP * factor)
        if frame:
            expected = padded[start + HOP : start + 2 * HOP]
            fit = np.correlate(padded[first : first + 2 * REACH + HOP], expected)
            fit *= scale[first : first + 2 * REACH + 1]
            fit += nearness
            start = first + int(fit.argmax())
        starts[frame] = start
    return starts


def _fill(spectra: np.ndarray, share: float) -> None:
    bins = spectra.shape[1]
    first = round(share * (bins - 1))
    while first < bins:
        # A shift by a multiple of four bins keeps the phases of successive frames, a quarter apart, in step.
        shift = min(-(-(bins - first) // 4), first // 4) * 4
        last = min(bins, first + shift)
        spectra[:, first:last] = spectra[:, first - shift : last - shift]
        first = last


def _stretch_envelope(spectra: np.ndarray, factor: float) -> None:
    """Of (frames, FRAME // 2 + 1) complex64, in place."""
    power = np.square(spectra.real) + np.square(spectra.imag)
    energy = power.sum(axis=1, keepdims=True)
    # A floor 60 dB below the frame's mean keeps empty bands and silence from being made loud.
    log_magnitude = np.float32(0.5) * np.log(power + energy * np.float32(1e-6 / power.shape[1]) + np.float32(1e-20))
    to_cepstrum = _liftered_cosines()
    quefrency, hz = np.arange(to_cepstrum.shape[1]), np.arange(power.shape[1])
    angle = 2 * np.pi / FRAME * quefrency[:, None]
    stretched = np.cos(angle * np.minimum(hz / factor, FRAME // 2)).astype(np.float32)
    from_cepstrum = np.cos(angle * hz).astype(np.float32)
    cepstrum = log_magnitude @ to_cepstrum
    for _ in range(ROUNDS):
        cepstrum = np.maximum(log_magnitude, cepstrum @ from_cepstrum) @ to_cepstrum
    gain = np.exp(cepstrum @ (stretched - from_cepstrum))
    power *= np.square(gain)
    gain *= np.sqrt(energy / (power.sum(axis=1, keepdims=True) + np.float32(1e-20)))
    spectra *= gain


@functools.cache
def _liftered_cosines() -> FloatArray:
    """(FRAME // 2 + 1, quefrencies): log magnitudes times it are the cepstrum, doubled but for its first, liftered."""
    whole, none = (seconds * SAMPLE_RATE for seconds in ENVELOPE_S)
    quefrency = np.arange(int(none) + 1)
    lifter = 0.5 + 0.5 * np.cos(np.pi * np.clip((quefrency - whole) / (none - whole), 0, 1))
    weight = np.full(FRAME // 2 + 1, 2.0 / FRAME)
    weight[[0, -1]] /= 2
    cosines = np.cos(2 * np.pi / FRAME * np.outer(np.arange(FRAME // 2 + 1), quefrency))
    return (cosines * weight[:, None] * lifter * np.where(quefrency, 2, 1)).astype(np.float32)


@functools.cache
def _hann(samples: int) -> FloatArray:
    """Periodic: halves that overlap add up to 1, and squares of quarters to 1.5."""
    return (0.5 - 0.5 * np.cos(2 * np.pi / samples * np.arange(samples))).astype(np.float32)
