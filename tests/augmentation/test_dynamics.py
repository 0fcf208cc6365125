"""Soft sounds become softer or louder by what was asked for, and loud ones stay."""

import numpy as np
import pytest

from spoken_numbers.audio import SAMPLE_RATE
from spoken_numbers.augmentation.dynamics import Dynamics, expand

LOUD, SOFT = (slice(start + 4000, start + SAMPLE_RATE - 4000) for start in (0, SAMPLE_RATE))


def loud_then_soft(soft_db, level=0.3):
    noise = np.random.default_rng(0).standard_normal(2 * SAMPLE_RATE).astype(np.float32)
    noise[SAMPLE_RATE:] *= 10 ** (soft_db / 20)
    return np.float32(level) * noise


def change_in_db(before, after, part):
    return 20 * np.log10(np.std(after[part]) / np.std(before[part]))


@pytest.mark.parametrize(
    ("soft_db", "ratio", "threshold_db", "expected"),
    [
        (-30, 2, -15, -15),
        (-30, 0.5, -10, 10),
        (-25, 1.4, -5, -8),
        (-30, 3, -5, -20),
        (-40, 0.2, -5, 20),
        (-25, 2, -30, 0),
    ],
)
@pytest.mark.parametrize("level", [1e-4, 0.3])
def test_what_is_soft_moves_from_the_threshold_by_the_ratio_and_no_further_than_bounded(
    soft_db, ratio, threshold_db, expected, level
):
    wave = loud_then_soft(soft_db, level)
    changed = expand(wave.copy(), ratio, threshold_db, most_db=20)
    assert change_in_db(wave, changed, SOFT) == pytest.approx(expected, abs=0.5)
    assert change_in_db(wave, changed, LOUD) == pytest.approx(0, abs=0.1)


def test_the_gain_changes_within_some_hundredths_of_a_second_and_without_a_click():
    wave = np.ones(2 * SAMPLE_RATE, np.float32)
    wave[SAMPLE_RATE:] = 0.03
    gain = expand(wave.copy(), 3, -10, 25) / wave
    moving = np.flatnonzero(np.abs(np.diff(gain)) > 1e-6)
    assert np.abs(moving - SAMPLE_RATE).max() < 0.03 * SAMPLE_RATE
    assert np.abs(np.diff(gain)).max() < 0.02


def test_utterances_are_expanded_and_compressed_within_the_bounds():
    wave, changes = loud_then_soft(-40), []
    for seed in range(60):
        changed = Dynamics(0.5, 3, -30, -3, 12)(wave.copy(), np.random.default_rng(seed))
        changes.append(change_in_db(wave, changed, SOFT))
    assert -12.1 < min(changes) < -8
    assert 4 < max(changes) < 12.1
    assert sum(change < 0 for change in changes) > sum(change > 0 for change in changes) > 10
