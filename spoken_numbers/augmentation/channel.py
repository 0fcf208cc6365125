"""What a line does to speech: a narrow band, a colour, clipping, lost packets."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import scipy.signal

from spoken_numbers.audio import SAMPLE_RATE, FloatArray
from spoken_numbers.augmentation.perturbation import bounds

NYQUIST = SAMPLE_RATE / 2
LOWEST_HZ = 10
"""A high-pass filter below it would change nothing that is heard, and is left out."""

KNEE = 0.25
"""How far soft clipping lets a sample rise over the threshold, relative to it."""

SPARED = 3
"""Packets at least between two bursts of loss, so that two of them do not make a long one."""

CERTAIN_LOSS = 5
"""Packets of an utterance from which on at least one is lost."""

FADE = SAMPLE_RATE // 400
"""Samples, 2.5 ms, over which a receiver passes from speech to concealment and back."""

PERIODS = SAMPLE_RATE // 400, SAMPLE_RATE // 66
"""Samples, 2.5 to 15 ms, of the pitch periods that a receiver looks for."""


class BandLimit:
    """A band from a drawn lower to a drawn upper edge, of Butterworth slopes of a drawn order (6 dB an octave each)."""

    def __init__(
        self,
        min_low_hz: float = 0,
        max_low_hz: float = 400,
        min_high_hz: float = 2500,
        max_high_hz: float = 7500,
        min_order: int = 2,
        max_order: int = 6,
    ) -> None:
        self._low = bounds(min_low_hz, max_low_hz, "lower edge in Hz", least=0, most=NYQUIST)
        self._high = bounds(min_high_hz, max_high_hz, "upper edge in Hz", least=LOWEST_HZ, most=NYQUIST)
        if self._high[0] < 2 * self._low[1]:
            raise ValueError(f"edges of {max_low_hz:g} and {min_high_hz:g} Hz leave less than an octave between them")
        bounds(min_order, max_order, "order", least=1, most=12)
        self._order = int(min_order), int(max_order)

    def __call__(self, waveform: FloatArray, rng: np.random.Generator) -> FloatArray:
        order = int(rng.integers(self._order[0], self._order[1] + 1))
        return limit_band(waveform, rng.uniform(*self._low), rng.uniform(*self._high), order)


@dataclass(frozen=True, slots=True)
class Band:
    """One control of an equaliser: its frequency in Hz, gain in dB and quality (0.7 is a gentle shelf, 4 is narrow)."""

    kind: Literal["peak", "low shelf", "high shelf"]
    hz: float
    gain_db: float
    q: float = 0.7


class Equalise:
    """The colour of a microphone or a small loudspeaker: random peaks and shelves; the level stays."""

    def __init__(self, max_gain_db: float = 8, bands: int = 3) -> None:
        bounds(0, max_gain_db, "gain in dB", least=0, most=40)
        bounds(1, bands, "number of bands", least=1, most=20)
        self._gain, self._bands = max_gain_db, int(bands)

    def __call__(self, waveform: FloatArray, rng: np.random.Generator) -> FloatArray:
        coloured = equalise(waveform, [self._draw(rng) for _ in range(self._bands)])
        before, after = np.dot(waveform, waveform), np.dot(coloured, coloured)
        return coloured * np.float32(np.sqrt(before / after)) if after > 0 else coloured

    def _draw(self, rng: np.random.Generator) -> Band:
        gain, place = rng.uniform(-self._gain, self._gain), rng.uniform()
        kind = rng.integers(4)
        if kind == 0:
            return Band("low shelf", 100 * 10**place, gain)
        if kind == 1:
            return Band("high shelf", 1500 * 4**place, gain)
        return Band("peak", 150 * 40**place, gain, rng.uniform(0.5, 3))


class Clipping:
    """Overdriven: a drawn share of the samples, the loudest, is cut off, hard or (half the time) rounded."""

    def __init__(self, min_share: float = 0.001, max_share: float = 0.05) -> None:
        self._share = bounds(min_share, max_share, "share of clipped samples", least=0, most=0.5)

    def __call__(self, waveform: FloatArray, rng: np.random.Generator) -> FloatArray:
        return clip(waveform, rng.uniform(*self._share), soft=bool(rng.integers(2)))


class PacketLoss:
    """Packets lost in bursts, and what a receiver puts in their place: silence, or the last pitch period, dying away.

    Args:
        min_loss, max_loss: share of packets; utterances of 5 packets and more lose at least one.
        packet_ms: duration of a packet.
        max_burst_ms: the longest burst, short enough to leave something of every digit.
        max_mean_burst: packets in a burst are 1 to this on average, before long ones are cut.
        repeated_share: how often a period is repeated, rather than silence sent.
    """

    def __init__(
        self,
        min_loss: float = 0.01,
        max_loss: float = 0.1,
        packet_ms: float = 20,
        max_burst_ms: float = 80,
        max_mean_burst: float = 2.5,
        repeated_share: float = 0.5,
    ) -> None:
        self._loss = bounds(min_loss, max_loss, "packet loss", least=0, most=0.2)
        bounds(packet_ms, packet_ms, "packet in ms", least=5, most=100)
        bounds(packet_ms, max_burst_ms, "burst in ms", least=5, most=200)
        self._mean_burst = bounds(1, max_mean_burst, "mean burst in packets", least=1, most=20)
        bounds(0, repeated_share, "share of repetition", least=0, most=1)
        self._packet = round(packet_ms * SAMPLE_RATE / 1000)
        self._longest = int(max_burst_ms / packet_ms + 1e-9)
        self._repeated = repeated_share

    def __call__(self, waveform: FloatArray, rng: np.random.Generator) -> FloatArray:
        loss, burst = rng.uniform(*self._loss), rng.uniform(*self._mean_burst)
        decay = rng.uniform(0.4, 0.9) if rng.uniform() < self._repeated else 0.0
        packets = -(-len(waveform) // self._packet)
        lost = lose_packets(packets, loss, burst, self._longest, rng)
        if packets >= CERTAIN_LOSS and not lost.any():
            lost[rng.integers(packets)] = True
        return conceal(waveform, lost, self._packet, decay)


def limit_band(waveform: FloatArray, low_hz: float, high_hz: float, order: int) -> FloatArray:
    """Butterworth high-pass and low-pass, each of ``order`` and 3 dB down at its edge; an edge at 0 or 8 kHz is none.

    Causal, as lines are: speech within the band is late by less than 1 ms.
    """
    sections = []
    if low_hz >= LOWEST_HZ:
        sections.append(scipy.signal.butter(order, low_hz, "highpass", fs=SAMPLE_RATE, output="sos"))
    if high_hz < NYQUIST:
        sections.append(scipy.signal.butter(order, high_hz, "lowpass", fs=SAMPLE_RATE, output="sos"))
    return _filtered(waveform, np.concatenate(sections)) if sections else waveform


def equalise(waveform: FloatArray, bands: Sequence[Band]) -> FloatArray:
    """Through one biquad for each band; (samples,) → (samples,)."""
    return _filtered(waveform, np.stack([biquad(band) for band in bands])) if bands else waveform


def biquad(band: Band) -> np.ndarray:
    """(6,) second-order section, after R. Bristow-Johnson, Cookbook formulae for audio EQ biquad filter coefficients.

    https://www.w3.org/TR/audio-eq-cookbook/
    """
    amplitude = 10 ** (band.gain_db / 40)
    angle = 2 * np.pi * band.hz / SAMPLE_RATE
    cosine, alpha = np.cos(angle), np.sin(angle) / (2 * band.q)
    if band.kind == "peak":
        above = [1 + alpha * amplitude, -2 * cosine, 1 - alpha * amplitude]
        below = [1 + alpha / amplitude, -2 * cosine, 1 - alpha / amplitude]
        return np.array(above + below) / below[0]
    sign = 1 if band.kind == "low shelf" else -1
    plus, minus, slope = amplitude + 1, amplitude - 1, 2 * np.sqrt(amplitude) * alpha
    middle = sign * cosine
    above = [plus - minus * middle + slope, 2 * sign * (minus - plus * middle), plus - minus * middle - slope]
    below = [plus + minus * middle + slope, -2 * sign * (minus + plus * middle), plus + minus * middle - slope]
    return np.array([amplitude * value for value in above] + below) / below[0]


def clip(waveform: FloatArray, share: float, soft: bool = False) -> FloatArray:
    """Limit the ``share`` of samples that are largest to the largest of the others, or softly to at most 1.25 of it."""
    clipped = round(share * len(waveform))
    if clipped == 0:
        return waveform
    magnitude = np.abs(waveform)
    threshold = np.partition(magnitude, len(waveform) - clipped - 1)[len(waveform) - clipped - 1]
    if not soft or threshold == 0:
        return np.clip(waveform, -threshold, threshold)
    above = np.flatnonzero(magnitude > threshold)
    height = threshold * (1 + np.float32(KNEE) * np.tanh((magnitude[above] / threshold - 1) / np.float32(KNEE)))
    waveform[above] = np.copysign(height, waveform[above])
    return waveform


def lose_packets(packets: int, loss: float, mean_burst: float, longest: int, rng: np.random.Generator) -> np.ndarray:
    """(packets,) bool, true where lost: on average a share of ``loss``, at most 0.2, in bursts.

    Gilbert's model (Bell System Technical Journal 39, 1960): a line alternates between a state that loses nothing and
    one that loses all, and leaves each with a fixed probability. Here bursts are at most ``longest`` packets, and
    ``SPARED`` packets at least lie between two; the rest of the pauses are so long that the share is kept.
    """
    lost = np.zeros(packets, bool)
    if loss <= 0:
        return lost
    leave = 1 / mean_burst
    mean_burst = (1 - (1 - leave) ** longest) / leave
    mean_pause = max(SPARED, mean_burst * (1 - loss) / loss)
    position = 0 if rng.uniform() < loss else int(rng.geometric(1 / (mean_pause - SPARED + 1))) - 1
    while position < packets:
        burst = min(longest, int(rng.geometric(leave)))
        lost[position : position + burst] = True
        position += burst + SPARED - 1 + int(rng.geometric(1 / (mean_pause - SPARED + 1)))
    return lost


def conceal(waveform: FloatArray, lost: np.ndarray, packet: int, decay: float = 0.0) -> FloatArray:
    """Put something in the place of lost packets, in place.

    Args:
        lost: (packets,) bool; ``packet`` samples each, the last one may be shorter.
        decay: 0 for silence; else the last pitch period before the gap is repeated (as ITU-T G.711 Appendix I does),
            its amplitude multiplied by ``decay`` with every packet.
    """
    edges = np.flatnonzero(np.diff(lost, prepend=False, append=False)).reshape(-1, 2) * packet
    for start, stop in edges:
        stop = min(stop, len(waveform))
        length = stop - start
        fade = min(FADE, length // 2)
        fading = np.float32(decay) ** (np.arange(1, length + 1, dtype=np.float32) / packet)
        instead = _continued(waveform[:start], length) * fading
        if fade:
            rising = (np.arange(fade, dtype=np.float32) + 1) / (fade + 1)
            instead[:fade] += (waveform[start : start + fade] - instead[:fade]) * rising[::-1]
            instead[length - fade :] += (waveform[stop - fade : stop] - instead[length - fade :]) * rising
        waveform[start:stop] = instead
    return waveform


def _continued(past: FloatArray, samples: int) -> FloatArray:
    """``samples`` more of the last pitch period; zeros when too little was heard to find one."""
    shortest, longest = PERIODS
    recent = past[-2 * longest :]
    if len(recent) < 2 * longest:
        return np.zeros(samples, np.float32)
    last = recent[longest:]
    energy = np.convolve(np.square(recent), np.ones(longest, np.float32), "valid")
    fit = np.correlate(recent, last)[: longest - shortest + 1] / np.sqrt(energy[: longest - shortest + 1] + 1e-9)
    return np.resize(recent[len(recent) - (longest - int(fit.argmax())) :], samples)


def _filtered(waveform: FloatArray, sections: np.ndarray) -> FloatArray:
    return scipy.signal.sosfilt(sections, waveform).astype(np.float32) if len(waveform) else waveform
