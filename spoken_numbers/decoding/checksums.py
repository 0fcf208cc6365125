"""Checksums as acceptors of digit strings whose last digits check the ones before."""

from collections.abc import Callable

from spoken_numbers.decoding.automaton import Arcs

Machine = tuple[Arcs, list[int], int]
"""Arcs, final states, start state."""


def _remainder(modulus: int, wanted: int) -> Callable[[], Machine]:
    def machine() -> Machine:
        arcs = ((value, digit, (10 * value + digit) % modulus) for value in range(modulus) for digit in range(10))
        first = ((modulus, digit, digit % modulus) for digit in range(10))
        return [*arcs, *first], [wanted], modulus

    return machine


def _positional(period: int, size: int, step: Callable[[int, int, int], int]) -> Callable[[], Machine]:
    """Digits weighed by their place from the right, modulo ``period``: the start guesses the length.

    ``step(sum, place, digit)`` gives the next sum. No string is accepted twice: its length has one remainder.
    """

    def machine() -> Machine:
        start = period * size
        arcs = []
        for place in range(period):
            following = (place - 1) % period
            for digit in range(10):
                arcs.append((start, digit, following * size + step(0, place, digit)))
                arcs += [(place * size + s, digit, following * size + step(s, place, digit)) for s in range(size)]
        return arcs, [(period - 1) * size], start  # after place 0 nothing is left, and the sum is 0

    return machine


def _luhn(total: int, place: int, digit: int) -> int:
    return (total + (sum(divmod(2 * digit, 10)) if place else digit)) % 10


def _dihedral(a: int, b: int) -> int:
    """The product in the group of a pentagon's symmetries: 0–4 turns, 5–9 reflections."""
    turn = (a % 5 - b % 5 if a >= 5 else a % 5 + b % 5) % 5
    return turn + 5 * ((a >= 5) != (b >= 5))


_PERMUTATION = (1, 5, 7, 6, 2, 8, 3, 0, 9, 4)
"""Verhoeff, Error Detecting Decimal Codes, 1969."""


def _verhoeff(total: int, place: int, digit: int) -> int:
    for _ in range(place):
        digit = _PERMUTATION[digit]
    return _dihedral(digit, total)  # read from the left, where the definition begins at the right: multiplied in front


_DAMM = (
    *("0317598642", "7092154863", "4206871359", "1750983426", "6123045978"),
    *("3674209581", "5869720134", "8945362017", "9438617205", "2581436790"),
)
"""Damm, Total anti-symmetrische Quasigruppen, 2004."""


def _damm() -> Machine:
    arcs = [(total, digit, int(_DAMM[total][digit])) for total in range(10) for digit in range(10)]
    return [*arcs, *((10, digit, target) for total, digit, target in arcs if total == 0)], [0], 10


CHECKSUMS: dict[str, Callable[[], Machine]] = {
    "luhn": _positional(2, 10, _luhn),
    "verhoeff": _positional(8, 10, _verhoeff),
    "damm": _damm,
    "mod97": _remainder(97, 1),
    "mod11": _remainder(11, 0),
}
"""Payment cards and IMEI; Verhoeff's and Damm's; ISO 7064 MOD 97-10; divisible by 11."""
