"""English number words, American and British."""

from collections.abc import Iterator
from random import Random

from spoken_numbers.languages import Kind, Language, Word

UNITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
TEENS = (
    *("ten", "eleven", "twelve", "thirteen", "fourteen"),
    *("fifteen", "sixteen", "seventeen", "eighteen", "nineteen"),
)
TENS = ("", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")


def _entries() -> Iterator[tuple[str, Word]]:
    for value, word in enumerate(UNITS):
        yield word, Word(Kind.UNIT, value)
    for word in ("oh", "nought", "naught"):
        yield word, Word(Kind.UNIT, 0)
    yield "niner", Word(Kind.UNIT, 9)
    for value, word in enumerate(TEENS, 10):
        yield word, Word(Kind.TEEN, value)
    for value, word in enumerate(TENS):
        if word:
            yield word, Word(Kind.TENS, 10 * value)
    yield "hundred", Word(Kind.HUNDRED, 100)
    yield "thousand", Word(Kind.SCALE, 1)
    yield "million", Word(Kind.SCALE, 2)
    yield "double", Word(Kind.REPEAT, 2)
    yield "triple", Word(Kind.REPEAT, 3)
    yield "treble", Word(Kind.REPEAT, 3)
    yield "and", Word(Kind.AND)
    yield "a", Word(Kind.ARTICLE)


def _below_hundred(number: int) -> str:
    if number < 10:
        return UNITS[number]
    if number < 20:
        return TEENS[number - 10]
    tens, unit = divmod(number, 10)
    return f"{TENS[tens]} {UNITS[unit]}" if unit else TENS[tens]


def _below_thousand(number: int, and_: str) -> str:
    hundreds, rest = divmod(number, 100)
    if not hundreds:
        return _below_hundred(rest)
    return f"{UNITS[hundreds]} hundred" + (f"{and_}{_below_hundred(rest)}" if rest else "")


def _cardinal(number: int, rng: Random | None) -> str:
    if not number:
        return "zero"
    british = rng is not None and rng.random() < 0.5
    and_ = " and " if british else " "
    parts = []
    for size, scale in ((1_000_000, " million"), (1000, " thousand")):
        count, number = divmod(number, size)
        if count:
            parts.append(_below_thousand(count, and_) + scale)
    if number:
        tail = _below_thousand(number, and_)
        parts.append(f"and {tail}" if british and parts and number < 100 else tail)
    words = " ".join(parts)
    for start in ("one hundred", "one thousand", "one million"):
        if rng is not None and words.startswith(start) and rng.random() < 0.3:
            return "a" + words[3:]
    return words


def _digits(digits: str, rng: Random | None) -> str:
    zero = "oh" if rng is not None and rng.random() < 0.4 else "zero"  # one speaker keeps to one of them
    return " ".join(UNITS[int(digit)] if digit != "0" else zero for digit in digits)


def _group(digits: str, rng: Random | None) -> str | None:
    size, same = len(digits), len(set(digits)) == 1
    if same and size < 4 and rng is not None and (digits[0] == "0" or rng.random() < 0.6):
        unit = UNITS[int(digits[0])] if digits[0] != "0" else rng.choice(("oh", "zero"))
        return f"{'double' if size == 2 else 'triple'} {unit}"
    if size == 2 and digits[0] == "0":
        zero = "zero" if rng is not None and rng.random() < 0.3 else "oh"
        return f"{zero} {zero if same else UNITS[int(digits[1])]}"
    if digits[0] == "0":
        return None
    if size == 2:
        return _below_hundred(int(digits))
    if size == 3:
        return _below_thousand(int(digits), " and " if rng is not None and rng.random() < 0.3 else " ")
    if size == 4 and digits[1] != "0" and digits[2:] == "00":
        return f"{_below_hundred(int(digits[:2]))} hundred"
    return None


ENGLISH = Language("English", dict(_entries()), _digits, _cardinal, _group, odd_group=1)
