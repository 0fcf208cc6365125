"""Impulse responses: where the direct path is, how the room decays, and the cut that training uses."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import scipy.io.wavfile

from spoken_numbers.audio import SAMPLE_RATE, FloatArray
from spoken_numbers.direct_path import direct_path
from spoken_numbers.files import written_whole

LEAD_IN = SAMPLE_RATE // 1000
"""Samples before the direct path, 1 ms: the rise of a band-limited peak is kept, and its place is known."""

FADE_OUT = SAMPLE_RATE // 20
"""Samples, 50 ms."""

DIRECT = round(0.0025 * SAMPLE_RATE)
"""Samples on either side of the peak that count as direct sound, 2.5 ms (as the ACE challenge has it)."""

HIGHEST_DRR = 60.0
"""dB; said of a response without any reverberation, since JSON has no infinity."""

BLOCK = SAMPLE_RATE // 100
ABOVE_NOISE_DB = 8.0
CLEAR_OF_END_DB = 3.0
FITS = ((-5.0, -35.0), (-5.0, -25.0))
"""dB of the decay that a line is fitted to: T30 or, where noise hides its end, T20 (ISO 3382-2)."""


@dataclass(frozen=True, slots=True)
class Acoustics:
    """``direct``: index of the direct path; ``t60`` in seconds, None where it cannot be told; ``drr`` in dB."""

    direct: int
    t60: float | None
    drr: float


def measure(response: FloatArray) -> Acoustics:
    """What a (samples,) response at 16 kHz, not yet cut, tells of its room."""
    direct = direct_path(response)
    power = np.square(response[direct:], dtype=np.float64)
    end, rest = _end_of_decay(power)
    reverberant = power[DIRECT + 1 : len(power) if rest is None else end].sum()
    straight = np.square(response[max(0, direct - DIRECT) : direct + DIRECT + 1], dtype=np.float64).sum()
    drr = 10 * np.log10(straight / max(reverberant, straight * 10 ** (-HIGHEST_DRR / 10)))
    return Acoustics(direct, _t60(power[:end], rest), float(drr))


def cut(response: FloatArray, direct: int, seconds: float) -> FloatArray:
    """The response from 1 ms before its direct path, at most ``seconds`` of it, faded out, its energy 1.

    Returns:
        (samples,) float32 whose direct path is sample ``LEAD_IN`` and whose squares sum to 1.
    """
    padded = np.concatenate([np.zeros(LEAD_IN), response.astype(np.float64)])
    kept = padded[direct : direct + round(seconds * SAMPLE_RATE)].copy()
    fade = max(0, min(FADE_OUT, (len(kept) - LEAD_IN - DIRECT) // 2))
    kept[len(kept) - fade :] *= 0.5 + 0.5 * np.cos(np.pi * (np.arange(fade) + 1) / (fade + 1))
    return (kept / np.sqrt(np.square(kept).sum())).astype(np.float32)


def write(path: Path, response: FloatArray) -> float:
    """Write 32-bit float WAV at 16 kHz, never scaled, whole or not at all; return its duration in seconds.

    By SciPy, since libsndfile stamps float files with the time of writing, and the same seed must give the same bytes.
    """
    with written_whole(path) as temporary:
        scipy.io.wavfile.write(temporary, SAMPLE_RATE, response.astype(np.float32))
    return len(response) / SAMPLE_RATE


def _end_of_decay(power: np.ndarray) -> tuple[int, float | None]:
    """Where a decay comes near its noise, in samples, and the energy that it would still have had from there on.

    After Lundeby et al., Acustica 81 (1995): the noise is read off the last tenth, the rest off a line through the
    late decay, and is None where there is none. The end is the first of three blocks of 10 ms in a row near the
    noise, since gaps between early reflections are shorter.
    """
    blocks = power[: len(power) // BLOCK * BLOCK].reshape(-1, BLOCK).sum(axis=1)
    if len(blocks) < 5:
        return len(power), None
    level = 10 * np.log10(np.maximum(blocks, blocks.max() * 1e-12))
    noise = 10 * np.log10(max(blocks[-max(1, len(blocks) // 10) :].mean(), blocks.max() * 1e-12))
    near = level < noise + ABOVE_NOISE_DB
    lasting = np.flatnonzero(near[:-2] & near[1:-1] & near[2:])
    end = int(lasting[0]) if len(lasting) else len(blocks)
    late = np.arange(end // 3, end)
    if len(late) < 3:
        return end * BLOCK, None
    slope, start = np.polyfit(late, level[late], 1)
    if slope >= 0:
        return end * BLOCK, None
    return end * BLOCK, float(10 ** ((start + slope * end) / 10) / (1 - 10 ** (slope / 10)))


def _t60(power: np.ndarray, rest: float | None) -> float | None:
    """Schroeder's backward integration (J. Acoust. Soc. Am. 37, 1965) and a line through the decay that it shows."""
    if rest is None:
        return None
    energy = np.cumsum(power[::-1])[::-1] + rest
    decay = 10 * np.log10(energy / energy[0])
    for upper, lower in FITS:
        if decay[-1] > lower - CLEAR_OF_END_DB:
            continue
        first, last = int(np.argmax(decay <= upper)), int(np.argmax(decay <= lower))
        if last - first >= BLOCK // 4:
            return float(-60 / np.polyfit(np.arange(first, last), decay[first:last], 1)[0] / SAMPLE_RATE)
    return None
