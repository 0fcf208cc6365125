"""What is said: which number, in which style, with pauses where people pause, or what else."""

import random
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace

import rstr

from spoken_numbers.errors import UserError
from spoken_numbers.labels import LANGUAGES, STYLES, LabelError, Spoken, label_of, speak, with_rare_words
from spoken_numbers.lengths import parse_length
from spoken_numbers.synthesis.other_words import other_words

AMONG, OTHER = "among", "other"
"""Styles of texts: a number in any of ``STYLES`` among other words, and other words alone, whose label is empty."""


@dataclass(frozen=True, slots=True)
class Texts:
    """The distribution that spoken numbers are drawn from.

    Args:
        styles: how often each style is spoken, in any unit.
        length: fewest and most digits of a string read as digits or in groups; each length is as likely.
        pattern: regular expression over digits that replaces ``length`` and ``below``.
        below: cardinals are drawn below it, more of them with more digits.
    """

    language: str = "en"
    styles: Mapping[str, float] = field(default_factory=lambda: {"digits": 0.4, "groups": 0.2, "cardinal": 0.4})
    length: tuple[int, int] = (3, 6)
    pattern: str | None = None
    below: int = 1_000_000

    def facts(self) -> dict[str, object]:
        return asdict(self) | {"length": list(self.length)}

    def draw(self, rng: random.Random, *, to_learn: bool = False) -> tuple[str, Spoken, str]:
        """A style, what is spoken in it, and the text for an engine (the words with commas for pauses).

        Args:
            to_learn: with rare words more often than evenly drawn numbers have them; not where a pattern is given.
        """
        style = rng.choices(list(self.styles), list(self.styles.values()))[0]
        if style == OTHER:
            words = other_words(self.language, rng)
            return style, Spoken(words, ""), words
        if style == AMONG:
            return style, *self._among(rng, to_learn)
        spoken = self._spoken(style, rng, to_learn)
        return style, spoken, with_pauses(spoken, self.language, rng)

    def _among(self, rng: random.Random, to_learn: bool) -> tuple[Spoken, str]:
        usual = STYLES if self.pattern is None else ("digits", "groups")  # which say whatever a pattern matches
        spoken = self._spoken(rng.choice([style for style in self.styles if style in STYLES] or usual), rng, to_learn)
        before, after = (other_words(self.language, rng, most=5) for _ in range(2))
        before, after = rng.choice(((before, ""), (before, after), ("", after)))
        comma = rng.choice(("", ","))
        paused = with_pauses(spoken, self.language, rng) + (comma if after else "")
        return Spoken(f"{before} {spoken.words} {after}".strip(), spoken.label), f"{before} {paused} {after}".strip()

    def _spoken(self, style: str, rng: random.Random, to_learn: bool) -> Spoken:
        number = self._number(style, rng)
        if to_learn and self.pattern is None:
            changed = with_rare_words(str(number), style, rng)
            number = changed if style != "cardinal" or int(changed) < self.below else number
        return speak(number, style, self.language, rng)

    def _number(self, style: str, rng: random.Random) -> str | int:
        if self.pattern is not None:
            return self._matching(style, rng, self.pattern)
        if style != "cardinal":
            return "".join(rng.choices("0123456789", k=rng.randint(*self.length)))
        longest = len(str(self.below - 1))
        digits = rng.choices(range(1, longest + 1), range(1, longest + 1))[0]
        lowest = 10 ** (digits - 1) if digits > 1 else 0
        return rng.randrange(lowest, min(10**digits, self.below))

    def _matching(self, style: str, rng: random.Random, pattern: str) -> str | int:
        for _ in range(1000):
            digits = rstr.Rstr(rng).xeger(pattern)
            if not re.fullmatch("[0-9]+", digits):
                raise UserError(f"pattern '{pattern}' also matches '{digits}'", todo="let it match digits only")
            if style != "cardinal":
                return digits
            if digits == "0" or not digits.startswith("0"):
                return int(digits)
        raise UserError(f"pattern '{pattern}' matches no cardinal: each begins with 0", todo="leave cardinal out")


def with_pauses(spoken: Spoken, language: str, rng: random.Random) -> str:
    """The words with commas at none, some or all of the places where a number can be broken in two.

    A place is one where both sides are numbers and their labels, put together, are the whole label; after a spoken
    "thousand", where the left label padded with zeros begins the whole. So no "double, five" or "twenty, three".
    """
    words = spoken.words.split()
    places = [place for place in range(1, len(words)) if _can_break(words, place, spoken.label, language)]
    manner = rng.choices(("none", "even", "random"), (0.5, 0.3, 0.2))[0]
    if manner == "none" or not places:
        return spoken.words
    if manner == "even":
        step = rng.choice((1, 2, 3, 3, 4))
        chosen = set(places[step - 1 :: step])
    else:
        chosen = {place for place in places if rng.random() < 0.25}
    return " ".join(f"{word}," if place in chosen else word for place, word in enumerate(words, 1))


def _can_break(words: list[str], place: int, label: str, language: str) -> bool:
    try:
        left = label_of(" ".join(words[:place]), language)
        scaled = re.fullmatch(r"(.+?)(\*000)+", left)
        if scaled and label.startswith(scaled[1] + "*"):
            return True
        return left + label_of(" ".join(words[place:]), language) == label
    except LabelError:
        return False


def parse(language: str, styles: str, length: str, pattern: str | None, below: int) -> Texts:
    """What the command line says about the numbers to speak.

    Raises:
        UserError: unknown language, a specification that cannot be used, or a pattern that gives no number.
    """
    if language not in LANGUAGES:
        raise UserError(f"unknown language '{language}'", todo=f"choose from {', '.join(LANGUAGES)}")
    try:
        re.compile(pattern or "")
    except re.error as error:
        raise UserError(
            f"'{pattern}' is no regular expression: {error}", where="--pattern", todo=r"write 4\d{3}"
        ) from None
    texts = Texts(language, parse_styles(styles), parse_length(length), pattern, below)
    for style in texts.styles:  # so that a pattern that gives no number is found before anything is made
        replace(texts, styles={style: 1.0}).draw(random.Random(0))
    return texts


def parse_styles(spec: str) -> dict[str, float]:
    """``digits=0.4,groups=0.2`` → weights.

    Raises:
        UserError: unknown style, weight that is no number above zero, or a style twice.
    """
    weights: dict[str, float] = {}
    for part in spec.split(","):
        name, _, weight = (piece.strip() for piece in part.partition("="))
        known = name in (*STYLES, AMONG, OTHER) and name not in weights
        if not known or not re.fullmatch(r"\d*\.?\d+", weight or "1") or float(weight or 1) <= 0:
            todo = (
                f"write for example {STYLES[0]}=0.4,{STYLES[-1]}=0.6; styles are {', '.join((*STYLES, AMONG, OTHER))}"
            )
            raise UserError(f"styles '{spec}': cannot use '{part.strip()}'", todo=todo)
        weights[name] = float(weight or 1)
    return weights
