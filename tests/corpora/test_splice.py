"""Spliced strings sound as one recording: no clipping, no hole of digital silence, every digit whole."""

from itertools import pairwise

import corpus_makers as makers
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis.strategies import floats, integers, lists

from spoken_numbers.corpora.splice import PEAK, speech_bounds, splice


def takes_of(digits, level=1.0):
    return [(level * makers.said(str(digit), 0)).astype(np.float32) for digit in digits]


@settings(max_examples=60)
@given(digits=lists(integers(0, 9), min_size=1, max_size=8), level=floats(0.01, 2.8), seed=integers(0, 2**32))
def test_nothing_clips_and_no_gap_is_digital_silence(digits, level, seed):
    string, _ = splice(takes_of(digits, level), np.random.default_rng(seed))
    assert string.dtype == np.float32
    assert np.abs(string).max() <= PEAK + 1e-6
    pcm = np.round(string * 32767).astype(np.int16)
    quiet_run = max((len(run) for run in "".join("0" if s == 0 else "1" for s in pcm).split("1")), default=0)
    assert quiet_run < 160  # 10 ms


@settings(max_examples=60)
@given(digits=lists(integers(0, 9), min_size=2, max_size=8), seed=integers(0, 2**32))
def test_takes_follow_each_other_in_order_and_keep_their_speech(digits, seed):
    takes = takes_of(digits)
    string, spans = splice(takes, np.random.default_rng(seed))
    for take, (start, stop) in zip(takes, spans, strict=True):
        assert stop - start == np.ptp(speech_bounds(take)) >= 0.2 * 16_000
    for (_, stop), (start, _) in pairwise(spans):
        assert -0.06 * 16_000 <= start - stop <= 0.7 * 16_000
    assert 0.1 * 16_000 <= spans[0][0] <= 0.3 * 16_000
    assert 0.1 * 16_000 <= len(string) - spans[-1][1] <= 0.3 * 16_000 + 1


def test_a_shouted_and_a_whispered_take_come_to_one_level():
    loud, faint, usual = makers.said("1", 0), 0.3 * makers.said("2", 0), 0.6 * makers.said("3", 0)
    levels = []
    for seed in range(20):
        takes = [take.astype(np.float32) for take in (loud, faint, usual)]
        string, spans = splice(takes, np.random.default_rng(seed))
        levels.append([np.sqrt(np.square(string[start:stop]).mean()) for start, stop in spans])
    mean = 20 * np.log10(np.mean(levels, axis=0))
    assert np.ptp(mean) < 2  # dB; 10.5 before


@pytest.mark.parametrize("padding", ["digital zeros", "cut tight"])
def test_the_gaps_are_far_below_the_speech(padding):
    takes = [take[800:-800] for take in takes_of("3141")]
    if padding == "digital zeros":
        takes = [np.pad(take, 4_000) for take in takes]
    string, spans = splice(takes, np.random.default_rng(0))
    speech = np.concatenate([string[start + 500 : stop - 500] for start, stop in spans])
    lead = string[: spans[0][0]]
    assert 0 < np.sqrt(np.square(lead).mean()) <= 0.1 * np.sqrt(np.square(speech).mean())
