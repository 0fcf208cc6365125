"""Intervals hold the truth as often as they say, and count speakers; pairs are tested exactly."""

import jiwer
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spoken_numbers.assessment.intervals import interval, paired
from spoken_numbers.assessment.metrics import ErrorCounts, count_errors

digits = st.text("0123456789", min_size=1, max_size=10)


@given(st.lists(st.tuples(digits, st.text("0123456789", max_size=10)), min_size=1, max_size=20))
def test_rates_are_those_of_jiwer(pairs):
    ours = sum((count_errors(*pair) for pair in pairs), ErrorCounts())
    theirs = jiwer.process_characters([ref for ref, _ in pairs], [hyp for _, hyp in pairs])
    assert ours.digit_error_rate == pytest.approx(theirs.cer)
    assert ours.errors == theirs.substitutions + theirs.insertions + theirs.deletions
    assert ours.insertions - ours.deletions == theirs.insertions - theirs.deletions


def test_an_interval_holds_the_truth_about_as_often_as_it_says():
    rng = np.random.default_rng(1)
    held = 0
    for trial in range(100):
        rates = rng.beta(8, 2, 30)  # speakers differ: their mean is 0.8
        right = (rng.random((30, 10)) < rates[:, None]).astype(float).ravel().tolist()
        low, high = interval(right, [1.0] * 300, [str(i // 10) for i in range(300)], seed=trial)
        held += low <= 0.8 <= high
    assert 87 <= held <= 99


def test_utterances_of_few_speakers_tell_less_than_as_many_of_many():
    right = [1.0, 1.0, 1.0, 1.0, 0.0, 0.0, 1.0, 0.0] * 10
    of_two = interval(sorted(right), [1.0] * 80, ["a"] * 40 + ["b"] * 40)
    of_many = interval(sorted(right), [1.0] * 80, [""] * 80)
    assert of_two[1] - of_two[0] > 2 * (of_many[1] - of_many[0])


def test_the_same_seed_gives_the_same_interval():
    values = [0.0, 1.0, 1.0, 0.0, 1.0]
    assert interval(values, [1.0] * 5, [""] * 5, 3) == interval(values, [1.0] * 5, [""] * 5, 3)


def test_there_is_no_interval_of_nothing_or_of_one():
    assert interval([], [], []) is None
    assert interval([1.0], [1.0], [""]) is None
    assert interval([1.0, 0.0], [1.0, 1.0], ["a", "a"]) is None
    assert interval([1.0, 0.0], [0.0, 0.0], ["a", "b"]) is None


def test_all_right_is_an_interval_of_one():
    assert interval([1.0] * 4, [1.0] * 4, [""] * 4) == (1.0, 1.0)


def test_a_pair_is_tested_by_the_utterances_that_one_alone_has_right():
    first = [True] * 5 + [False] * 15
    second = [True] * 5 + [True] * 10 + [False] * 5
    result = paired(first, second, [""] * 20)
    assert (result.only_first_right, result.only_second_right) == (0, 10)
    assert result.p_value == pytest.approx(2 * 0.5**10)
    assert result.difference == pytest.approx(0.5)
    low, high = result.interval
    assert 0 < low < 0.5 < high < 1
    assert paired(first, first, [""] * 20).p_value == 1
