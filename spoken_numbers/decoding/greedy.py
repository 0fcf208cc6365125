"""Best-path CTC decoding."""

from collections.abc import Sequence
from itertools import groupby

import numpy as np
import numpy.typing as npt

from spoken_numbers.labels import BLANK, LABELS


def greedy(log_probabilities: npt.NDArray[np.float32]) -> str:
    """(frames, 12) log-probabilities → the label of the best path (Graves et al. 2006, section 3.2)."""
    return collapse(log_probabilities.argmax(axis=-1).tolist())


def collapse(path: Sequence[int]) -> str:
    """A path of label indices, one a frame → its label: repeats merged, blanks left out."""
    return "".join(LABELS[index] for index, _ in groupby(path) if index != BLANK)
