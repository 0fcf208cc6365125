"""Silence around an utterance, as much of it as was asked for."""

import numpy as np
import pytest
from augmentation.sounds import speech
from hypothesis import given
from hypothesis import strategies as st

from spoken_numbers.audio import SAMPLE_RATE
from spoken_numbers.augmentation.silence import LONGEST, Silence


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
