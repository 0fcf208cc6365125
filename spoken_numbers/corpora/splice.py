"""Isolated digits of one speaker → digit strings that sound as if said in one breath and one room."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from spoken_numbers.audio import SAMPLE_RATE, FloatArray
from spoken_numbers.speech_frames import FRAME, speech_frames

FADE = SAMPLE_RATE // 125  # 8 ms at each cut, against clicks
PAD_BEFORE, PAD_AFTER = 2 * FRAME, 3 * FRAME  # keep weak onsets and the tails of "six", "eight"
ROOM_WINDOW = SAMPLE_RATE // 40  # 25 ms
QUIETEST_ROOM, LOUDEST_ROOM_BELOW_SPEECH = 1e-4, 10 ** (-20 / 20)  # -80 dB full scale; 20 dB below the speech
PEAK = 0.97


def splice(
    takes: Sequence[FloatArray], rng: np.random.Generator, *, connected: bool = False
) -> tuple[FloatArray, list[tuple[int, int]]]:
    """Join takes, brought to one level, with gaps, over the noise of their own room.

    Each take is trimmed to its speech. Gaps are N(0.12, 0.08) s and never negative, one in ten an overlap of
    20-60 ms instead, one in twelve a pause of 0.3-0.7 s; lead-in and tail are 0.1-0.3 s. Levels come to the median
    take's, then vary by 1.2 dB from digit to digit and 2 dB from string to string.

    Args:
        takes: each (samples,) at 16 kHz, with speech in it.
        connected: gaps of -20 to 50 ms in place of these, as between the words of one number.

    Returns:
        The waveform, at most 0.97 in amplitude, and where each take lies in it: (start, stop) in samples.
    """
    cut = [take[slice(*speech_bounds(take))] for take in takes]
    own_level = np.array([_rms(take) for take in cut])
    level = np.median(own_level) * _from_db(rng.normal(0, 2))
    gains = np.clip(level / own_level * _from_db(rng.normal(0, 1.2, len(cut))), 0.25, 4.0)
    lead, tail = (int(seconds * SAMPLE_RATE) for seconds in rng.uniform(0.1, 0.3, 2))

    spans: list[tuple[int, int]] = []
    start = lead
    for index, take in enumerate(cut):
        if index:
            shorter = min(len(take), len(cut[index - 1]))
            start = max(spans[-1][1] + _gap(rng, shorter // 4, connected), 0)
        spans.append((start, start + len(take)))
    string = room_tone([take * gain for take, gain in zip(takes, gains, strict=True)], spans[-1][1] + tail, level, rng)
    for index, (take, gain, (begin, end)) in enumerate(zip(cut, gains, spans, strict=True)):
        fade_in = max(FADE, spans[index - 1][1] - begin) if index else FADE
        fade_out = max(FADE, end - spans[index + 1][0]) if index + 1 < len(spans) else FADE
        string[begin:end] += take * gain * _envelope(len(take), fade_in, fade_out)
    peak = float(np.abs(string).max())
    return (string * min(1.0, PEAK / peak)).astype(np.float32), spans


def speech_bounds(take: FloatArray) -> tuple[int, int]:
    """Where the speech of one isolated digit starts and stops, in samples, with 20 ms before and 30 ms after it."""
    active = speech_frames(take)
    return max(0, active[0] * FRAME - PAD_BEFORE), min(len(take), (active[-1] + 1) * FRAME + PAD_AFTER)


def room_tone(takes: Sequence[FloatArray], samples: int, speech_level: float, rng: np.random.Generator) -> FloatArray:
    """(samples,) of noise with the level and spectrum of the takes' quietest tenth, and never digital silence.

    ``speech_level`` is the root mean square of the speech: the room stays 20 dB below it, since the quietest tenth
    of takes cut tight is still speech.
    """
    whole = [take[: len(take) // ROOM_WINDOW * ROOM_WINDOW].reshape(-1, ROOM_WINDOW) for take in takes]
    frames = np.concatenate(whole)
    power = np.square(frames).mean(axis=1) if len(frames) else np.zeros(0)
    sounding = power > 1e-9  # some corpora pad with digital zeros; that is no room
    frames, power = frames[sounding], power[sounding]
    white = rng.standard_normal(samples + ROOM_WINDOW)
    if len(frames) == 0:
        return (white[:samples] * QUIETEST_ROOM).astype(np.float32)
    quiet = np.argsort(power, kind="stable")[: max(1, len(power) // 10)]
    window = np.hanning(ROOM_WINDOW)
    spectrum = np.square(np.abs(np.fft.rfft(frames[quiet] * window, axis=1))).mean(axis=0)
    shape = np.fft.fftshift(np.fft.irfft(np.sqrt(spectrum))) * window
    filtered = np.fft.rfft(white) * np.fft.rfft(shape, len(white))  # circular, so that the noise fades nowhere
    noise = np.fft.irfft(filtered, len(white))[:samples]
    own = float(np.sqrt(power[quiet].mean())) * _from_db(rng.normal(0, 1.5))
    level = max(QUIETEST_ROOM, min(own, speech_level * LOUDEST_ROOM_BELOW_SPEECH))
    return (noise * (level / _rms(noise))).astype(np.float32)


def _gap(rng: np.random.Generator, longest_overlap: int, connected: bool) -> int:
    if connected:
        return max(int(rng.uniform(-0.02, 0.05) * SAMPLE_RATE), -longest_overlap)
    kind, gap = rng.random(), max(0.0, rng.normal(0.12, 0.08))
    overlap, pause = rng.uniform(0.02, 0.06), rng.uniform(0.3, 0.7)
    if kind < 1 / 10:
        return -min(int(overlap * SAMPLE_RATE), longest_overlap)
    return int((pause if kind > 1 - 1 / 12 else gap) * SAMPLE_RATE)


def _envelope(samples: int, fade_in: int, fade_out: int) -> npt.NDArray[np.float64]:
    envelope = np.ones(samples)
    rise, fall = min(fade_in, samples // 2), min(fade_out, samples // 2)
    envelope[:rise] *= np.sin(np.linspace(0, np.pi / 2, rise)) ** 2
    envelope[samples - fall :] *= np.cos(np.linspace(0, np.pi / 2, fall)) ** 2
    return envelope


def _rms(waveform: npt.NDArray[np.floating]) -> float:
    return float(np.sqrt(np.square(waveform, dtype=np.float64).mean()))


def _from_db(decibel: Any) -> Any:
    return 10 ** (decibel / 20)
