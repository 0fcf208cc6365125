"""Counts add up, and agree with a plain dynamic programme."""

import math

from hypothesis import given
from hypothesis import strategies as st

from spoken_numbers.assessment.metrics import ErrorCounts, count_errors

labels = st.text("0123456789*", max_size=12)


def distance(a: str, b: str) -> int:
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        diagonal, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, diagonal + (x != y))
    return row[-1]


@given(labels, labels)
def test_errors_are_the_edit_distance_of_the_digit_strings(reference, hypothesis):
    counts = count_errors(reference, hypothesis)
    ref, hyp = reference.replace("*", ""), hypothesis.replace("*", "")
    assert counts.errors == distance(ref, hyp)
    assert counts.digits == len(ref)
    assert len(ref) + counts.insertions - counts.deletions == len(hyp)
    assert counts.strings_right == (ref == hyp)


@given(st.lists(st.tuples(labels, labels), max_size=20))
def test_counts_add_up(pairs):
    total = sum((count_errors(*pair) for pair in pairs), ErrorCounts())
    assert total.strings == len(pairs)
    assert total.errors == sum(count_errors(*pair).errors for pair in pairs)


def test_the_star_costs_nothing_and_nothing_is_no_number():
    assert count_errors("183*037", "183037").strings_right == 1
    assert count_errors("", "").strings_right == 1
    assert math.isnan(ErrorCounts().string_accuracy)
    assert math.isnan(count_errors("", "4").digit_error_rate)
