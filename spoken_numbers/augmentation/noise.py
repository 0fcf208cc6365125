"""Background noise and other voices, at a ratio to the speech."""

from collections.abc import Sequence

import numpy as np

from spoken_numbers.audio import SAMPLE_RATE, FloatArray
from spoken_numbers.augmentation.clips import MEMORY_MB, ClipBank
from spoken_numbers.augmentation.level import speech_power
from spoken_numbers.augmentation.perturbation import bounds

CROSSFADE = SAMPLE_RATE // 20
"""Samples, 50 ms, over which the end of a clip fades into its beginning."""


def endless(clip: FloatArray) -> FloatArray:
    """One period of a clip whose end fades into its beginning, so that it can be repeated without a click."""
    fade = min(CROSSFADE, len(clip) // 4)
    if fade == 0:
        return clip
    rising = np.sqrt((np.arange(fade, dtype=np.float32) + 0.5) / fade)  # equal power: the two ends are unrelated
    period = clip[:-fade].copy()
    period[:fade] = period[:fade] * rising + clip[-fade:] * rising[::-1]
    return period


def excerpt(period: FloatArray, start: int, samples: int) -> FloatArray:
    """``samples`` of an endless repetition of ``period`` from ``start`` on."""
    if start + samples <= len(period):
        return period[start : start + samples]
    whole = np.empty(samples, np.float32)
    done = min(samples, len(period) - start)
    whole[:done] = period[start : start + done]
    while done < samples:
        part = min(samples - done, len(period))
        whole[done : done + part] = period[:part]
        done += part
    return whole


def mix(waveform: FloatArray, noise: FloatArray, snr_db: float, max_gain_db: float = 300.0) -> FloatArray:
    """Add noise, scaled so that active speech lies ``snr_db`` dB above its mean power; both (samples,), in place.

    Silence on either side leaves the waveform as it is.
    """
    speech, background = speech_power(waveform), float(np.dot(noise, noise)) / max(1, len(noise))
    if speech > 0 and background > 0:
        gain = min(np.sqrt(speech / background) * 10 ** (-snr_db / 20), 10 ** (max_gain_db / 20))
        waveform += noise * np.float32(gain)
    return waveform


class Noise:
    """A noise clip from a random place on, repeated where it is too short (NeMo's keys).

    Args:
        min_snr_db, max_snr_db: active speech (ITU-T P.56) over the mean power of the noise under the utterance.
        max_gain_db: the most by which a clip is made louder.
    """

    def __init__(
        self,
        manifest_path: str | Sequence[str],
        min_snr_db: float = 10,
        max_snr_db: float = 50,
        max_gain_db: float = 300.0,
        memory_mb: float = MEMORY_MB,
    ) -> None:
        self._snr = bounds(min_snr_db, max_snr_db, "SNR in dB", least=-100, most=150)
        self._max_gain = max_gain_db
        self._clips = ClipBank(manifest_path, endless, memory_mb)

    def __call__(self, waveform: FloatArray, rng: np.random.Generator) -> FloatArray:
        clip, snr = self._clips.draw(rng), rng.uniform(*self._snr)
        noise = excerpt(clip, int(rng.integers(len(clip))), len(waveform))
        return mix(waveform, noise, snr, self._max_gain)


class Babble:
    """Several other utterances at once, each as loud as the others, below the speech.

    Args:
        manifest_path: utterances, such as the training manifest's.
        min_voices, max_voices: how many are mixed.
    """

    def __init__(
        self,
        manifest_path: str | Sequence[str],
        min_snr_db: float = 5,
        max_snr_db: float = 25,
        min_voices: int = 3,
        max_voices: int = 7,
        memory_mb: float = 128,
    ) -> None:
        self._snr = bounds(min_snr_db, max_snr_db, "SNR in dB", least=-100, most=150)
        bounds(min_voices, max_voices, "number of voices", least=1, most=100)
        self._voices = min_voices, max_voices
        self._clips = ClipBank(manifest_path, endless, memory_mb)

    def __call__(self, waveform: FloatArray, rng: np.random.Generator) -> FloatArray:
        babble = np.zeros_like(waveform)
        for _ in range(rng.integers(self._voices[0], self._voices[1] + 1)):
            clip = self._clips.draw(rng)
            voice = excerpt(clip, int(rng.integers(len(clip))), len(waveform))
            babble += voice * np.float32(1 / np.sqrt(speech_power(clip)))
        return mix(waveform, babble, rng.uniform(*self._snr))
