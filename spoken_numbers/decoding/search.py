"""The likeliest admissible number, exactly: best-first search over an automaton of digit strings under CTC.

A hypothesis is the beginning of a label. Its two rows hold, for every frame, the best path that has emitted just this
beginning and stands there in its last character or in blank; a character more is a few running maxima along time. What
may follow is bounded from above by the best way through the remaining frames that emits as many digits as the automaton
has left, whichever they are. The first complete label to leave the queue is therefore the best (A*, Hart et al. 1968).
"""

import heapq
import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from spoken_numbers.decoding.automaton import LONGEST, Automaton
from spoken_numbers.decoding.decoded import Character, Decoded, FloatArray
from spoken_numbers.labels import BLANK, LABELS

Scores = npt.NDArray[np.float64]

_STAR = LABELS.index("*")
_FLOOR = -1e4  # in place of log 0, so that running sums stay finite

MOST_VYING = 5_000
"""Beginnings that are followed for each number asked for; where more vie, nothing in the utterance speaks for one."""

# How many digits a "*" still needs after it; -1 where none may come, as nothing was said yet.
_UNSAID, _PLAIN, _OWED = -1, 0, 3


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """An admissible number and how likely it is."""

    decoded: Decoded
    score: float
    """Natural logarithm of the probability of its best path, less the automaton's costs."""


@dataclass(frozen=True, slots=True, eq=False)
class _Node:
    label: int  # index of the last character; -1 at the root
    before: "_Node | None"
    within: Scores  # (frames,): the best path whose last frame emits the last character
    after: Scores  # (frames,): … whose last frame is blank


class _Entry(NamedTuple):
    minus_bound: float
    minus_depth: int
    tie: int
    node: _Node
    state: int
    owed: int
    cost: float
    score: float | None = None  # of a complete label


class BoundDecoder:
    """A ``Decoder`` that answers with an automaton's numbers only, in every style in which they can be said."""

    def __init__(self, automaton: Automaton) -> None:
        self._automaton = automaton

    def __call__(self, log_probabilities: FloatArray, frame_seconds: float) -> Decoded:
        """The likeliest; the empty label, of confidence 0, where none fits into so few frames or ``MOST_VYING`` vie."""
        best = self.n_best(log_probabilities, frame_seconds, 1)
        return best[0].decoded if best else Decoded("", 0.0, ())

    def n_best(self, log_probabilities: FloatArray, frame_seconds: float, number: int) -> list[Hypothesis]:
        """The likeliest numbers, best first, each in its likeliest style.

        A character's confidence is the highest posterior that it reaches where the best path has it, the label's their
        product, as ``decode_greedy`` has them.

        There are fewer where the automaton has no more, or more than ``number * MOST_VYING`` beginnings vie.

        Args:
            log_probabilities: (frames, 12)
        """
        if not len(log_probabilities):
            return []
        frames = np.maximum(log_probabilities.astype(np.float64), _FLOOR)
        sums = np.concatenate([np.zeros((1, frames.shape[1])), frames.cumsum(axis=0)]).T
        different: dict[str, Hypothesis] = {}
        for node, score in _best_first(sums, self._automaton, number * MOST_VYING):
            decoded = _decoded(node, frames, sums, frame_seconds)
            different.setdefault(decoded.digits, Hypothesis(decoded, score))
            if len(different) == number:
                break
        return list(different.values())


def _best_first(sums: Scores, automaton: Automaton, most: int) -> Iterator[tuple[_Node, float]]:
    """Complete labels and their scores, best first, until ``most`` beginnings were followed.

    Args:
        sums: (12, frames + 1): of the log-probabilities of the frames before each.
    """
    ahead = _Ahead(sums, int(automaton.remaining[automaton.start]).bit_length() - 1)
    queue: list[_Entry] = []
    ties = count()

    def push(score: float, depth: int, *entry: Any) -> None:
        # Of equals the longest first; rounded, since equals differ by their sums' last bits.
        if score > -np.inf:
            heapq.heappush(queue, _Entry(round(-score, 7), -depth, next(ties), *entry))

    push(0.0, 0, _Node(-1, None, np.full(sums.shape[1] - 1, -np.inf), sums[BLANK, 1:]), automaton.start, _UNSAID, 0.0)
    while queue and most:
        entry = heapq.heappop(queue)
        if entry.score is not None:
            yield entry.node, entry.score
            continue
        most -= 1
        arcs = slice(automaton.offsets[entry.state], automaton.offsets[entry.state + 1])
        labels, targets, costs = automaton.digits[arcs], automaton.targets[arcs], entry.cost + automaton.costs[arcs]
        owed = np.full(len(labels), max(entry.owed - 1, _PLAIN))
        if entry.owed == _PLAIN:
            labels, targets = np.append(labels, _STAR), np.append(targets, entry.state)
            costs, owed = np.append(costs, entry.cost), np.append(owed, _OWED)
        within, after = _extended(entry.node, labels, sums)
        scores = np.maximum(within[:, -1], after[:, -1]) - costs - automaton.final_costs[targets]
        scores[owed > 0] = -np.inf
        bounds = ahead.bounds(labels, within, after, automaton.remaining[targets], owed) - costs
        for row in range(len(labels)):
            node = _Node(int(labels[row]), entry.node, within[row], after[row])
            rest = int(targets[row]), int(owed[row]), float(costs[row])
            push(float(bounds[row]), 1 - entry.minus_depth, node, *rest)
            push(float(scores[row]), 1 - entry.minus_depth, node, *rest, float(scores[row]))


def _extended(node: _Node, labels: npt.NDArray[np.integer], sums: Scores) -> tuple[Scores, Scores]:
    """One character more, for each of the labels: (labels, frames) within it, and in blank after it."""
    leaving = np.maximum(node.within, node.after)
    left = np.broadcast_to(
        np.append(0.0 if node.before is None else -np.inf, leaving[:-1]), (len(labels), len(leaving))
    )
    if (again := labels == node.label).any():  # a repeated character needs a blank between
        left = np.where(again[:, None], np.append(-np.inf, node.after[:-1]), left)
    own = sums[labels]
    within = own[:, 1:] + np.maximum.accumulate(left - own[:, :-1], axis=1)
    blank = sums[BLANK]
    after = np.full_like(within, -np.inf)
    after[:, 1:] = blank[2:] + np.maximum.accumulate(within[:, :-1] - blank[1:-1], axis=1)
    return within, after


class _Ahead:
    """Upper bounds of what the remaining frames can add, by how many digits they must still bring."""

    def __init__(self, sums: Scores, most: int) -> None:
        """``most``: digits; more than there are frames or ``LONGEST`` are not needed."""
        self._sums = sums
        frames = sums.shape[1] - 1
        # enter[r][l][t]: frames t… bring just r digits, the first character of which is not l; l = 11: it may be any.
        self._enter = [np.tile(np.where(np.arange(frames + 1) == frames, 0.0, -np.inf), (len(LABELS) + 1, 1))]
        for digits in range(1, min(most, frames, LONGEST) + 1):
            self._enter.append(_first_but(self._inside(self._enter[-1], np.arange(10))))
            if digits >= 3:
                self._enter[-1] = self._with_star(self._enter[-1])

    def bounds(
        self,
        labels: npt.NDArray[np.integer],
        within: Scores,
        after: Scores,
        masks: npt.NDArray[np.uint64],
        owed: npt.NDArray[np.integer],
    ) -> Scores:
        """(labels,): the best that any continuation of each by at least one digit can reach in all."""
        best = np.full(len(labels), -np.inf)
        union = int(np.bitwise_or.reduce(masks)) if len(masks) else 0
        for digits in range(1, min(len(self._enter), union.bit_length())):
            rows = np.flatnonzero((masks >> np.uint64(digits) & np.uint64(1)).astype(bool) & (owed <= digits))
            if not len(rows):
                continue
            enter = self._enter[digits]
            direct = (within[rows] + enter[labels[rows], 1:]).max(axis=1)
            by_blank = (after[rows] + enter[-1, 1:]).max(axis=1)
            best[rows] = np.maximum(best[rows], np.maximum(direct, by_blank))
        return best

    def _inside(self, enter: Scores, labels: npt.NDArray[np.integer]) -> Scores:
        """(labels, frames + 1): frames t… that begin within each label and go on to what ``enter`` has."""
        blank, own = self._sums[BLANK], self._sums[labels]
        # In blank from t to s - 1, at least one frame, then the next character at s.
        in_blank = np.full_like(blank, -np.inf)
        in_blank[:-1] = _running((blank + enter[-1])[1:]) - blank[:-1]
        # Within l from t to s - 1, at least one frame; then another character, or blank, at s.
        following = np.maximum(enter[labels], in_blank)
        inside = np.full_like(own, -np.inf)
        inside[:, :-1] = _running((own + following)[:, 1:]) - own[:, :-1]
        return inside

    def _with_star(self, enter: Scores) -> Scores:
        with_star = np.maximum(enter, self._inside(enter, np.array([_STAR])))
        with_star[_STAR] = enter[_STAR]
        return with_star


def _running(scores: Scores) -> Scores:
    """Maxima over this place and all after it."""
    return np.maximum.accumulate(scores[..., ::-1], axis=-1)[..., ::-1]


def _first_but(inside: Scores) -> Scores:
    """(12, frames + 1): the best first character at t that is not l, for each l; and of all."""
    order = np.argpartition(inside, -2, axis=0)
    columns = np.arange(inside.shape[1])
    best, second = inside[order[-1], columns], inside[order[-2], columns]
    others = np.tile(best, (len(LABELS) + 1, 1))
    others[order[-1], columns] = second
    others[-1] = best
    return others


def _decoded(node: _Node, frames: Scores, sums: Scores, frame_seconds: float) -> Decoded:
    """The label, and where its best path has each character."""
    characters: list[Character] = []
    at = len(frames) - 1
    one: _Node | None = node
    in_blank = node.after[at] > node.within[at]
    while one is not None and one.before is not None:
        if in_blank:  # when it began
            at = int(np.argmax(one.within[:at] - sums[BLANK, 1 : at + 1]))
        before = one.before
        left = before.after if one.label == before.label else np.maximum(before.within, before.after)
        left = np.append(0.0 if before.before is None else -np.inf, left[:-1])
        start = int(np.argmax(left[: at + 1] - sums[one.label, : at + 1]))
        highest = math.exp(min(0.0, float(frames[start : at + 1, one.label].max())))
        span = start * frame_seconds, (at + 1) * frame_seconds
        characters.append(Character(LABELS[one.label], *span, highest))
        at = start - 1
        in_blank = one.label == before.label or (at >= 0 and before.after[at] >= before.within[at])
        one = before
    characters.reverse()
    label = "".join(character.label for character in characters)
    return Decoded(label, math.prod(character.confidence for character in characters), tuple(characters))
