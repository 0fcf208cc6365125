"""Which calibration makes confidences true of the utterances of a manifest."""

import math
from collections.abc import Sequence

import numpy as np
from scipy.optimize import minimize
from scipy.special import log_expit

from spoken_numbers.assessment.evaluation import Reading
from spoken_numbers.decoding.confidence import Calibration
from spoken_numbers.errors import UserError


def fit(readings: Sequence[Reading]) -> Calibration:
    """Most likely slope and intercept, with Platt's targets, which keep them finite where nothing is wrong.

    Utterances answered with no digits do not count: their confidence is not calibrated.

    Raises:
        UserError: fewer than 20 answers.
    """
    answers = [(r.decoded.confidence, r.right) for r in readings if r.decoded.label and r.decoded.confidence > 0]
    if len(answers) < 20:
        raise UserError(f"{len(answers)} answers to calibrate on", where="--manifest", todo="give at least 20")
    logs = np.array([math.log(confidence) for confidence, _ in answers])
    right = np.array([correct for _, correct in answers])
    targets = np.where(right, (right.sum() + 1) / (right.sum() + 2), 1 / ((~right).sum() + 2))

    def cost(values: np.ndarray) -> float:
        logits = values[0] * logs + values[1]
        return -float(np.sum(targets * log_expit(logits) + (1 - targets) * log_expit(-logits)))

    slope, intercept = minimize(cost, [1.0, 1.0], bounds=[(0.0, None), (None, None)]).x
    return Calibration(float(slope), float(intercept))
