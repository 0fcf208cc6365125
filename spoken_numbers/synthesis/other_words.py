"""Words that are no number: what people say in place of one, before it and after it."""

import random
import re
from functools import cache

from faker import Faker

from spoken_numbers.labels import number_words

_LOCALES = {"en": "en_US", "ru": "ru_RU"}
_KINDS = ("sentence", "sentence", "word", "name", "city", "country", "job", "day_of_week", "month_name", "catch_phrase")
"""Faker's; a sentence is of a thousand usual words."""

_SOUND_ALIKE = frozenset({"ate", "fore", "for", "o", "owe", "owes", "to", "too", "won"})
"""English words that are spoken as number words are, or may be where they are stressed."""


def other_words(language: str, rng: random.Random, most: int = 10) -> str:
    """One to ``most`` words in lower case, none of which is a number word or sounds like one.

    Args:
        language: one of ``labels.LANGUAGES``.
    """
    fake = _faker(language)
    fake.seed_instance(rng.getrandbits(32))
    numbers = (number_words(language) | _SOUND_ALIKE) - {"a", "and"}
    while True:
        said = re.findall(r"[^\W\d_]+(?:'[^\W\d_]+)*", getattr(fake, rng.choice(_KINDS))().lower())
        kept = [word for word in said if word.replace("ё", "е") not in numbers]
        if kept:
            return " ".join(kept[: rng.randint(1, most)])


@cache
def _faker(language: str) -> Faker:
    return Faker(_LOCALES[language])
