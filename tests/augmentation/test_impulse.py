"""Rooms: exact convolution, the speech where it was, as loud as it was."""

import numpy as np
import pytest
from augmentation.sounds import clips, speech
from hypothesis import given, settings
from hypothesis import strategies as st

from spoken_numbers.augmentation.impulse import LONGEST, Impulse, align, reverberate, spectrum


def response(samples=8000, delay=0, seed=0):
    rng = np.random.default_rng(seed)
    tail = rng.standard_normal(samples) * np.exp(-np.arange(samples) / 1200) * 0.2
    tail[0] = 1.0
    return np.concatenate([rng.standard_normal(delay) * 1e-3, tail]).astype(np.float32)


@settings(max_examples=30)
@given(st.integers(1, 60_000), st.integers(1, LONGEST), st.integers(0, 99))
def test_convolution_equals_the_direct_one(samples, taps, seed):
    rng = np.random.default_rng(seed)
    waveform, room = (rng.standard_normal(n).astype(np.float32) for n in (samples, taps))
    direct = np.convolve(waveform.astype(np.float64), room)[:samples]
    assert np.abs(reverberate(waveform, spectrum(room)) - direct).max() <= 1e-5 * np.abs(direct).max()


@pytest.mark.parametrize("delay", [0, 160, 3200])
def test_the_direct_path_stays_where_it_was(tmp_path, delay):
    impulse = Impulse(str(clips(tmp_path, {"room": response(delay=delay)})))
    click = np.zeros(32_000, np.float32)
    click[10_000] = 0.5
    assert np.abs(impulse(click, np.random.default_rng(0))).argmax() == 10_000


def test_a_reflection_louder_than_the_direct_path_moves_nothing(tmp_path):
    room = response()
    room[400] = 2.0
    click = np.zeros(32_000, np.float32)
    click[10_000] = 0.5
    after = Impulse(str(clips(tmp_path, {"room": room})), keep_level=False)(click, np.random.default_rng(0))
    assert np.flatnonzero(np.abs(after) > 0.1)[0] == 10_000
    assert np.abs(after).argmax() == 10_400


def test_level_is_kept_or_the_rooms_own(tmp_path):
    manifest = str(clips(tmp_path, {"room": response() * np.float32(0.1)}))
    clean = speech()
    kept = Impulse(manifest)(clean.copy(), np.random.default_rng(0))
    measured = Impulse(manifest, keep_level=False)(clean.copy(), np.random.default_rng(0))
    assert np.square(kept).sum() == pytest.approx(np.square(clean).sum(), rel=1e-4)
    direct = np.convolve(clean, align(response()) * 0.1)[: len(clean)]
    np.testing.assert_allclose(measured, direct, atol=1e-5)


def test_each_channel_of_a_response_is_one(tmp_path):
    two = np.stack([response(seed=1), response(seed=2)], axis=1)
    impulse = Impulse(str(clips(tmp_path, {"stereo": two})))
    heard = {impulse(speech(), np.random.default_rng(seed)).tobytes() for seed in range(12)}
    assert len(heard) == 2


def test_a_response_longer_than_a_block_allows_is_cut(tmp_path):
    impulse = Impulse(str(clips(tmp_path, {"cathedral": response(80_000)})))
    assert impulse(speech(), np.random.default_rng(0)).shape == speech().shape


def test_silence_stays_silence(tmp_path):
    impulse = Impulse(str(clips(tmp_path, {"room": response()})))
    for samples in (0, 1, 5000):
        assert not impulse(np.zeros(samples, np.float32), np.random.default_rng(0)).any()


def test_an_unshifted_response_is_refused(tmp_path):
    with pytest.raises(ValueError, match="delay the speech"):
        Impulse(str(clips(tmp_path, {"room": response()})), shift_impulse=False)
