"""The search's answers are those of trying every admissible label; hypothesis looks for where they are not."""

import re
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spoken_numbers.decoding.bound import Bound, admits, compile_bound
from spoken_numbers.decoding.decoded import Decoded
from spoken_numbers.decoding.greedy import decode_greedy, greedy
from spoken_numbers.decoding.search import BoundDecoder
from spoken_numbers.labels import BLANK, LABELS, check_label

FRAME = 0.04


def best_path(frames: np.ndarray, label: str) -> float:
    """The best path of a label, character by character and frame by frame (Graves et al. 2006)."""
    states = [BLANK]
    for character in label:
        states += [LABELS.index(character), BLANK]
    scores = np.full(len(states), -np.inf)
    for time, frame in enumerate(frames.astype(float)):
        before = scores.copy()
        for place, state in enumerate(states):
            come = [before[place]]
            if place:
                come.append(before[place - 1])
            if place > 1 and state != BLANK and state != states[place - 2]:
                come.append(before[place - 2])
            scores[place] = (max(come) if time else (0.0 if place < 2 else -np.inf)) + frame[state]
    return max(scores[-2:])


def styles(number: str) -> list[str]:
    """Every label of a digit string."""
    found = []
    for stars in product(("", "*"), repeat=len(number) - 1):
        label = number[0] + "".join(star + digit for star, digit in zip(stars, number[1:], strict=True))
        if re.fullmatch(r"\d*|\d+(\*\d{3,})+", label):
            check_label(label)
            found.append(label)
    return found


def random_frames(seed: int, frames: int, sharpness: float, likely: str = "".join(LABELS)) -> np.ndarray:
    rng = np.random.default_rng(seed)
    logits = sharpness * rng.standard_normal((frames, len(LABELS) + 1))
    logits[:, [index for index, label in enumerate(LABELS) if label not in likely]] -= 3.0
    return (logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)).astype(np.float32)


seeds, times, sharpnesses = st.integers(0, 10**6), st.integers(1, 9), st.sampled_from([0.3, 2.0, 6.0])


@given(
    st.lists(st.from_regex(r"[0-3]{1,5}", fullmatch=True), min_size=1, max_size=8, unique=True),
    *(seeds, times, sharpnesses),
    st.sampled_from(["0123456789*", "01*", "0*"]),
)
def test_it_finds_the_best_of_a_list_and_all_in_order(numbers, seed, time, sharpness, likely):
    frames = random_frames(seed, time, sharpness, likely)
    decoder = BoundDecoder(compile_bound(Bound(pattern="|".join(numbers))))
    scores = {number: max(best_path(frames, label) for label in styles(number)) for number in numbers}
    expected = sorted((score for score in scores.values() if score > -np.inf), reverse=True)
    found = decoder.n_best(frames, FRAME, len(numbers))
    assert [one.score for one in found] == pytest.approx(expected, abs=1e-6)
    for one in found:
        assert one.score == pytest.approx(scores[one.decoded.digits], abs=1e-6)
        assert one.score == pytest.approx(best_path(frames, one.decoded.label), abs=1e-6)


@given(seeds, st.integers(1, 7), sharpnesses, st.sampled_from(["2", "1-3", "3-4"]))
def test_it_finds_the_best_of_a_length(seed, time, sharpness, spec):
    frames = random_frames(seed, time, sharpness, "01*")[:, [0, 1, 10, 11]]
    wide = np.full((time, 12), -50.0, np.float32)
    wide[:, [0, 1, 10, 11]] = frames
    fewest, most = (int(end) for end in (spec.split("-") * 2)[:2])
    numbers = ["".join(d) for n in range(fewest, most + 1) for d in product("01", repeat=n)]
    expected = max(best_path(wide, label) for number in numbers for label in styles(number))
    (found, *_) = BoundDecoder(compile_bound(Bound(digits=spec))).n_best(wide, FRAME, 1) or [None]
    if expected == -np.inf:
        assert found is None
    else:
        assert found.score >= expected - 1e-6
        assert found.score == pytest.approx(best_path(wide, found.decoded.label), abs=1e-6)
        if expected > -45:  # no digit but 0 and 1 can do better
            assert found.score == pytest.approx(expected, abs=1e-6)


@given(seeds, st.integers(1, 40))
def test_where_the_greedy_answer_is_admissible_it_is_the_answer(seed, time):
    frames = random_frames(seed, time, 6.0)
    label = greedy(frames)
    if not re.fullmatch(r"\d+(\*\d{3,})*", label):
        return
    found = BoundDecoder(compile_bound(Bound(digits=f"1-{len(label)}")))(frames, FRAME)
    heard = decode_greedy(frames, FRAME)
    assert found.label == label
    assert found.confidence == pytest.approx(heard.confidence, rel=1e-5)
    for one, other in zip(found.characters, heard.characters, strict=True):
        assert (one.start, one.end) == pytest.approx((other.start, other.end))


def test_too_few_frames_for_any_number_give_none():
    decoder = BoundDecoder(compile_bound(Bound(digits="6")))
    assert decoder(random_frames(0, 5, 1.0), FRAME) == Decoded("", 0.0, ())
    assert decoder(np.zeros((0, 12), np.float32), FRAME) == Decoded("", 0.0, ())


@pytest.mark.parametrize(
    "bound", [Bound(digits="6"), Bound(pattern=r"4\d{3} \d{4}"), Bound(digits="12", checksum="luhn")]
)
def test_silence_ends_with_an_admissible_number_or_none(bound):
    frames = np.full((80, 12), -8.0, np.float32)
    frames[:, BLANK] = -0.01
    found = BoundDecoder(compile_bound(bound))(frames, FRAME)
    assert found.confidence < 1e-10
    assert not found.digits or admits(compile_bound(bound), found.digits)
