"""Russian for Kokoro, which was not taught it: eSpeak NG's phonemes as the sounds that it knows of other languages.

Its voices speak as foreigners would who know the words. https://github.com/hexgrad/misaki has eSpeak NG do the same for
most of the languages that Kokoro was taught.
"""

import random
import re
from functools import cache

from spoken_numbers.synthesis.engine import Voice, spoken_by, word_by_word
from spoken_numbers.synthesis.espeak import stressed

ACCENT = "ru-foreign"

_SOUNDS = {
    # eSpeak NG's: Kokoro's, of which a voice keeps to one. The longest first.
    "ɭɭʲ": "lʲ lj",
    "tʃʲ": "ʨ ʧ",
    "dts": "ʦ",
    "ts": "ʦ",
    "jj": "j",
    "ɭʲ": "lʲ ʎ",
    "ɭ": "lʲ ʎ l",
    "ɪ^": "",
    '"': "",
    r"ʲ(?=ˈ?[aeiouɑɪɵʌ])": "ʲ j",
    "y": "ɨ",
    "ɵ": "ɔ o",
    "ɑ": "ɑ a",
    "ʌ": "ɐ ə a",
    "ɛ": "ɛ e",
    "r": "r ɾ",
    "x": "x h",
}
_ANY = re.compile("|".join(f"({sound if '(' in sound else re.escape(sound)})" for sound in _SOUNDS))


def pronounced(text: str, voice: Voice) -> str | None:
    """Kokoro's phonemes of Russian words with commas; None where there are none.

    Raises:
        EngineError: eSpeak NG is not installed.
    """
    rng = random.Random(voice.name)
    habits = [rng.choice(sounds.split() or [""]) for sounds in _SOUNDS.values()]
    return word_by_word(text, lambda word: _ANY.sub(lambda found: habits[(found.lastindex or 0) - 1], _phonemes(word)))


@cache
def _phonemes(word: str) -> str:
    return spoken_by(["espeak-ng", "-q", "--ipa", "-v", "ru", "--", stressed(word)]).decode().strip()
