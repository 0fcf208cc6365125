"""Per-file work over processes, in order, with a progress bar."""

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from typing import TypeVar

from tqdm import tqdm

from spoken_numbers.errors import UserError

T = TypeVar("T")
R = TypeVar("R")


def progress(items: Iterable[T], total: int | None = None, what: str = "", unit: str = "file") -> Iterable[T]:
    """A bar with rate and time left; quiet when stderr is no terminal."""
    return tqdm(items, total=total, desc=what, unit=unit, disable=None, dynamic_ncols=True, leave=False)


def map_each(
    work: Callable[[T], R], items: Iterable[T], *, what: str, unit: str = "file", jobs: int | None = None
) -> Iterator[R | UserError]:
    """``work(item)`` for each item, in order, over ``jobs`` processes (all cores by default).

    A ``UserError`` of one item is returned in its place, so that one bad file costs one row; any other
    exception is a bug and is raised.
    """
    todo = list(items)
    jobs = min(jobs or os.cpu_count() or 1, max(1, len(todo)))
    guarded = partial(_guarded, work)
    if jobs == 1:
        yield from progress(map(guarded, todo), len(todo), what, unit)
        return
    with ProcessPoolExecutor(jobs) as pool:
        chunk = max(1, min(64, len(todo) // (jobs * 4)))
        yield from progress(pool.map(guarded, todo, chunksize=chunk), len(todo), what, unit)


def _guarded(work: Callable[[T], R], item: T) -> R | UserError:
    try:
        return work(item)
    except UserError as error:
        return error
