"""Lines narrow, colour, clip and lose as designed."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spoken_numbers.audio import SAMPLE_RATE
from spoken_numbers.augmentation.channel import (
    FADE,
    Band,
    Clipping,
    Equalise,
    PacketLoss,
    clip,
    conceal,
    equalise,
    limit_band,
    lose_packets,
)

PACKET = SAMPLE_RATE // 50


def noise(samples=SAMPLE_RATE, level=0.1, seed=0):
    return (level * np.random.default_rng(seed).standard_normal(samples)).astype(np.float32)


def tone(hz=200.0, seconds=3.5):
    return (0.5 * np.sin(2 * np.pi * hz * np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE)).astype(np.float32)


def measured(change):
    """Frequencies in Hz and the response there to a click."""
    click = np.zeros(1 << 15, np.float32)
    click[0] = 1
    response = np.fft.rfft(change(click).astype(np.float64))
    hz = np.fft.rfftfreq(len(click), 1 / SAMPLE_RATE)
    audible = (hz > 20) & (hz < 7900)
    return hz[audible], response[audible]


def warped(hz):
    return np.tan(np.pi * np.asarray(hz) / SAMPLE_RATE)


@pytest.mark.parametrize("order", [2, 3, 6])
@pytest.mark.parametrize(("low", "high"), [(300, 3400), (0, 2500), (100, 7000), (400, 8000)])
def test_a_band_is_limited_by_butterworth_slopes(low, high, order):
    hz, response = measured(lambda click: limit_band(click, low, high, order))
    expected = np.ones(len(hz))
    if low:
        expected /= np.sqrt(1 + (warped(low) / warped(hz)) ** (2 * order))
    if high < 8000:
        expected /= np.sqrt(1 + (warped(hz) / warped(high)) ** (2 * order))
    assert np.abs(response) == pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize("order", [2, 6])
def test_a_band_limit_delays_speech_by_less_than_a_millisecond(order):
    wave = noise()
    limited = limit_band(wave.copy(), 400, 2500, order)
    lags = np.arange(-100, 101)
    similarity = [np.dot(wave[200:-200], limited[200 + lag : len(wave) - 200 + lag]) for lag in lags]
    assert abs(lags[np.argmax(similarity)]) < SAMPLE_RATE / 1000


@pytest.mark.parametrize("gain_db", [-8.0, 5.0])
@pytest.mark.parametrize(("kind", "hz", "q"), [("peak", 1200, 2), ("low shelf", 300, 0.7), ("high shelf", 3000, 0.7)])
def test_an_equaliser_has_the_response_of_its_analogue_prototype(kind, hz, q, gain_db):
    found_at, response = measured(lambda click: equalise(click, [Band(kind, hz, gain_db, q)]))
    s, a = 1j * warped(found_at) / warped(hz), 10 ** (gain_db / 40)
    expected = {
        "peak": (s**2 + s * a / q + 1) / (s**2 + s / (a * q) + 1),
        "low shelf": a * (s**2 + np.sqrt(a) / q * s + a) / (a * s**2 + np.sqrt(a) / q * s + 1),
        "high shelf": a * (a * s**2 + np.sqrt(a) / q * s + 1) / (s**2 + np.sqrt(a) / q * s + a),
    }[kind]
    assert np.abs(response - expected).max() < 1e-3
    designed_at = {"peak": hz, "low shelf": 25, "high shelf": 7850}[kind]
    gain_there = 20 * np.log10(np.abs(response[np.argmin(np.abs(found_at - designed_at))]))
    assert gain_there == pytest.approx(gain_db, abs=0.15)


def test_an_equaliser_changes_the_colour_within_its_bounds_and_not_the_level():
    wave = noise()
    for seed in range(50):
        coloured = Equalise(max_gain_db=6, bands=2)(wave.copy(), np.random.default_rng(seed))
        assert np.std(coloured) == pytest.approx(np.std(wave), rel=1e-3)
        ratio = np.abs(np.fft.rfft(coloured)[50:]) / np.abs(np.fft.rfft(wave)[50:])
        assert 20 * np.log10(np.quantile(ratio, 0.99) / np.quantile(ratio, 0.01)) < 24 + 1


@pytest.mark.parametrize("share", [0.001, 0.01, 0.05])
@pytest.mark.parametrize("soft", [False, True])
def test_the_loudest_share_is_clipped_and_the_rest_left(share, soft):
    wave = noise(56_000)
    clipped = clip(wave.copy(), share, soft)
    changed = clipped != wave
    # Just over the threshold a rounded sample may be the same in float32.
    assert changed.mean() == pytest.approx(share, rel=0.04 if soft else 1e-3)
    threshold = np.sort(np.abs(wave))[-round(share * len(wave)) - 1]
    assert np.abs(wave[changed]).min() > threshold
    assert np.abs(clipped).max() <= threshold * (1.25001 if soft else 1)
    order = np.argsort(wave)
    assert (np.diff(clipped[order]) >= 0).all()


def test_the_drawn_share_is_clipped_within_the_bounds_both_ways():
    wave, tops = noise(20_000), []
    for seed in range(60):
        clipped = Clipping(0.01, 0.03)(wave.copy(), np.random.default_rng(seed))
        share = (clipped != wave).mean()
        assert 0.0099 < share < 0.0301
        tops.append((np.abs(clipped) == np.abs(clipped).max()).sum())
    assert 15 < sum(top > 1 for top in tops) < 45


@pytest.mark.parametrize("loss", [0.01, 0.05, 0.1, 0.2])
@pytest.mark.parametrize("mean_burst", [1.0, 1.8, 2.5])
def test_packets_are_lost_at_the_rate_asked_in_bursts_that_are_bounded(loss, mean_burst):
    rng = np.random.default_rng(1)
    lines = [lose_packets(175, loss, mean_burst, 4, rng) for _ in range(2000)]
    assert np.mean(lines) == pytest.approx(loss, rel=0.06)
    whole = np.concatenate([np.append(line, [False] * 3) for line in lines])
    starts, stops = np.flatnonzero(np.diff(whole, prepend=False, append=False)).reshape(-1, 2).T
    bursts = stops - starts
    assert bursts.max() <= 4
    assert (starts[1:] - stops[:-1]).min() >= 3
    stay = 1 - 1 / mean_burst
    assert bursts.mean() == pytest.approx((1 - stay**4) / (1 - stay), rel=0.05)


@given(seed=st.integers(0, 10_000), packets=st.integers(5, 30))
def test_an_utterance_loses_a_packet_and_never_a_digit(seed, packets):
    wave = np.ones(packets * PACKET, np.float32)
    lost = PacketLoss(0.01, 0.02, repeated_share=0)(wave, np.random.default_rng(seed)) == 0
    assert lost.any()
    starts, stops = np.flatnonzero(np.diff(lost, prepend=False, append=False)).reshape(-1, 2).T
    assert (stops - starts).max() <= 0.08 * SAMPLE_RATE


@pytest.mark.parametrize("decay", [0.0, 0.7])
def test_what_was_received_stays_and_what_was_lost_is_concealed_without_a_click(decay):
    wave = tone(210)
    lost = np.zeros(175, bool)
    lost[[0, 20, 21, 22, 60, 174]] = True
    concealed = conceal(wave.copy(), lost, PACKET, decay)
    received = np.repeat(~lost, PACKET)
    assert np.array_equal(concealed[received], wave[received])
    inside = concealed[21 * PACKET : 22 * PACKET]
    assert (np.abs(inside).max() == 0) == (decay == 0)
    assert np.abs(np.diff(concealed)).max() < np.abs(np.diff(wave)).max() + 2 * 0.5 / FADE


def test_a_repeated_period_goes_on_as_the_voice_did_and_dies_away():
    wave, lost = tone(137), np.zeros(175, bool)
    lost[50:54] = True
    concealed = conceal(wave.copy(), lost, PACKET, 0.5)
    for packet in range(3):
        part = slice((50 + packet) * PACKET, (51 + packet) * PACKET)
        assert np.corrcoef(concealed[part], wave[part])[0, 1] > 0.9
        assert np.std(concealed[part]) / np.std(wave[part]) == pytest.approx(0.5 ** (packet + 0.5), rel=0.15)
