"""Silence around an utterance and between its words, as much of it as was asked for."""

import numpy as np
import pytest
from augmentation.sounds import speech
from hypothesis import given
from hypothesis import strategies as st

from spoken_numbers.audio import SAMPLE_RATE
from spoken_numbers.augmentation.silence import LONGEST, Pauses, Silence


@given(st.tuples(*[st.floats(0, 2)] * 4), st.integers(0, 99))
def test_what_was_said_lies_whole_between_silences_within_their_bounds(seconds, seed):
    start, end = sorted(seconds[:2]), sorted(seconds[2:])
    said = speech(1.0)
    heard = Silence(*start, *end)(said.copy(), np.random.default_rng(seed))
    place = int(np.flatnonzero(heard)[0] - np.flatnonzero(said)[0])
    assert np.array_equal(heard[place : place + len(said)], said)
    assert not heard[:place].any()
    assert not heard[place + len(said) :].any()
    assert int(start[0] * SAMPLE_RATE) <= place <= start[1] * SAMPLE_RATE
    assert int(end[0] * SAMPLE_RATE) <= len(heard) - len(said) - place <= end[1] * SAMPLE_RATE


@pytest.mark.parametrize("seconds", [(-1, 1), (1, 0.5), (0, LONGEST + 1), (0, float("nan"))])
def test_bounds_that_make_no_sense_are_refused(seconds):
    with pytest.raises(ValueError, match="start silence in s"):
        Silence(*seconds)
    with pytest.raises(ValueError, match="end silence in s"):
        Silence(0, 1, *seconds)
    with pytest.raises(ValueError, match="pauses in s"):
        Pauses(*seconds)


@given(st.floats(0, 2), st.integers(0, 99))
def test_pauses_come_between_words_and_leave_the_words_as_they_are(seconds, seed):
    said = speech(2.0)
    gaps = 4  # between its five syllables
    heard = Pauses(seconds, seconds)(said.copy(), np.random.default_rng(seed))
    assert np.array_equal(heard[heard != 0], said[said != 0])
    assert gaps * seconds / 1.51 <= (len(heard) - len(said)) / SAMPLE_RATE + 1e-3 <= gaps * seconds * 1.51 + 1e-3
    first, last = np.flatnonzero(said)[[0, -1]]
    assert np.array_equal(heard[:first], said[:first])
    assert np.array_equal(heard[len(heard) - len(said) + last :], said[last:])


def test_a_pause_sounds_like_the_room():
    room = 0.003 * np.random.default_rng(1).standard_normal(2 * SAMPLE_RATE).astype(np.float32)
    said = speech(2.0) + room
    heard = Pauses(1, 1)(said.copy(), np.random.default_rng(2))
    assert heard.dtype == np.float32
    tenths = np.sqrt(np.square(heard[: len(heard) // 1600 * 1600].reshape(-1, 1600)).mean(axis=1))
    quiet = tenths[tenths < 0.02]
    assert len(quiet) > 20
    assert np.abs(20 * np.log10(quiet / 0.003)).max() < 1.5


def test_connected_speech_gets_no_pauses():
    said = np.random.default_rng(0).standard_normal(SAMPLE_RATE).astype(np.float32)
    assert np.array_equal(Pauses(1, 1)(said.copy(), np.random.default_rng(0)), said)
