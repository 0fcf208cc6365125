"""English words that are no number words for Kokoro: eSpeak NG's phonemes as Kokoro writes them.

https://github.com/hexgrad/misaki/blob/main/EN_PHONES.md has Kokoro's; its authors, too, ask eSpeak NG for words that
their lexicon lacks.
"""

import re
from functools import cache

from spoken_numbers.synthesis.engine import spoken_by

_BOTH = {"tʃ": "ʧ", "dʒ": "ʤ", "aɪ": "I", "aʊ": "W", "eɪ": "A", "ɔɪ": "Y", "n̩": "ᵊn", "r": "ɹ"}
_AMERICAN = _BOTH | {"oʊ": "O", "ɜː": "ɜɹ", "ɚ": "əɹ", "ɾ": "T", "ː": ""}
_BRITISH = _BOTH | {"əʊ": "Q", "eə": "ɛː", "iə": "ɪə", "a": "æ"}


@cache
def phonemes(word: str, accent: str) -> str:
    """Kokoro's phonemes of a word in the accent ``gb``, or as an American says it; empty where there are none.

    Raises:
        EngineError: eSpeak NG is not installed.
    """
    sounds, voice = (_BRITISH, "en-gb") if accent == "gb" else (_AMERICAN, "en-us")
    spoken = spoken_by(["espeak-ng", "-q", "--ipa", "-v", voice, "--", word]).decode().strip()
    return re.sub("|".join(sounds), lambda found: sounds[found[0]], spoken)
