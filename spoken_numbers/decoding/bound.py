"""What a caller knows of a number, as people type it → the automaton of the numbers that it can be."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from spoken_numbers.decoding.automaton import (
    LONGEST,
    Automaton,
    GrammarError,
    acceptor,
    automaton,
    bounds_package,
    compiled,
    read,
)
from spoken_numbers.decoding.checksums import CHECKSUMS
from spoken_numbers.decoding.decoded import Decoder
from spoken_numbers.decoding.greedy import decode_greedy
from spoken_numbers.decoding.search import BoundDecoder
from spoken_numbers.lengths import parse_length


@dataclass(frozen=True, slots=True)
class Bound:
    """What is known; a number must satisfy all that is given."""

    digits: str | None = None
    """How many: ``6`` or ``4-8``."""
    pattern: str | None = None
    """A regular expression over digits; spaces and hyphens outside of brackets count for nothing."""
    one_of: Path | None = None
    """A text file, a number a line."""
    checksum: str | None = None
    """One of ``CHECKSUMS``."""
    below: int | None = None
    """Cardinals: no leading zeros."""
    grammar: Path | None = None
    """An acceptor of digits in an OpenFst file (see ``automaton``)."""

    def __bool__(self) -> bool:
        return any(getattr(self, field.name) is not None for field in fields(self))

    def __str__(self) -> str:
        given = ((f"--{field.name.replace('_', '-')}", getattr(self, field.name)) for field in fields(self))
        return " ".join(f"{name} {value}" for name, value in given if value is not None)


def decoder_of(bound: Bound) -> Decoder:
    """The search that is bound so, or the best path where nothing is known; raises as ``compile_bound``."""
    return BoundDecoder(compile_bound(bound)) if bound else decode_greedy


@cache
def compile_bound(bound: Bound) -> Automaton:
    """The numbers that satisfy all that is known.

    Raises:
        GrammarError: nothing is known, it cannot be read, or no number satisfies it.
    """
    if not bound:
        raise GrammarError("nothing is known of the number", todo="give --digits, --one-of or another bound")
    makers: list[tuple[Any, Callable[[Any], Any]]] = [
        *((bound.grammar, read), (bound.pattern, _pattern), (bound.digits, _digits)),
        *((bound.below, _below), (bound.checksum, _checksum)),
    ]
    acceptors = [make(given) for given, make in makers if given is not None]
    if bound.one_of is None:
        return compiled(acceptors, str(bound))
    numbers = _listed(bound.one_of)
    if acceptors:  # a million numbers are sieved sooner than composed
        sieve = compiled(acceptors, str(bound))
        numbers = [number for number in numbers if admits(sieve, number)]
    if not numbers:
        raise GrammarError("no number is admissible", where=str(bound), todo="loosen one of these")
    return _trie(numbers)


def _digits(spec: str) -> Any:
    fewest, most = parse_length(spec, "--digits")
    if most > LONGEST:
        raise GrammarError(f"{most} digits", where="--digits", todo=f"give at most {LONGEST}")
    arcs = ((state, digit, state + 1) for state in range(most) for digit in range(10))
    return acceptor(arcs, range(fewest, most + 1))


def _pattern(pattern: str) -> Any:
    interegular = bounds_package("interegular")
    where = f"--pattern '{pattern}'"
    try:
        re.compile(pattern)
        machine = interegular.parse_pattern(re.sub(r"[ -](?![^\[]*\])", "(?:)", pattern)).to_fsm().reduce()
    except Exception as error:  # interegular raises whatever its parser meets
        reason = str(error).splitlines()[0] if str(error) else "not understood"
        raise GrammarError(f"no regular expression: {reason}", where=where, todo="e.g. '4\\d{3} \\d{4}'") from None
    number = {state: place for place, state in enumerate(machine.states)}
    arcs = (
        (number[state], digit, number[target])
        for state, step in machine.map.items()
        for digit in range(10)
        if (target := step.get(machine.alphabet[str(digit)])) is not None
    )
    return acceptor(arcs, (number[state] for state in machine.finals), number[machine.initial])


def _listed(path: Path) -> list[str]:
    """The file's numbers, sorted; spaces and hyphens within a line count for nothing."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
        raise GrammarError(f"cannot read list: {reason}", where=str(path), todo="give a number a line") from None
    numbers = set()
    for place, line in enumerate(lines, 1):
        number = line.translate(_SPACING)
        if number and not (number.isascii() and number.isdecimal() and len(number) <= LONGEST):
            todo = f"write up to {LONGEST} digits a line"
            raise GrammarError(f"'{line}' is no number", where=f"{path}:{place}", todo=todo)
        numbers.add(number)
    numbers.discard("")
    if not numbers:
        raise GrammarError("empty list", where=str(path), todo="give a number a line")
    return sorted(numbers)


def _trie(numbers: Sequence[str]) -> Automaton:
    """The trie of sorted, different numbers, a state for every beginning."""
    lengths = np.array([len(number) for number in numbers])
    width = int(lengths.max())
    text = "".join(number.ljust(width, "/") for number in numbers)  # "/" comes before "0"
    digits = np.frombuffer(text.encode("ascii"), np.uint8).reshape(-1, width).astype(np.int8) - ord("0")
    differs = np.ones(digits.shape, bool)
    differs[1:] = np.logical_or.accumulate(digits[1:] != digits[:-1], axis=1)
    new = differs & (digits >= 0)
    states = np.where(new, np.cumsum(new).reshape(new.shape), 0).astype(np.int32)
    states = np.maximum.accumulate(states, axis=0)  # of every beginning, also where an earlier number shares it
    sources = np.concatenate([np.zeros((len(numbers), 1), np.int32), states[:, :-1]], axis=1)
    finals = np.full(int(new.sum()) + 1, np.inf)
    finals[states[np.arange(len(numbers)), lengths - 1]] = 0.0
    arcs = sources[new], digits[new].astype(np.int32), states[new]
    return automaton(*arcs, np.zeros(len(arcs[0])), finals, 0)


def _below(limit: int) -> Any:
    """0 to ``limit`` - 1, without leading zeros."""
    largest = str(limit - 1)
    if limit < 1 or len(largest) > LONGEST:
        raise GrammarError(
            f"no numbers are below {limit}" if limit < 1 else "too many digits",
            where="--below",
            todo="give a number from 1 to 10^63",
        )
    length = len(largest)
    # State (digits left, tight): tight while the digits so far are the largest's own.
    arcs, tight, zero = [], 2 * length, 2 * length + 1  # free states: length - 1 … 0 digits left
    arcs.append((tight, 0, zero))
    for first in range(1, 10):
        for left in range(length):
            if left < length - 1 or first < int(largest[0]):
                arcs.append((tight, first, left))
    chain = tight
    for place, digit in enumerate(map(int, largest)):
        left = length - place - 1
        if place:
            arcs += [(chain, lower, left) for lower in range(digit)]
        if place or digit:
            arcs.append((chain, digit, length + left))
        chain = length + left
    arcs += [(left, digit, left - 1) for left in range(1, length) for digit in range(10)]
    return acceptor(dict.fromkeys(arcs), [0, length, zero], tight)


def _checksum(name: str) -> Any:
    if name not in CHECKSUMS:
        raise GrammarError(f"unknown checksum '{name}'", where="--checksum", todo=f"one of {', '.join(CHECKSUMS)}")
    return acceptor(*CHECKSUMS[name]())


def admits(machine: Automaton, number: str) -> bool:
    """Whether the digit string is among the automaton's."""
    states = {machine.start}
    for digit in map(int, number):
        states = {
            int(machine.targets[arc])
            for state in states
            for arc in range(machine.offsets[state], machine.offsets[state + 1])
            if machine.digits[arc] == digit
        }
    return any(np.isfinite(machine.final_costs[state]) for state in states)


_SPACING = {ord(character): None for character in " -\t"}
