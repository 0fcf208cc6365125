"""An acceptor of digit strings as arrays, and as an OpenFst file.

In a file, symbol 1 is the digit 0 and symbol 10 the digit 9 (0 is epsilon); weights are costs, natural logarithms.
"""

import errno
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from spoken_numbers.errors import UserError
from spoken_numbers.files import written_whole

IntArray = npt.NDArray[np.int32]

LONGEST = 63
"""Digits; longer strings are not searched for."""


class GrammarError(UserError):
    """Says which option admits no number, or cannot be read."""


@dataclass(frozen=True, slots=True)
class Automaton:
    """Admissible digit strings; every state lies on the way to a final one."""

    offsets: IntArray
    """(states + 1,): the arcs of state ``s`` are ``offsets[s]:offsets[s + 1]``."""
    digits: IntArray
    """(arcs,): 0 to 9."""
    targets: IntArray
    """(arcs,)"""
    costs: npt.NDArray[np.float64]
    """(arcs,): at least 0; for strings that are less likely than others."""
    final_costs: npt.NDArray[np.float64]
    """(states,): infinite where no string ends."""
    remaining: npt.NDArray[np.uint64]
    """(states,): bit ``k`` says that a string can end ``k`` digits later."""
    start: int = 0


def bounds_package(name: str) -> Any:
    """kaldifst or interegular, which only number-bound decoding needs.

    Raises:
        GrammarError: it is not installed.
    """
    try:
        return import_module(name)
    except ImportError:
        todo = "pip install 'spoken-numbers[bounds]', or kaldifst and interegular"
        raise GrammarError("number bounds need two more packages", where=name, todo=todo) from None


Arcs = Iterable[tuple[int, int, int]]
"""(state, digit, next state)"""


def acceptor(arcs: Arcs, finals: Iterable[int], start: int = 0) -> Any:
    """A ``kaldifst`` acceptor, its arcs sorted."""
    library = bounds_package("kaldifst")
    fst = library.StdVectorFst()
    states = 0

    def ensure(state: int) -> None:
        nonlocal states
        while states <= state:
            fst.add_state()
            states += 1

    ensure(start)
    fst.start = start
    for state, digit, target in arcs:
        ensure(max(state, target))
        fst.add_arc(state, library.StdArc(digit + 1, digit + 1, 0.0, target))
    for state in finals:
        ensure(state)
        fst.set_final(state, 0.0)
    library.arcsort(fst)
    return fst


def compiled(acceptors: Sequence[Any], where: str) -> Automaton:
    """The strings that all of them admit.

    Raises:
        GrammarError: there is none, a symbol that is no digit, a negative weight.
    """
    library = bounds_package("kaldifst")
    fst = acceptors[0]
    for other in acceptors[1:]:
        fst = library.compose(fst, other)
        library.arcsort(fst)
    library.connect(fst)
    if fst.num_states == 0:
        raise GrammarError("no number is admissible", where=where, todo="loosen one of these")
    return _arrays(fst, where)


def read(path: Path) -> Any:
    """An acceptor from an OpenFst file, epsilons removed.

    Raises:
        GrammarError: missing or no such file.
    """
    library = bounds_package("kaldifst")
    todo = "give an OpenFst vector file of tropical weights"
    if not path.is_file():
        raise GrammarError("no such grammar", where=str(path), todo=todo)
    try:
        fst = library.StdVectorFst.read(str(path))
    except (RuntimeError, ValueError, TypeError):  # the last of a name that is no text
        fst = None
    if fst is None:
        raise GrammarError("cannot read grammar", where=str(path), todo=todo)
    library.rmepsilon(fst)
    library.arcsort(fst)
    return fst


def write(machine: Automaton, path: Path) -> None:
    """An OpenFst file that ``read`` reads, whole or not at all."""
    library = bounds_package("kaldifst")
    fst = library.StdVectorFst()
    for _ in machine.final_costs:
        fst.add_state()
    fst.start = machine.start
    sources = np.repeat(np.arange(len(machine.final_costs)), np.diff(machine.offsets))
    for arc in zip(sources, machine.digits, machine.targets, machine.costs, strict=True):
        source, digit, target, cost = (number.item() for number in arc)
        fst.add_arc(source, library.StdArc(digit + 1, digit + 1, cost, target))
    for state in np.flatnonzero(np.isfinite(machine.final_costs)):
        fst.set_final(state.item(), machine.final_costs[state].item())
    with written_whole(path) as temporary:
        try:
            written = fst.write(str(temporary))
        except TypeError:
            what, todo = "OpenFst's file names are UTF-8 text", "choose another name"
            raise GrammarError(what, where=str(path), todo=todo) from None
        if not written:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(temporary))  # it says no more than that


def _arrays(fst: Any, where: str) -> Automaton:
    starts, symbols, targets, costs, finals = [], [], [], [], np.full(fst.num_states, np.inf)
    for line in fst.to_str(show_weight_one=True, is_acceptor=False, fst_field_separator=" ").splitlines():
        fields = line.split()
        if len(fields) <= 2:
            finals[int(fields[0])] = float(fields[1]) if len(fields) == 2 else 0.0
        else:
            starts.append(int(fields[0]))
            targets.append(int(fields[1]))
            symbols.append(int(fields[2]) if fields[2] == fields[3] else 0)
            costs.append(float(fields[4]))
    digits = np.array(symbols, np.int32) - 1
    weights = np.array(costs, np.float64)
    if len(digits) and (digits.min() < 0 or digits.max() > 9):
        raise GrammarError("a symbol is no digit", where=where, todo="number the digits 0 to 9 from 1 to 10")
    if min(weights.min(initial=0), finals.min(initial=0)) < 0:
        raise GrammarError("negative weight", where=where, todo="give costs of 0 or more")
    return automaton(np.array(starts, np.int32), digits, np.array(targets, np.int32), weights, finals, fst.start)


def automaton(
    sources: IntArray,
    digits: IntArray,
    targets: IntArray,
    costs: npt.NDArray[np.float64],
    finals: npt.NDArray[np.float64],
    start: int,
) -> Automaton:
    """Arcs in any order, sorted; with the lengths that are still to come from each state."""
    order = np.argsort(sources, kind="stable")
    sources, digits, targets, costs = sources[order], digits[order], targets[order], costs[order]
    offsets = np.searchsorted(sources, np.arange(len(finals) + 1)).astype(np.int32)
    remaining = np.where(np.isfinite(finals), np.uint64(1), np.uint64(0))
    for _ in range(LONGEST):
        longer = remaining.copy()
        np.bitwise_or.at(longer, sources, remaining[targets] << np.uint64(1))
        if np.array_equal(longer, remaining):
            break
        remaining = longer
    return Automaton(offsets, digits, targets, costs, finals, remaining, start)
