"""Nobody is heard on both sides of a split."""

import pytest

from spoken_numbers.errors import UserError
from spoken_numbers.synthesis.engine import Voice
from spoken_numbers.synthesis.voices import SPLITS, split_voices

FORMANT = [
    Voice("formant", f"{gender}{n}", f"formant:{gender}{n}", accent, gender)
    for gender, count in (("F", 10), ("M", 30))
    for n in range(count)
    for accent in ("us", "gb")
]
CLIPPED = [Voice("clipped", name, person) for name, person in [("kal", "kal"), ("kal16", "kal"), ("rms", "rms")]]
SMOOTH = [Voice("smooth", name, name) for name in ("kal", "ked", "slt")]
ALL = FORMANT + CLIPPED + SMOOTH


def persons(split):
    return {voice.person for voice in split}


@pytest.mark.parametrize("seed", range(20))
def test_every_voice_is_in_one_split_with_all_voices_of_its_person(seed):
    split = split_voices(ALL, seed=seed)
    assert sorted(map(str, [voice for part in split.values() for voice in part])) == sorted(map(str, ALL))
    assert not persons(split["train"]) & persons(split["test"])
    assert not persons(split["train"]) & persons(split["validation"])
    assert not persons(split["validation"]) & persons(split["test"])


@pytest.mark.parametrize("seed", range(20))
def test_every_engine_of_two_persons_is_tested_on_one_and_trained_on_one(seed):
    split = split_voices(ALL, seed=seed)
    for name in ("test", "train"):
        assert {voice.engine for voice in split[name]} == {"formant", "clipped", "smooth"}
    assert "kal" in persons(split["train"]), "held out, it would be taken from two engines"


@pytest.mark.parametrize("seed", range(20))
def test_women_and_men_are_held_out_in_proportion(seed):
    split = split_voices(FORMANT, held_out=0.2, seed=seed)
    for name in ("test", "validation"):
        genders = [voice.gender for voice in split[name] if voice.accent == "us"]
        assert (genders.count("F"), genders.count("M")) == (2, 6)


def test_named_voices_replace_the_drawn_ones():
    split = split_voices(ALL, test=["smooth:kal"], validation=["rms", "formant:F3"])
    assert {voice.speaker for voice in split["test"]} == {"smooth:kal", "clipped:kal", "clipped:kal16"}
    assert persons(split["validation"]) == {"rms", "formant:F3"}


def test_an_engine_of_one_person_trains():
    split = split_voices([Voice("lone", "nsh", "nsh")])
    assert [len(split[name]) for name in SPLITS] == [1, 0, 0]


@pytest.mark.parametrize(
    ("test", "validation", "told"),
    [
        (["nobody"], [], "nobody"),
        (["kal"], ["kal"], "both|for test"),
    ],
)
def test_what_cannot_be_held_out_is_an_error(test, validation, told):
    with pytest.raises(UserError, match=told):
        split_voices(CLIPPED + SMOOTH, test=test, validation=validation)
