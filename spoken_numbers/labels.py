"""The vocabulary, and digit string ⇄ label ⇄ spoken words.

How words are said and join into numbers is told in ``languages``.
"""

import re
from dataclasses import dataclass
from functools import cache
from random import Random

from spoken_numbers.languages import Kind, LabelError, Language, Word, read
from spoken_numbers.languages.english import ENGLISH
from spoken_numbers.languages.russian import RUSSIAN

__all__ = (
    *("BLANK", "LABELS", "LANGUAGES", "STYLES", "LabelError", "Spoken", "cardinal_label", "check_label"),
    *("digit_string", "label_of", "number_words", "speak", "with_rare_words"),
)

LABELS = ("0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "*")
"""What the network emits; ``*`` is a spoken "thousand" or "million"."""

BLANK = len(LABELS)
"""Index of the CTC blank: last, as NeMo has it."""

STYLES = ("digits", "groups", "cardinal")
"""Digit by digit, in pairs and other short groups, or as one number with thousands and millions."""

_LANGUAGES = {"en": ENGLISH, "ru": RUSSIAN}
LANGUAGES = tuple(_LANGUAGES)

_LARGEST_CARDINAL = 999_999_999


@dataclass(frozen=True)
class Spoken:
    """What to say, and the label that a recogniser should answer."""

    words: str
    label: str


def digit_string(label: str) -> str:
    """The label without its group separators: ``183*037`` → ``183037``."""
    return label.replace("*", "")


def check_label(label: str, where: str = "") -> None:
    """Pass a label that a spoken number can have; the empty one is speech without a number.

    Args:
        where: the label is; told beside it.

    Every ``*`` stands after a digit and before at least three: "five thousand twelve, twelve" is ``5*01212``.

    Raises:
        LabelError: says which character or separator is wrong.
    """
    for position, character in enumerate(label, 1):
        if character not in LABELS:
            raise LabelError(
                f"'{character}' (character {position}) is not in the vocabulary {''.join(LABELS)}",
                where=f"label '{label}'{where and ' of '}{where}",
                todo="write digits, and '*' for thousand and million",
            )
    if not re.fullmatch(r"\d*|\d+(\*\d{3,})+", label, re.ASCII):
        raise LabelError(
            "'*' needs a digit before it and three digits after it",
            where=f"label '{label}'{where and ' of '}{where}",
            todo="pad the groups with zeros: 1*000*002",
        )


def cardinal_label(number: int) -> str:
    """The label of a number read with its thousands and millions: 183037 → ``183*037``, 1000002 → ``1*000*002``.

    Raises:
        LabelError: negative, or more than 999 999 999.
    """
    if not 0 <= number <= _LARGEST_CARDINAL:
        raise LabelError(f"{number} cannot be read as a cardinal", todo="choose 0 to 999999999, or another style")
    return f"{number:,}".replace(",", "*")


def number_words(language: str = "en") -> frozenset[str]:
    """Every word that ``label_of`` knows, lower case, ``ё`` written ``е``; with "and" and the "a" of "a hundred".

    A text of these words alone can still be no number ("double", "a"): ``label_of`` decides.
    """
    return frozenset(_language(language).lexicon)


def speak(number: int | str, style: str, language: str = "en", rng: Random | None = None) -> Spoken:
    """Put a number into words that ``label_of`` reads back to the same label.

    Args:
        number: an integer, or a digit string, which may have leading zeros unless it is a cardinal.
        style: one of ``STYLES``.
        rng: chooses among variants (zero and oh, groups and doubles, "and", grammatical case); None says it plainly.

    Raises:
        LabelError: no number, a cardinal with leading zeros or above 999 999 999, an unknown style or language.
    """
    tongue = _language(language)
    digits = str(number)
    if not (digits.isascii() and digits.isdecimal()):
        raise LabelError(f"'{digits}' is no number", todo="give digits only")
    if style == "digits":
        return Spoken(tongue.digits(digits, rng), digits)
    if style == "groups":
        return Spoken(" ".join(_in_groups(digits, tongue, rng)), digits)
    if style != "cardinal":
        raise LabelError(f"unknown style '{style}'", todo=f"choose one of {', '.join(STYLES)}")
    if digits[0] == "0" and digits != "0":
        raise LabelError(f"{digits} cannot be read as a cardinal: leading zero", todo="choose another style")
    label = cardinal_label(int(digits))
    return Spoken(tongue.cardinal(int(digits), rng), label)


def with_rare_words(digits: str, style: str, rng: Random) -> str:
    """The digit string, every other time with 10 to 19 or a round ten put where ``style`` says it in one word.

    Digits drawn evenly are read as "ten" once in a hundred pairs, and as "five" ten times as often as "fifteen":
    too seldom to learn from.
    """
    if style == "digits" or len(digits) < 2 or rng.random() < 0.5:
        return digits
    pair = str(rng.choice((*range(10, 20), *range(10, 20), *range(20, 100, 10))))
    last = len(digits) - 2
    start = rng.randint(0, last) if style == "groups" else rng.randrange(last % 3, last + 1, 3)
    return digits[:start] + pair + digits[start + 2 :]


def label_of(words: str, language: str = "en") -> str:
    """Read spoken words: any run of digits, groups, doubles, cardinals and figures; no words give the empty label.

    Case, ``ё`` for ``е``, hyphens, commas and a full stop make no difference. What can attach to the words before it
    does: "twenty one" is 21 and "one hundred two" 102, but "one hundred five hundred" 100500.

    Raises:
        LabelError: names the first word that is no number word or cannot stand where it stands.
    """
    return read(words, _language(language))


@cache
def _language(name: str) -> Language:
    try:
        return _LANGUAGES[name]
    except KeyError:
        raise LabelError(f"unknown language '{name}'", todo=f"choose one of {', '.join(LANGUAGES)}") from None


# Group sizes in the order in which they are tried; pairs are what people say most.
_ORDERS = ((2, 3, 1), (2, 1), (2, 3, 1), (3, 2, 1), (3, 1), (1,), (4, 2, 3, 1))


def _in_groups(digits: str, language: Language, rng: Random | None, admits: int = 0) -> list[str]:
    """Groups none of which attaches to the one before: never "twenty" "one" for 201. Empty when there is no way.

    Args:
        admits: highest rank that would attach to the words before (see ``_rank``).
    """
    if rng is not None:
        sizes: tuple[int, ...] = rng.choice(_ORDERS)
    else:
        sizes = (language.odd_group, 1, 2) if len(digits) % 2 else (2, 1)
    for size in sizes:
        if size > len(digits):
            continue
        here, rest = digits[:size], digits[size:]
        group = language.group(here, rng) if size > 1 else language.digits(here, rng)
        if group is None:
            continue
        first, last = group.split(" ", 1)[0], group.rsplit(" ", 1)[-1]
        if 0 < _rank(first, language) <= admits:
            continue
        if not rest:
            return [group]
        following = _in_groups(rest, language, rng, _admitted(last, language))
        if following:
            return [group, *following]
    return []


_RANKS = {Kind.TEEN: 2, Kind.TENS: 2, Kind.HUNDREDS: 3}


def _lookup(word: str, language: Language) -> Word:
    return language.lexicon[word.replace("ё", "е")]


def _rank(word: str, language: Language) -> int:
    """What a group begins with: 1 unit, 2 teen or tens, 3 hundreds; 0 what never attaches (zero, "double")."""
    kind, value, *_ = _lookup(word, language)
    return (1 if value else 0) if kind is Kind.UNIT else _RANKS.get(kind, 0)


def _admitted(word: str, language: Language) -> int:
    """The highest rank that attaches to a group that ends with this word."""
    kind = _lookup(word, language).kind
    return 1 if kind is Kind.TENS else 2 if kind in (Kind.HUNDRED, Kind.HUNDREDS) else 0
