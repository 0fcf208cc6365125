"""Speed against an independent high-quality resampler."""

from fractions import Fraction

import numpy as np
import pytest
import scipy.signal
from hypothesis import given, settings
from hypothesis import strategies as st

from spoken_numbers.augmentation.speed import Speed


def band_limited(samples, seed=0):
    noise = np.random.default_rng(seed).standard_normal(samples)
    sos = scipy.signal.butter(12, 5000, output="sos", fs=16_000)
    faded = scipy.signal.sosfiltfilt(sos, noise) * scipy.signal.windows.tukey(samples, 0.1)
    return (0.3 * faded / np.abs(faded).max()).astype(np.float32)


@pytest.mark.parametrize("rate", [0.8, 0.85, 0.9, 1.1, 1.15, 1.25])
@pytest.mark.parametrize("quality", ["kaiser_fast", "kaiser_best"])
def test_speed_lies_within_50_db_of_a_fourier_resampler(rate, quality):
    exact = Fraction(str(rate))
    waveform = band_limited(2400 * exact.numerator)
    ours = Speed(16_000, quality, rate, rate)(waveform.copy(), np.random.default_rng(0))
    reference = scipy.signal.resample(waveform.astype(np.float64), 2400 * exact.denominator)
    assert abs(len(ours) - len(reference)) <= 1
    common = min(len(ours), len(reference))
    error = ours[:common] - reference[:common]
    assert 10 * np.log10(np.mean(error**2) / np.mean(reference**2)) < -50


@settings(max_examples=50)
@given(st.integers(1, 20_000), st.floats(0.5, 2.0))
def test_length_is_the_original_over_the_factor(samples, rate):
    after = Speed(min_speed_rate=rate, max_speed_rate=rate)(np.ones(samples, np.float32), np.random.default_rng(0))
    assert abs(len(after) - samples / rate) <= 1
    assert after.dtype == np.float32


def test_a_number_of_rates_is_a_grid():
    speed = Speed(min_speed_rate=0.8, max_speed_rate=1.2, num_rates=5)
    lengths = {len(speed(np.zeros(9600, np.float32), np.random.default_rng(seed))) for seed in range(60)}
    assert lengths == {8000, 8727, 9600, 10667, 12000}


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ({"sr": 8000}, "16000 Hz"),
        ({"resample_type": "sinc"}, "choose among kaiser_best"),
        ({"min_speed_rate": 1.2, "max_speed_rate": 0.8}, "give the smaller one first"),
        ({"min_speed_rate": 0.0}, "both from 0.25 to 4"),
    ],
)
def test_keys_that_make_no_sense_are_refused(keys, told):
    with pytest.raises(ValueError, match=told):
        Speed(**keys)
