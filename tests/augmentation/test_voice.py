"""Tempo, pitch and vocal tract change alone, measured on vowels of known pitch and formants and on speech."""

import os
from pathlib import Path

import librosa
import numpy as np
import pytest
import scipy.ndimage
import scipy.signal
from hypothesis import given
from hypothesis import strategies as st

from spoken_numbers import audio
from spoken_numbers.audio import SAMPLE_RATE
from spoken_numbers.augmentation.voice import change_tempo, shift_formants, shift_pitch
from spoken_numbers.synthesis.engine import Line
from spoken_numbers.synthesis.espeak import Espeak

VOWELS = {"i": (280, 2250, 2890, 3600), "e": (530, 1840, 2480, 3500), "æ": (700, 1750, 2450, 3500)}
FUNDAMENTALS = (95, 130, 190)
VOICES = [pytest.param(f0, formants, id=f"{name}{f0}") for f0 in FUNDAMENTALS for name, formants in VOWELS.items()]


def vowel(f0, formants, seconds=1.0):
    """Pulses without aliases, through one resonator for each formant; 60 ms of silence on either side."""
    time = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    wave = sum(np.cos(2 * np.pi * f0 * harmonic * time) for harmonic in range(1, int(7600 / f0) + 1))
    wave = scipy.signal.lfilter([1], [1, -0.95], wave)
    for hz in (*formants, 4500):
        radius = np.exp(-np.pi * (60 + 0.03 * hz) / SAMPLE_RATE)
        poles = [1, -2 * radius * np.cos(2 * np.pi * hz / SAMPLE_RATE), radius**2]
        wave = scipy.signal.lfilter([sum(poles)], poles, wave)
    wave *= np.minimum(1, np.minimum(time, time[::-1]) / 0.03)
    return np.pad(0.3 * wave / np.abs(wave).max(), 960).astype(np.float32)


def middle(waveform):
    return waveform[len(waveform) // 4 : -len(waveform) // 4].astype(np.float64)


def fundamental(waveform):
    """Hz of a steady vowel: the first peak of the autocorrelation, then refined at sixteen periods."""
    wave = middle(waveform)
    similarity = scipy.signal.correlate(wave, wave)[len(wave) - 1 :] / np.arange(len(wave), 0, -1)
    low, high = SAMPLE_RATE // 400, SAMPLE_RATE // 55
    period = low + np.argmax(similarity[low:high] * np.linspace(1, 0.9, high - low))
    for periods in (2, 4, 8, 16):
        first = round(period * periods - period / 4)
        period = (first + np.argmax(similarity[first : round(first + period / 2)])) / periods
    return SAMPLE_RATE / period


def formants_of(waveform):
    """Hz of the peaks of librosa's linear prediction, pre-emphasised, of order 14."""
    wave = middle(waveform)
    hz, response = scipy.signal.freqz(1, librosa.lpc(wave[1:] - 0.95 * wave[:-1], order=14), 4096, fs=SAMPLE_RATE)
    return hz[scipy.signal.find_peaks(20 * np.log10(np.abs(response)), prominence=0.5)[0]]


def nearest(found, wanted):
    return np.array([found[np.argmin(np.abs(found - hz))] for hz in wanted])


def assert_formants(found, f0, formants):
    """Against a vowel made with the formants and pitch wanted, which prediction misreads in the same manner.

    A first formant with fewer than four harmonics below it is heard by two or three of them, so that no envelope places
    it better than to a part of their distance.
    """
    wanted = formants_of(vowel(f0, formants))[:3]
    errors = np.abs(nearest(formants_of(found), wanted) - wanted)
    assert errors[0] < (0.06 * wanted[0] if formants[0] > 4 * f0 else f0 / 2)
    assert (errors[1:] < 0.04 * wanted[1:]).all()


def level_change_db(before, after):
    return 10 * np.log10(np.mean(np.square(after)) / np.mean(np.square(before)))


@pytest.mark.parametrize("factor", [0.85, 0.95, 1.08, 1.15])
@pytest.mark.parametrize(("f0", "formants"), VOICES)
def test_tempo_changes_the_duration_and_neither_pitch_nor_formants(f0, formants, factor):
    wave = vowel(f0, formants)
    changed = change_tempo(wave.copy(), factor)
    assert len(changed) == round(len(wave) / factor)
    assert fundamental(changed) == pytest.approx(f0, rel=0.01)
    assert nearest(formants_of(changed), formants_of(wave)[:3]) == pytest.approx(formants_of(wave)[:3], rel=0.04)
    assert abs(level_change_db(wave, changed)) < 0.5


@pytest.mark.parametrize("semitones", [-4, -2, 1, 4])
@pytest.mark.parametrize(("f0", "formants"), VOICES)
def test_pitch_moves_the_fundamental_and_leaves_formants_duration_and_level(f0, formants, semitones):
    wave = vowel(f0, formants)
    shifted = shift_pitch(wave.copy(), semitones)
    assert len(shifted) == len(wave)
    assert fundamental(shifted) == pytest.approx(f0 * 2 ** (semitones / 12), rel=0.01)
    assert_formants(shifted, f0 * 2 ** (semitones / 12), formants)
    assert abs(level_change_db(wave, shifted)) < 1


@pytest.mark.parametrize("factor", [0.85, 0.93, 1.08, 1.18])
@pytest.mark.parametrize(("f0", "formants"), VOICES)
def test_formant_moves_every_formant_and_leaves_pitch_duration_and_level(f0, formants, factor):
    wave = vowel(f0, formants)
    moved = shift_formants(wave.copy(), factor)
    assert len(moved) == len(wave)
    assert fundamental(moved) == pytest.approx(f0, rel=0.002)
    assert_formants(moved, f0, np.multiply(formants, factor))
    assert abs(level_change_db(wave, moved)) < 1


def test_the_band_stays_full_when_the_pitch_falls():
    noise = np.random.default_rng(0).standard_normal(SAMPLE_RATE).astype(np.float32) * 0.1
    hz, before = scipy.signal.welch(noise, SAMPLE_RATE, nperseg=512)
    after = scipy.signal.welch(shift_pitch(noise, -4), SAMPLE_RATE, nperseg=512)[1]
    inside = (hz > 200) & (hz < 7800)
    assert np.abs(10 * np.log10(after[inside] / before[inside])).max() < 3


@pytest.mark.parametrize("factor", [0.85, 1.15])
def test_what_is_said_stays_in_its_place(factor):
    at = np.array([0.0, 0.31, 0.7, 1.1, 1.55])
    wave = np.zeros(2 * SAMPLE_RATE, np.float32)
    for second in at:
        first = round(second * SAMPLE_RATE)
        wave[first : first + 2400] = 0.5 * np.sin(2 * np.pi * 150 * np.arange(2400) / SAMPLE_RATE)
    for changed, expected in (
        (change_tempo(wave.copy(), factor), at / factor),
        (shift_pitch(wave.copy(), 4 * np.sign(factor - 1)), at),
        (shift_formants(wave.copy(), factor), at),
    ):
        loud = scipy.ndimage.uniform_filter1d(np.square(changed), 160) > 0.01
        onsets = np.flatnonzero(np.diff(loud, prepend=False) & loud) / SAMPLE_RATE
        assert onsets == pytest.approx(expected, abs=0.012)


def _digits():
    found = []
    espeak = Espeak()
    if espeak.version() is not None:
        voices = {voice.gender: voice for voice in espeak.voices("en")[::40]}
        lines = [Line("four two seven nine one oh", voice) for voice in voices.values()]
        found += [
            pytest.param(wave, id=line.voice.name) for line, wave in zip(lines, espeak.render(lines), strict=True)
        ]
    folder = Path(os.environ.get("SPOKEN_NUMBERS_CORPORA", "/nonexistent"))
    for path in (*sorted(folder.glob("an4/wav/*/*/*"))[:200:70], *sorted(folder.glob("fsdd/recordings/*_7.wav"))[::25]):
        found.append(pytest.param(audio.read(path), id=path.stem))
    return found or [pytest.param(vowel(120, VOWELS["e"]), id="vowel")]


def _pitch_track(waveform):
    """Hz and loudness every 10 ms."""
    wave = np.pad(waveform, 1600)
    frames = np.lib.stride_tricks.sliding_window_view(wave, 1024)[::160]
    track = librosa.yin(wave, fmin=60, fmax=400, sr=SAMPLE_RATE, frame_length=1024, hop_length=160, center=False)
    return track[: len(frames)], np.sqrt(np.square(frames).mean(axis=1))


def pitch_ratio(before, after):
    """Median over what is loud, of the pitch after to the pitch before at the same place in what is said."""
    (old, loud), (new, _) = _pitch_track(before), _pitch_track(after)
    there = np.arange(len(old)) * 160 + 512 - 1600
    there = np.round((there * len(after) / len(before) - 512 + 1600) / 160).astype(int).clip(0, len(new) - 1)
    return np.median((new[there] / old)[loud > 0.4 * loud.max()])


@pytest.mark.parametrize("speech", _digits())
def test_speech_changes_as_asked_without_clicks_and_at_its_level(speech):
    # A click shows as a large step; speech has its own at glottal closures, which higher resonances steepen.
    step = np.abs(np.diff(speech)).max()
    for factor in (0.85, 1.15):
        changed = change_tempo(speech.copy(), factor)
        assert pitch_ratio(speech, changed) == pytest.approx(1, rel=0.01)
        assert np.abs(np.diff(changed)).max() < 1.1 * step
        assert abs(level_change_db(speech, changed)) < 1
        moved = shift_formants(speech.copy(), factor)
        assert pitch_ratio(speech, moved) == pytest.approx(1, rel=0.01)
        assert np.abs(np.diff(moved)).max() < 2 * step
        assert abs(level_change_db(speech, moved)) < 1
    for semitones in (-3, 3):
        shifted = shift_pitch(speech.copy(), semitones)
        assert pitch_ratio(speech, shifted) == pytest.approx(2 ** (semitones / 12), rel=0.02)
        assert np.abs(np.diff(shifted)).max() < 2 * step
        assert abs(level_change_db(speech, shifted)) < 2


@pytest.mark.parametrize("change", [change_tempo, shift_formants, lambda wave, f: shift_pitch(wave, 12 * np.log2(f))])
def test_a_change_of_nothing_returns_the_speech_and_one_of_almost_nothing_almost(change):
    wave = vowel(110, VOWELS["e"])
    assert np.array_equal(change(wave.copy(), 1.0), wave)
    nearly = change(wave.copy(), 1 + 1e-7)
    assert np.corrcoef(nearly, wave)[0, 1] > 0.99


@given(samples=st.integers(0, 3000), factor=st.floats(0.5, 2))
def test_speech_becomes_as_long_as_the_tempo_says(samples, factor):
    assert len(change_tempo(np.ones(samples, np.float32), factor)) == round(samples / factor)
