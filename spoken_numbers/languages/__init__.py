"""What a language must tell about its number words; one module per language."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from random import Random
from typing import NamedTuple


class Kind(Enum):
    """The part a number word plays."""

    UNIT = auto()  # 0 … 9
    TEEN = auto()  # 10 … 19
    TENS = auto()  # 20, 30 … 90
    HUNDREDS = auto()  # 100, 200 … 900 in one word: "двести"
    HUNDRED = auto()  # multiplies what stands before it
    SCALE = auto()  # thousand (value 1), million (value 2)
    REPEAT = auto()  # "double", "triple": the digit that follows, value times
    COUNTED = auto()  # "семёрки": the digit, as often as the unit before it says
    AND = auto()
    ARTICLE = auto()  # "a" hundred


class Word(NamedTuple):
    """One reading of one number word."""

    kind: Kind
    value: int = 0
    counted: bool = False
    """May also follow a count: "нуля" is 0 in the genitive and the noun of "два нуля"."""
    alone: bool = False
    """A scale that needs no "one" even within a number: "миллион тысяча"."""


@dataclass(frozen=True)
class Language:
    """How numbers are said and read.

    Words are separated by one blank. ``rng`` chooses among variants; None stands for the plain canonical one.
    """

    name: str
    lexicon: Mapping[str, Word]
    """Lower-case word, ``ё`` written ``е`` → its reading."""
    digits: Callable[[str, Random | None], str]
    """A digit string, digit by digit."""
    cardinal: Callable[[int, Random | None], str]
    """0 … 999 999 999 as one number."""
    group: Callable[[str, Random | None], str | None]
    """Two to four digits said as one group, None when the language has no such group."""
    odd_group: int
    """Digits of the first group of an odd number of digits, when said plainly in pairs."""
