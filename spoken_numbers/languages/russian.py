"""Russian number words: the two genders of thousands and counted things, and the grammatical cases."""

from collections.abc import Iterator
from random import Random

from spoken_numbers.languages import Kind, Language, Word

CASES = ("nominative", "genitive", "dative", "accusative", "instrumental", "prepositional")

_ZERO = ("ноль", "ноля", "нолю", "ноль", "нолём", "ноле")
_ONE = ("один", "одного", "одному", "один", "одним", "одном")
_ONE_FEMININE = ("одна", "одной", "одной", "одну", "одной", "одной")
_TWO = ("два", "двух", "двум", "два", "двумя", "двух")
_TWO_FEMININE = ("две", "двух", "двум", "две", "двумя", "двух")
_THREE = ("три", "трёх", "трём", "три", "тремя", "трёх")
_FOUR = ("четыре", "четырёх", "четырём", "четыре", "четырьмя", "четырёх")


def _soft(stem: str, oblique: str, instrumental: str) -> tuple[str, ...]:
    """Declined as "пять": nominative, oblique cases in -и, instrumental in -ю."""
    return (stem, oblique, oblique, stem, instrumental, oblique)


def _hard(stem: str, oblique: str) -> tuple[str, ...]:
    """Declined as "сорок": one form for every oblique case."""
    return (stem, oblique, oblique, stem, oblique, oblique)


_FIVE_TO_NINE = (
    _soft("пять", "пяти", "пятью"),
    _soft("шесть", "шести", "шестью"),
    _soft("семь", "семи", "семью"),
    _soft("восемь", "восьми", "восемью"),
    _soft("девять", "девяти", "девятью"),
)
UNITS = (_ZERO, _ONE, _TWO, _THREE, _FOUR, *_FIVE_TO_NINE)
_FEMININE = (_ZERO, _ONE_FEMININE, _TWO_FEMININE, _THREE, _FOUR, *_FIVE_TO_NINE)
TEENS = tuple(
    _soft(f"{stem}ь", f"{stem}и", f"{stem}ью")
    for stem in (
        *("десят", "одиннадцат", "двенадцат", "тринадцат", "четырнадцат"),
        *("пятнадцат", "шестнадцат", "семнадцат", "восемнадцат", "девятнадцат"),
    )
)
TENS = (
    _soft("двадцать", "двадцати", "двадцатью"),
    _soft("тридцать", "тридцати", "тридцатью"),
    _hard("сорок", "сорока"),
    *(
        _soft(f"{unit[0]}десят", f"{unit[1]}десяти", f"{unit[4]}десятью")  # both halves decline: "пятьюдесятью"
        for unit in _FIVE_TO_NINE[:4]
    ),
    _hard("девяносто", "девяноста"),
)
_HUNDRED_ENDINGS = ("сот", "сот", "стам", "сот", "стами", "стах")
HUNDREDS = (
    _hard("сто", "ста"),
    ("двести", "двухсот", "двумстам", "двести", "двумястами", "двухстах"),
    ("триста", "трёхсот", "трёмстам", "триста", "тремястами", "трёхстах"),
    ("четыреста", "четырёхсот", "четырёмстам", "четыреста", "четырьмястами", "четырёхстах"),
    *(tuple(form + end for form, end in zip(unit, _HUNDRED_ENDINGS, strict=True)) for unit in _FIVE_TO_NINE),
)
# Each scale by case, after 1, after 2 … 4, after 5 and more.
_THOUSAND = (
    ("тысяча", "тысячи", "тысяч"),
    ("тысячи", "тысяч", "тысяч"),
    ("тысяче", "тысячам", "тысячам"),
    ("тысячу", "тысячи", "тысяч"),
    ("тысячей", "тысячами", "тысячами"),
    ("тысяче", "тысячах", "тысячах"),
)
_MILLION = tuple(
    tuple(f"миллион{end}" for end in ends)
    for ends in (
        ("", "а", "ов"),
        ("а", "ов", "ов"),
        ("у", "ам", "ам"),
        ("", "а", "ов"),
        ("ом", "ами", "ами"),
        ("е", "ах", "ах"),
    )
)

# The digit as a thing: "семёрка", "три семёрки", "пять семёрок".
_NOUNS = (
    ("ноль", "нуля", "нулей"),
    ("единица", "единицы", "единиц"),
    ("двойка", "двойки", "двоек"),
    ("тройка", "тройки", "троек"),
    *((f"{stem}ка", f"{stem}ки", f"{stem}ок") for stem in ("четвёр", "пятёр", "шестёр", "семёр", "восьмёр", "девят")),
)


def _entries() -> Iterator[tuple[str, Word]]:
    for value, (one, few, many) in enumerate(_NOUNS):
        yield one, Word(Kind.UNIT, value)
        yield few, Word(Kind.COUNTED, value, counted=True)
        yield many, Word(Kind.COUNTED, value, counted=True)
    for value, forms in (*enumerate(UNITS), *enumerate(_FEMININE)):
        yield from ((form, Word(Kind.UNIT, value)) for form in forms)
    for form in ("нуль", "нулю", "нулём", "нуле"):
        yield form, Word(Kind.UNIT, 0)
    yield "нуля", Word(Kind.UNIT, 0, counted=True)
    yield from (("одно", Word(Kind.UNIT, 1)), ("одною", Word(Kind.UNIT, 1)), ("восьмью", Word(Kind.UNIT, 8)))
    for value, forms in enumerate(TEENS, 10):
        yield from ((form, Word(Kind.TEEN, value)) for form in forms)
    for value, forms in enumerate(TENS, 2):
        yield from ((form, Word(Kind.TENS, 10 * value)) for form in forms)
    yield "восьмьюдесятью", Word(Kind.TENS, 80)
    for value, forms in enumerate(HUNDREDS, 1):
        yield from ((form, Word(Kind.HUNDREDS, 100 * value)) for form in forms)
    yield "восьмьюстами", Word(Kind.HUNDREDS, 800)
    for rank, scale in ((1, _THOUSAND), (2, _MILLION)):
        yield from ((form, Word(Kind.SCALE, rank)) for forms in scale for form in forms)
        yield from ((forms[0], Word(Kind.SCALE, rank, alone=True)) for forms in scale)
    yield "тысячью", Word(Kind.SCALE, 1, alone=True)
    yield "и", Word(Kind.AND)


def _below_thousand(number: int, case: int, feminine: bool) -> list[str]:
    hundreds, rest = divmod(number, 100)
    words = [HUNDREDS[hundreds - 1][case]] if hundreds else []
    if 10 <= rest < 20:
        return [*words, TEENS[rest - 10][case]]
    tens, unit = divmod(rest, 10)
    if tens:
        words.append(TENS[tens - 2][case])
    if unit:
        words.append((_FEMININE if feminine else UNITS)[unit][case])
    return words


def _plural(number: int) -> int:
    """Which form a counted noun takes: 0 after 1, 1 after 2 … 4, 2 after the rest."""
    if 10 <= number % 100 < 20:
        return 2
    return 0 if number % 10 == 1 else 1 if number % 10 in (2, 3, 4) else 2


def _cardinal(number: int, rng: Random | None) -> str:
    case = rng.randrange(len(CASES)) if rng is not None and rng.random() < 0.3 else 0
    feminine = rng is not None and rng.random() < 0.15
    bare = rng is not None and rng.random() < 0.5
    return cardinal_in(number, case, feminine, bare)


def cardinal_in(number: int, case: int = 0, feminine: bool = False, bare: bool = False) -> str:
    """0 … 999 999 999 in one of ``CASES``.

    Args:
        feminine: the last unit counts feminine things ("двадцать одна").
        bare: leaves out the "one" of a leading thousand or million ("тысяча двести").
    """
    if not number:
        return _ZERO[case]
    words: list[str] = []
    for size, scale, gender in ((1_000_000, _MILLION, False), (1000, _THOUSAND, True)):
        count, number = divmod(number, size)
        if count:
            if not (bare and count == 1 and not words):
                words += _below_thousand(count, case, gender)
            words.append(scale[case][_plural(count)])
    return " ".join(words + _below_thousand(number, case, feminine))


def _digits(digits: str, rng: Random | None) -> str:
    zero = "нуль" if rng is not None and rng.random() < 0.1 else "ноль"
    return " ".join(UNITS[int(digit)][0] if digit != "0" else zero for digit in digits)


def _group(digits: str, rng: Random | None) -> str | None:
    size = len(digits)
    if len(set(digits)) == 1 and rng is not None and (digits[0] == "0" or rng.random() < 0.4):
        count = (_FEMININE if digits[0] != "0" else UNITS)[size][0]
        return f"{count} {_NOUNS[int(digits[0])][1]}"
    if size == 2 and digits[0] == "0":
        return f"ноль {UNITS[int(digits[1])][0]}"
    if size == 4 or digits[0] == "0":
        return None
    return " ".join(_below_thousand(int(digits), 0, False))


_LEXICON = {word.replace("ё", "е"): reading for word, reading in _entries()}  # a later reading replaces an earlier one
RUSSIAN = Language("Russian", _LEXICON, _digits, _cardinal, _group, odd_group=3)
