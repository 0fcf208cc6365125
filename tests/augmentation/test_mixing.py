"""Noise at the ratio that was asked for, over the speech and not over its pauses."""

import numpy as np
import pytest
from augmentation.sounds import clips, speech
from hypothesis import given
from hypothesis import strategies as st

from spoken_numbers.augmentation.level import Gain, WhiteNoise, speech_power
from spoken_numbers.augmentation.noise import Babble, Noise, endless, excerpt, mix


def white(samples, level=0.05, seed=9):
    return (np.random.default_rng(seed).standard_normal(samples) * level).astype(np.float32)


SPEECH = {pause: speech(6.0, pause=pause) for pause in (0.0, 0.3, 2.0)}
NOISE = white(96_000)


@given(st.floats(-5, 40), st.floats(0.001, 1), st.sampled_from(list(SPEECH)))
def test_the_snr_is_as_asked_over_the_syllables_alone(snr, level, pause):
    clean, noise = SPEECH[pause] * np.float32(level), NOISE
    added = mix(clean.copy(), noise, snr) - clean
    syllables = clean[clean != 0].astype(np.float64)
    measured = 10 * np.log10(np.mean(syllables**2) / np.mean(added.astype(np.float64) ** 2))
    assert measured == pytest.approx(snr, abs=0.2)


def test_the_drawn_snr_is_as_asked_from_a_clip_shorter_than_the_utterance(tmp_path):
    clean = speech(5.0)
    noise = Noise(str(clips(tmp_path, {"hum": white(32_000)})), min_snr_db=7, max_snr_db=7)
    for seed in range(20):
        added = noise(clean.copy(), np.random.default_rng(seed)) - clean
        measured = 10 * np.log10(speech_power(clean) / np.mean(added.astype(np.float64) ** 2))
        assert measured == pytest.approx(7, abs=0.2)


def test_max_gain_bounds_how_much_a_clip_is_made_louder(tmp_path):
    clean = speech(2.0)
    soft = white(32_000, level=1e-4)
    noise = Noise(str(clips(tmp_path, {"soft": soft})), min_snr_db=0, max_snr_db=0, max_gain_db=6)
    added = noise(clean.copy(), np.random.default_rng(0)) - clean
    assert 20 * np.log10(added.std() / soft.std()) == pytest.approx(6, abs=0.2)


@given(st.integers(1, 3000), st.integers(0, 10_000), st.integers(0, 9000))
def test_a_repeated_clip_goes_on_where_it_stopped(period, start, samples):
    clip = np.arange(period, dtype=np.float32)
    start %= period
    assert excerpt(clip, start, samples).tolist() == [(start + i) % period for i in range(samples)]


def test_a_repeated_clip_has_no_click_and_keeps_its_level():
    tone = np.sin(2 * np.pi * 101.3 * np.arange(32_000) / 16_000).astype(np.float32)
    repeated = excerpt(endless(tone), 0, 96_000)
    assert np.abs(np.diff(repeated)).max() < 1.5 * np.abs(np.diff(tone)).max()
    noise = white(32_000)
    seam = excerpt(endless(noise), len(endless(noise)) - 400, 1200)
    assert seam.std() == pytest.approx(noise.std(), rel=0.1)


def test_offsets_and_clips_vary_and_the_seed_decides_them(tmp_path):
    noise = Noise(str(clips(tmp_path, {"a": white(32_000, seed=1), "b": white(32_000, seed=2)})))
    drawn = {noise(speech(), np.random.default_rng(seed)).tobytes() for seed in range(10)}
    assert len(drawn) == 10
    assert noise(speech(), np.random.default_rng(3)).tobytes() in drawn


def test_silence_gets_no_noise_and_empty_audio_does_not_fail(tmp_path):
    noise = Noise(str(clips(tmp_path, {"a": white(32_000)})))
    for samples in (0, 1, 100):
        assert not noise(np.zeros(samples, np.float32), np.random.default_rng(0)).any()


def test_babble_is_several_voices_at_the_snr(tmp_path):
    voices = {f"v{i}": speech(2.0 + i / 7, seed=i) for i in range(5)}
    clean = speech(4.0, seed=77)
    babble = Babble(str(clips(tmp_path, voices)), min_snr_db=10, max_snr_db=10, min_voices=4, max_voices=4)
    added = babble(clean.copy(), np.random.default_rng(0)) - clean
    assert 10 * np.log10(speech_power(clean) / np.mean(added**2.0)) == pytest.approx(10, abs=0.2)
    assert np.mean(added != 0) > 0.6  # the pauses of one are filled by others


@given(st.floats(-30, 30), st.floats(1e-3, 1))
def test_gain_is_in_db(gain, level):
    waveform = speech() * np.float32(level)
    louder = Gain(gain, gain)(waveform.copy(), np.random.default_rng(0))
    assert 20 * np.log10(louder.std() / waveform.std()) == pytest.approx(gain, abs=0.01)


def test_white_noise_is_white_gaussian_and_at_its_level():
    silence = np.zeros(160_000, np.float32)
    noise = WhiteNoise(-40, -40)(silence, np.random.default_rng(4)).astype(np.float64)
    assert 20 * np.log10(noise.std()) == pytest.approx(-40, abs=0.1)
    power = np.abs(np.fft.rfft(noise)) ** 2
    bands = power[: len(power) // 16 * 16].reshape(16, -1).mean(1)
    assert bands.max() / bands.min() < 1.1
    normalised = noise / noise.std()
    assert np.mean(normalised**4) == pytest.approx(3, abs=0.1)
    other = WhiteNoise(-40, -40)(np.zeros(160_000, np.float32), np.random.default_rng(5))
    assert abs(np.corrcoef(noise, other)[0, 1]) < 0.02


@pytest.mark.parametrize("seconds", [0.5, 40.0])
def test_white_noise_fits_any_length(seconds):
    samples = int(seconds * 16_000)
    assert WhiteNoise()(np.zeros(samples, np.float32), np.random.default_rng(0)).shape == (samples,)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda m: Noise(m, min_snr_db=10, max_snr_db=5),
        lambda m: Babble(m, min_voices=0),
        lambda m: Gain(3, -3),
        lambda m: WhiteNoise(-20, -40),
    ],
)
def test_bounds_the_wrong_way_round_are_refused(wrong, tmp_path):
    with pytest.raises(ValueError, match="give the smaller one first"):
        wrong(str(clips(tmp_path, {"a": white(32_000)})))
