"""Best-path decoding merges repeats and drops blanks."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from spoken_numbers.decoding.greedy import collapse, greedy
from spoken_numbers.labels import BLANK, LABELS


@given(st.text("0123456789*", max_size=20), st.data())
def test_any_path_of_a_label_gives_the_label(label, data):
    path = [BLANK] * data.draw(st.integers(0, 3))
    for index, character in enumerate(label):
        repeat = data.draw(st.integers(1, 3))
        needs_blank = index + 1 < len(label) and label[index + 1] == character
        blanks = data.draw(st.integers(int(needs_blank), 3))
        path += [LABELS.index(character)] * repeat + [BLANK] * blanks
    assert collapse(path) == label
    scores = np.full((len(path), BLANK + 1), -9.0, np.float32)
    scores[np.arange(len(path)), path] = -0.1
    assert greedy(scores) == label


def test_no_frames_are_no_number():
    assert greedy(np.zeros((0, BLANK + 1), np.float32)) == ""
