"""What is said."""

import random
import re

import pytest

from spoken_numbers.errors import UserError
from spoken_numbers.labels import STYLES, digit_string, label_of, number_words, speak
from spoken_numbers.synthesis.text import AMONG, OTHER, Texts, parse, with_pauses


@pytest.mark.parametrize("language", ["en", "ru"])
@pytest.mark.parametrize("style", STYLES)
def test_the_text_given_to_an_engine_reads_back_as_the_label(language, style):
    texts = Texts(language, {style: 1.0}, (1, 9), below=1_000_000_000)
    for seed in range(300):
        _, spoken, text = texts.draw(random.Random(seed))
        assert text.replace(",", "") == spoken.words
        assert label_of(text, language) == spoken.label


@pytest.mark.parametrize("words", ["double five triple oh", "twenty three forty one", "three hundred and five"])
def test_a_pause_breaks_no_number_in_two(words):
    spoken = speak("1", "digits")
    spoken = type(spoken)(words, label_of(words))
    for seed in range(100):
        parts = with_pauses(spoken, "en", random.Random(seed)).split(", ")
        assert "".join(label_of(part) for part in parts) == spoken.label


def test_after_a_thousand_people_pause():
    spoken = speak(5_200_003, "cardinal")
    texts = {with_pauses(spoken, "en", random.Random(seed)) for seed in range(50)}
    assert "five million, two hundred thousand, three" in texts
    assert all(set(re.findall(r"(\w+),", text)) <= {"million", "thousand"} for text in texts)


@pytest.mark.parametrize("language", ["en", "ru"])
def test_other_words_are_no_numbers_and_a_number_among_them_is_whole(language):
    numbers = number_words(language) - {"a", "and"}
    for seed in range(300):
        _, other, text = Texts(language, {OTHER: 1.0}).draw(random.Random(seed))
        assert other.label == ""
        assert text == other.words == " ".join(re.findall(r"[^\W\d_]+(?:'[^\W\d_]+)*", text))
        assert not {word.replace("ё", "е") for word in text.split()} & numbers
        _, among, text = Texts(language, {AMONG: 1.0}, (1, 9)).draw(random.Random(seed))
        words = among.words.split()
        assert text.replace(",", "").split() == words
        held = [at for at, word in enumerate(words) if word.replace("ё", "е") in numbers]
        start = held[0] - (words[held[0] - 1] == "a" and held[0] > 0 and words[held[0]] in ("hundred", "thousand"))
        assert label_of(" ".join(words[start : held[-1] + 1]), language) == among.label
        assert start > 0 or held[-1] + 1 < len(words)


def test_a_number_among_other_words_is_of_the_styles_asked_for():
    texts = Texts(styles={AMONG: 1, "cardinal": 1}, below=1200)
    drawn = [texts.draw(random.Random(seed)) for seed in range(100)]
    assert {style for style, _, _ in drawn} == {AMONG, "cardinal"}
    assert all(int(digit_string(spoken.label)) < 1200 for _, spoken, _ in drawn)
    coded = Texts(styles={AMONG: 1}, pattern=r"0\d{2}")
    assert all(re.fullmatch(r"0\d{2}", coded.draw(random.Random(seed))[1].label) for seed in range(50))


def test_length_pattern_and_limit_are_kept():
    for seed in range(200):
        rng = random.Random(seed)
        assert 4 <= len(Texts(styles={"digits": 1, "groups": 1}, length=(4, 8)).draw(rng)[1].label) <= 8
        assert re.fullmatch(
            r"4\d{3}|9[01]{2}", Texts(styles={"groups": 1}, pattern=r"4\d{3}|9[01]{2}").draw(rng)[1].label
        )
        assert re.fullmatch(r"\*?[1-9]\d\*\d{3}", Texts(styles={"cardinal": 1}, pattern=r"\d{5}").draw(rng)[1].label)
        assert int(digit_string(Texts(styles={"cardinal": 1}, below=1200).draw(rng)[1].label)) < 1200


@pytest.mark.parametrize(
    "change",
    [
        {"styles": "digits=0"},
        {"styles": "digits=x"},
        {"styles": "sung=1"},
        {"styles": "digits,digits"},
        {"styles": ""},
        {"length": "0"},
        {"length": "6-3"},
        {"length": "long"},
        {"length": "1-99"},
        {"pattern": "4("},
        {"language": "xx"},
    ],
)
def test_a_specification_that_cannot_be_used_is_an_error(change):
    usual = {"language": "en", "styles": "digits", "length": "3-6", "pattern": None, "below": 1000}
    with pytest.raises(UserError):
        parse(**(usual | change))


@pytest.mark.parametrize(("style", "pattern"), [("digits", "a{3}"), ("cardinal", r"0\d")])
def test_a_pattern_that_gives_no_number_is_an_error(style, pattern):
    with pytest.raises(UserError, match="pattern"):
        Texts(styles={style: 1}, pattern=pattern).draw(random.Random(0))


def test_numbers_to_learn_from_have_rare_words_often_enough():
    texts = Texts(styles={"groups": 1, "cardinal": 1}, length=(2, 8))
    rates = []
    for to_learn in (False, True):
        spoken = [texts.draw(random.Random(seed), to_learn=to_learn)[1] for seed in range(2000)]
        assert all(label_of(one.words) == one.label for one in spoken)
        rates.append(sum("ten" in one.words.split() for one in spoken) / 2000)
    assert rates[0] < 0.02 < rates[1]
    few = Texts(styles={"cardinal": 1}, below=1150)
    drawn = [few.draw(random.Random(seed), to_learn=True)[1].label for seed in range(2000)]
    assert all(int(digit_string(label)) < 1150 for label in drawn)
