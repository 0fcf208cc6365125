"""What every perturbation of voice, line and dynamics owes: the same for a seed, finite at any length, no nonsense."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spoken_numbers.audio import SAMPLE_RATE
from spoken_numbers.augmentation.channel import BandLimit, Clipping, Equalise, PacketLoss
from spoken_numbers.augmentation.dynamics import Dynamics
from spoken_numbers.augmentation.voice import Formant, Pitch, Tempo

LOUDEST = {
    Tempo(): 4,
    Pitch(): 4,
    Formant(): 4,
    BandLimit(): 20,
    Equalise(): 20,
    Clipping(): 20,
    PacketLoss(): 20,
    Dynamics(): 20,
}
"""How many times as loud as what it is given each may make a sample."""


@pytest.mark.parametrize("perturb", LOUDEST, ids=lambda perturb: type(perturb).__name__)
def test_a_seed_gives_the_same_bytes_and_another_seed_others(perturb):
    wave = (0.1 * np.random.default_rng(0).standard_normal(2 * SAMPLE_RATE)).astype(np.float32)
    wave[SAMPLE_RATE:] *= 0.1
    first, again, other = (perturb(wave.copy(), np.random.default_rng(seed)).tobytes() for seed in (3, 3, 4))
    assert first == again
    assert first != other


@given(samples=st.integers(0, 3000), level=st.sampled_from([0.0, 1e-30, 1e-4, 1.0]), seed=st.integers(0, 99))
def test_any_length_and_level_comes_back_finite_and_as_long_as_it_was(samples, level, seed):
    rng = np.random.default_rng(seed)
    for wave in (rng.uniform(-level, level, samples), np.full(samples, level)):
        for perturb, loudest in LOUDEST.items():
            changed = perturb(wave.astype(np.float32), rng)
            assert changed.shape == (samples,) or isinstance(perturb, Tempo)
            assert changed.dtype == np.float32
            assert np.isfinite(changed).all()
            assert np.abs(changed).max(initial=0) <= loudest * level


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: Tempo(1.1, 0.9),
        lambda: Tempo(0, 1),
        lambda: Pitch(-40, 4),
        lambda: Formant(0.85, float("nan")),
        lambda: BandLimit(max_low_hz=2000),
        lambda: BandLimit(max_high_hz=9000),
        lambda: BandLimit(min_order=5, max_order=2),
        lambda: Equalise(max_gain_db=-1),
        lambda: Equalise(bands=0),
        lambda: Clipping(0.1, 0.01),
        lambda: PacketLoss(max_loss=0.5),
        lambda: PacketLoss(packet_ms=0),
        lambda: PacketLoss(max_burst_ms=10),
        lambda: PacketLoss(repeated_share=2),
        lambda: Dynamics(min_ratio=0),
        lambda: Dynamics(min_ratio=4),
        lambda: Dynamics(max_ratio=np.nan),
        lambda: Dynamics(min_threshold_db=0),
        lambda: Dynamics(max_threshold_db=30),
        lambda: Dynamics(max_change_db=-1),
    ],
)
def test_values_that_make_no_sense_are_refused(wrong):
    with pytest.raises(ValueError, match=r"give the smaller one first|less than an octave"):
        wrong()
