"""What a language must tell about its number words (one module per language), and how words join into numbers."""

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from random import Random
from typing import NamedTuple

from spoken_numbers.errors import UserError


class LabelError(UserError):
    """Text that is no spoken number, or no label."""


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


def read(words: str, language: Language) -> str:
    """The label of spoken words, as ``labels.label_of`` promises."""
    return _Reader(words, language).label()


_FIGURES = Word(Kind.UNIT, -1)
_END = Word(Kind.AND, -1)


class _Reader:
    """A left-to-right reading of one text; ``at`` is the word that is read next."""

    def __init__(self, words: str, language: Language) -> None:
        self.language = language
        self.written = re.sub("[,;]", " ", words).split()
        self.places: list[int] = []  # of each read word among the written ones: "twenty-one" is two words
        self.figures: list[str] = []
        self.words: list[Word] = []
        for place, written in enumerate(self.written):
            self.add(written, place)
        self.words += [_END, _END]
        self.at = 0

    def add(self, written: str, place: int) -> None:
        folded = unicodedata.normalize("NFC", written).casefold().replace("ё", "е").rstrip(".!?")
        for part in filter(None, re.split("[-‐‑–—]", folded)):
            known = self.language.lexicon.get(part) or (_FIGURES if part.isascii() and part.isdecimal() else None)
            if known is None:
                raise self.error(place, f"is no number word in {self.language.name}")
            self.words.append(known)
            self.figures.append(part)
            self.places.append(place)

    def error(self, place: int, fault: str) -> LabelError:
        return LabelError(
            f"'{self.written[place]}' {fault}",
            where=f"word {place + 1} of '{' '.join(self.written)}'",
            todo="correct the text or leave it out",
        )

    def misplaced(self) -> LabelError:
        return self.error(self.places[min(self.at, len(self.places) - 1)], "cannot stand here in a number")

    def next(self, ahead: int = 0) -> Word:
        return self.words[self.at + ahead]

    def take(self) -> Word:
        self.at += 1
        return self.words[self.at - 1]

    def label(self) -> str:
        parts = []
        while self.at < len(self.places):
            parts.append(self.group())
        return "".join(parts)

    def group(self) -> str:
        word = self.next()
        if word is _FIGURES:
            self.take()
            return self.figures[self.at - 1]
        if word.kind is Kind.REPEAT:
            self.take()
            if self.next().kind is not Kind.UNIT or self.next() is _FIGURES:
                raise self.misplaced()
            return str(self.take().value) * word.value
        if self.counts():
            self.take()
            return str(self.take().value) * word.value
        if word.kind is Kind.UNIT and word.value == 0:
            self.take()
            return "0"
        return self.cardinal()

    def cardinal(self) -> str:
        """A number above 0 with its thousands and millions."""
        count = self.chunk(bare=self.at == 0)
        if not count:
            raise self.misplaced()
        if self.next().kind is not Kind.SCALE:
            return str(count)
        if count > 999:
            raise self.misplaced()
        rank = self.take().value
        label = str(count)
        while rank:
            mark = self.at
            if self.next().kind is Kind.AND:
                self.at += 1
            count = self.chunk(bare=self.next().alone and self.next().value < rank)
            scale = self.next().value if self.next().kind is Kind.SCALE else 0
            if not 0 < count < 1000 or scale >= rank:  # the next number, not the rest of this one
                self.at = mark
                break
            label += "*000" * (rank - scale - 1) + f"*{count:03d}"
            rank = scale
            if scale:
                self.take()
        return label + "*000" * rank

    def chunk(self, bare: bool) -> int:
        """What stands before a scale or alone, 0 when there is none; above 999 for "nineteen hundred".

        Args:
            bare: a scale or "hundred" without "one" before it may stand here.
        """
        first = self.next()
        if first.kind is Kind.ARTICLE and self.next(1).kind in (Kind.HUNDRED, Kind.SCALE):
            self.take()
            bare = True
        if bare and self.next().kind is Kind.SCALE:
            return 1
        if first.kind is Kind.HUNDREDS:
            return self.take().value + self.rest_of_hundred()
        count = 1 if bare and self.next().kind is Kind.HUNDRED else self.below_hundred()
        if count and self.next().kind is Kind.HUNDRED:
            self.take()
            return 100 * count + self.rest_of_hundred()
        return count

    def rest_of_hundred(self) -> int:
        mark = self.at
        if self.next().kind is Kind.AND:
            self.at += 1
        count = self.below_hundred()
        if not count or self.next().kind is Kind.HUNDRED:  # the next number: "one hundred, five hundred"
            self.at = mark
            return 0
        return count

    def below_hundred(self) -> int:
        kind = self.next().kind
        if kind is Kind.TEEN:
            return self.take().value
        tens = self.take().value if kind is Kind.TENS else 0
        return tens + (self.take().value if self.has_unit() else 0)

    def has_unit(self) -> bool:
        word = self.next()
        return word.kind is Kind.UNIT and word.value > 0 and not self.counts()

    def counts(self) -> bool:
        """A unit that tells how often the next digit is meant: "три" in "три семёрки"."""
        word = self.next()
        return word.kind is Kind.UNIT and word.value > 1 and self.next(1).counted
