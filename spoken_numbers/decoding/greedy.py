"""Best-path CTC decoding."""

from collections.abc import Sequence
from itertools import groupby

import numpy as np
import numpy.typing as npt

from spoken_numbers.labels import LABELS


def greedy(log_probabilities: npt.NDArray[np.float32], labels: Sequence[str] = LABELS) -> str:
    """(frames, labels + 1) log-probabilities → the label of the best path (Graves et al. 2006, section 3.2)."""
    return collapse(log_probabilities.argmax(axis=-1).tolist(), labels)


def collapse(path: Sequence[int], labels: Sequence[str] = LABELS) -> str:
    """A path of label indices, one a frame → its label: repeats merged, blanks (the index after the last) left out."""
    return "".join(labels[index] for index, _ in groupby(path) if index != len(labels))
