"""Rounding to 8 bits loses at most half a step, keeps zero, and changes nothing that is rounded already."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from spoken_numbers.int8 import LARGEST, round_weights, scale_and_zero, weight_scales

magnitudes = st.floats(2**-20, 2**14, width=32)
bounds = st.one_of(st.just(0.0), magnitudes, magnitudes.map(lambda value: -value))
weights = arrays.arrays(
    np.float32,
    arrays.array_shapes(min_dims=2, max_dims=3, max_side=8),
    elements=st.one_of(st.just(0.0), st.floats(2**-10, 8, width=32), st.floats(-8, -(2**-10), width=32)),
)


@given(bounds, bounds)
def test_a_range_of_activations_holds_its_ends_and_zero(one, other):
    scale, zero = scale_and_zero(min(one, other), max(one, other))
    assert scale > 0
    lowest, highest = (float(scale) * (end - int(zero)) for end in (0, 255))
    step = float(scale) * 0.5001  # zero is rounded to an integer, by half a step at most
    assert lowest - step <= min(one, other, 0)
    assert highest + step >= max(one, other, 0)


@given(weights)
def test_a_weight_is_off_by_half_a_step_at_most(weight):
    rounded, scale = round_weights(weight)
    steps = scale.astype(np.float32).reshape(-1, *[1] * (weight.ndim - 1))
    assert rounded.dtype == np.int8
    assert np.abs(rounded.astype(int)).max() <= LARGEST
    assert np.all(np.abs(rounded * steps - weight) <= steps * 0.5001)


@given(weights)
def test_rounding_again_changes_nothing(weight):
    rounded, scale = round_weights(weight)
    steps = scale.astype(np.float32).reshape(-1, *[1] * (weight.ndim - 1))
    settled = (rounded * steps).astype(np.float32)
    reach = np.abs(rounded.reshape(len(rounded), -1)).max(axis=1)
    again, scale_again = round_weights(settled)
    full = reach == LARGEST  # float16 steps are rounded up, so a channel may reach 126 alone
    np.testing.assert_array_equal(again[full], rounded[full])
    np.testing.assert_array_equal(scale_again[full], scale[full])


@given(arrays.arrays(np.float32, st.integers(1, 9), elements=st.floats(0, 100, width=32)))
def test_a_step_of_float16_cuts_no_weight_off(largest):
    scales = weight_scales(largest)
    assert scales.dtype == np.float16
    assert np.all(scales.astype(np.float64) * LARGEST >= largest)
    assert np.all(scales > 0)
