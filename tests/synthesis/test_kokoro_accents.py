"""Kokoro's voices in the accents of people from elsewhere."""

import json
import shutil

import pytest

from spoken_numbers.labels import number_words
from spoken_numbers.synthesis import kokoro
from spoken_numbers.synthesis.engine import Line
from spoken_numbers.synthesis.finish import fault, trimmed
from spoken_numbers.synthesis.kokoro_accents import KokoroAccents, accented
from spoken_numbers.synthesis.voices import split_voices

ENGINE = KokoroAccents()
VOICES = ENGINE.voices("en")
ACCENTS = sorted({voice.accent for voice in VOICES})
INSTALLED = pytest.mark.skipif(ENGINE.version() is None, reason=f"needs {ENGINE.install}")
EVERY_WORD = " ".join(sorted(number_words("en")))


def in_accent(accent):
    return [voice for voice in VOICES if voice.accent == accent]


def test_every_voice_has_every_accent_and_only_in_english():
    own = {voice.name for voice in kokoro.Kokoro().voices("en")}
    assert all({voice.name.split("@")[0] for voice in in_accent(accent)} == own for accent in ACCENTS)
    assert ENGINE.voices("ru") == []


def test_who_is_held_out_is_in_every_accent():
    """By the person that Kokoro's own voice counts as, so that one corpus never trains what the other tests."""
    person = next(voice.person for voice in kokoro.Kokoro().voices("en") if voice.name == "jf_alpha")
    test = split_voices(VOICES, test=[person], validation=[VOICES[0].person])["test"]
    assert {voice.name for voice in test} == {voice.name for voice in VOICES if "jf_alpha" in voice.person}
    assert {voice.accent for voice in test} == set(ACCENTS)


@pytest.mark.parametrize(
    ("accent", "words", "among"),
    [
        ("scottish", "eight", {"ˈet", "ˈeːt"}),
        ("new_zealand", "ten", {"tˈɪn", "tˈen"}),
        ("indian", "two", {"tˈu", "ʈˈu"}),
        ("slavic", "five", {"fˈajv", "fˈajf"}),
        ("japanese", "eight", {f"ˈ{vowel}t{end}" for vowel in ("eː", "ei") for end in ("", "o")}),
        ("spanish", "three", {f"{th}{r}ˈi" for th in "tsθ" for r in "ɾr"}),
    ],
)
def test_sounds_give_way_to_the_accents_own(accent, words, among):
    assert {accented(words, voice) for voice in in_accent(accent)} == among


def test_a_voice_keeps_to_its_habits_and_others_have_others():
    for accent in ACCENTS:
        some = in_accent(accent)[::20]
        said = [accented(EVERY_WORD, voice) for voice in some]
        assert len(set(said)) > 1, accent
        assert said == [accented(EVERY_WORD, voice) for voice in some]
    assert len({word.rstrip(",") for word in accented("three, three, three", VOICES[5]).split()}) == 1
    assert accented("", VOICES[0]) is None


@INSTALLED
def test_kokoro_knows_every_sound():
    known = set(json.loads((kokoro.FOLDER / kokoro.PHONEMES).read_text(encoding="utf-8")))
    for voice in VOICES[::7]:
        assert set(accented(EVERY_WORD, voice)) <= known, voice


@INSTALLED
@pytest.mark.slow
@pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="needs espeak-ng")
def test_voices_speak():
    words, label = "four two seven nine one oh", "427910"
    lines = [Line(words, in_accent(accent)[place]) for place, accent in enumerate(ACCENTS)]
    for line, rendering in zip(lines, ENGINE.render(lines), strict=True):
        assert fault(trimmed(rendering), words, label, 1.0) is None, line.voice
