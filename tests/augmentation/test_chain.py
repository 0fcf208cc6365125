"""What becomes of a perturbation that fails, and of the random numbers."""

import random

import numpy as np
import pytest
from augmentation.sounds import clips, speech
from hypothesis import given, settings
from hypothesis import strategies as st

from spoken_numbers.augmentation.chain import Chain, Step
from spoken_numbers.augmentation.config import PERTURBATIONS, chain_of, prove
from spoken_numbers.augmentation.perturbation import AugmentationError


@pytest.fixture(scope="module")
def everything(tmp_path_factory):
    """Every perturbation that there is, at probability 1, as a config names them."""
    folder = tmp_path_factory.mktemp("clips")
    rng = np.random.default_rng(0)
    noise = {f"n{i}": (rng.standard_normal(16_000) * 0.1).astype(np.float32) for i in range(3)}
    fading = np.exp(-np.arange(8000) / 900)
    room = {f"r{i}": (rng.standard_normal(8000) * fading).astype(np.float32) for i in range(9)}
    files = {
        "noise": str(clips(folder, noise, "noise.json")),
        "impulse": str(clips(folder, room, "rooms.json")),
        "babble": str(clips(folder, {f"v{i}": speech(seed=i) for i in range(9)}, "voices.json")),
    }
    return {name: {"prob": 1.0, **({"manifest_path": files[name]} if name in files else {})} for name in PERTURBATIONS}


def breathing(seed=0):
    waveform = speech(seed=seed)
    waveform[-2000:] = 0.03 * speech(seed=seed)[5500:7500]
    return waveform


def test_every_perturbation_changes_speech_and_the_seed_alone_decides_how(everything):
    chain = chain_of(everything)
    prove(chain, [breathing(), breathing(seed=1)])
    for step in chain.steps:
        first, again, other = (step.perturbation(breathing(), np.random.default_rng(seed)) for seed in (1, 1, 2))
        assert first.tobytes() == again.tobytes(), step.name
        assert first.shape != other.shape or not np.array_equal(first, other), step.name


def test_no_global_generator_is_touched(everything):
    random.seed(1)
    np.random.seed(1)
    before = random.getstate(), np.random.get_state()[1].tolist()
    chain_of(everything)(speech(), np.random.default_rng(0))
    assert (random.getstate(), np.random.get_state()[1].tolist()) == before


@settings(max_examples=25, deadline=None)
@given(samples=st.integers(0, 3000), level=st.sampled_from([0.0, 1e-6, 0.1, 1.0]), seed=st.integers(0, 999))
def test_no_length_and_no_level_makes_a_perturbation_fail(everything, samples, level, seed):
    chain = chain_of({name: keys for name, keys in everything.items() if name not in ("impulse", "noise", "babble")})
    waveform = (np.random.default_rng(seed).uniform(-1, 1, samples) * level).astype(np.float32)
    after = chain(waveform, np.random.default_rng(seed))
    assert after.dtype == np.float32
    assert np.isfinite(after).all()
    assert [o for o in chain.tally.outcomes() if o.failed] == []


def test_what_is_not_of_time_keeps_the_length(everything):
    for step in chain_of(everything).steps:
        for samples in (1600, 16_001, 40_000):
            after = step.perturbation(speech(3.0)[:samples].copy(), np.random.default_rng(0))
            of_time = step.name in ("speed", "tempo", "silence") or (step.name == "pauses" and samples > 10_000)
            assert (len(after) == samples) is not of_time, step.name


def broken(waveform, rng):
    raise ValueError("the disk is gone")


def endless(waveform, rng):
    return np.full_like(waveform, np.inf)


def shorter(waveform, rng):
    return waveform[: len(waveform) // 2]


def louder(waveform, rng):
    return waveform * 2


def test_failures_are_counted_and_the_utterance_goes_on_without_them():
    chain = Chain([Step("a", 1, broken), Step("b", 1, louder), Step("c", 1, endless), Step("d", 0, broken)], 3)
    for process in range(3):
        after = chain(np.ones(100, np.float32), np.random.default_rng(0), process=process)
        np.testing.assert_array_equal(after, np.full(100, 2, np.float32))
    told = {outcome.name: outcome for outcome in chain.tally.outcomes()}
    assert [(o.ran, o.failed) for o in told.values()] == [(3, 3), (3, 0), (3, 3), (0, 0)]
    assert told["a"].message == "the disk is gone"
    assert "not finite" in told["c"].message


def test_a_perturbation_that_leaves_too_little_for_the_label_is_taken_back():
    chain = Chain([Step("shorter", 1, shorter), Step("louder", 1, louder)])
    assert len(chain(np.ones(100, np.float32), np.random.default_rng(0), shortest=60)) == 100
    assert len(chain(np.ones(100, np.float32), np.random.default_rng(0), shortest=50)) == 50
    already = chain(np.ones(100, np.float32), np.random.default_rng(0), shortest=200)
    assert len(already) == 100
    assert chain.tally.outcomes()[0][1:4] == (3, 0, 2)


def test_what_there_was_before_a_step_is_kept_whether_or_not_that_runs():
    chain = Chain([Step("louder", 1, louder), Step("b", 0, shorter), Step("c", 1, shorter)], before="b")
    for length in (100, 60):
        assert len(chain(np.ones(length, np.float32), np.random.default_rng(0))) == length // 2
        np.testing.assert_array_equal(chain.kept, np.full(length, 2, np.float32))


def test_probability_is_kept():
    chain = Chain([Step("louder", 0.3, louder)])
    rng = np.random.default_rng(0)
    for _ in range(3000):
        chain(np.ones(4, np.float32), rng)
    assert chain.tally.outcomes()[0].ran / 3000 == pytest.approx(0.3, abs=0.03)


@pytest.mark.parametrize(
    ("augment", "told"),
    [
        ({"sped": {"prob": 1}}, "did you mean 'speed'?"),
        ({"speed": {}}, "prob is None"),
        ({"speed": {"prob": 1.5}}, "augment.speed"),
        ({"speed": {"prob": 1, "max_speed": 2}}, "did you mean 'max_speed_rate'?"),
        ({"gain": {"prob": 1, "min_gain_dbfs": "loud"}}, "augment.gain"),
        ({"gain": {"prob": 1, "rng": 3}}, "seed seeds every perturbation"),
        ({"noise": {"prob": 1}}, "no manifest_path"),
        ({"noise": {"prob": 1, "manifest_path": "nowhere.json"}}, "cannot read manifest"),
        ({"transcode_aug": {"prob": 1, "codecs": ["g729"]}}, "g729"),
    ],
)
def test_a_mistake_is_one_sentence_that_names_the_key(augment, told):
    with pytest.raises(AugmentationError) as caught:
        chain_of(augment)
    assert told in str(caught.value)
    assert "augment" in caught.value.where
    assert "\n" not in str(caught.value)


def test_what_does_nothing_or_breaks_is_found_before_training():
    with pytest.raises(AugmentationError, match="changes nothing"):
        prove(Chain([Step("still", 0.1, lambda waveform, rng: waveform)]), [speech()])
    with pytest.raises(AugmentationError, match="the disk is gone"):
        prove(Chain([Step("broken", 0.0, broken)]), [speech()])
    with pytest.raises(AugmentationError, match="no usable audio"):
        prove(Chain([Step("loud", 0.1, endless)]), [speech()])
