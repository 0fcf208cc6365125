"""Best-path CTC decoding."""

import math
from collections.abc import Sequence
from itertools import groupby

import numpy as np

from spoken_numbers.decoding.decoded import Character, Decoded, FloatArray
from spoken_numbers.labels import LABELS


def greedy(log_probabilities: FloatArray, labels: Sequence[str] = LABELS) -> str:
    """(frames, labels + 1) log-probabilities → the label of the best path (Graves et al. 2006, section 3.2)."""
    return collapse(log_probabilities.argmax(axis=-1).tolist(), labels)


def collapse(path: Sequence[int], labels: Sequence[str] = LABELS) -> str:
    """A path of label indices, one a frame → its label: repeats merged, blanks (the index after the last) left out."""
    return "".join(labels[index] for index, _ in groupby(path) if index != len(labels))


def decode_greedy(log_probabilities: FloatArray, frame_seconds: float) -> Decoded:
    """The best path's label; a ``Decoder``.

    A character's confidence is the highest posterior that it reaches, the label's their product: 1 for an empty label.
    It knows nothing of digits that were missed, and falls with the label's length.
    """
    path = log_probabilities.argmax(axis=-1)
    starts = np.flatnonzero(np.diff(path, prepend=-1))  # of each run of one label
    characters = []
    for start, end in zip(starts, [*starts[1:], len(path)], strict=True):
        if path[start] != len(LABELS):
            highest = math.exp(min(0.0, float(log_probabilities[start:end, path[start]].max())))
            span = float(start * frame_seconds), float(end * frame_seconds)
            characters.append(Character(LABELS[path[start]], *span, highest))
    label = "".join(one.label for one in characters)
    return Decoded(label, math.prod(one.confidence for one in characters), tuple(characters))
