"""Per-file work over processes, in order, with a progress bar."""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sized
from concurrent.futures import Future, ProcessPoolExecutor
from itertools import islice
from typing import TypeVar

from tqdm import tqdm

from spoken_numbers.errors import UserError

T = TypeVar("T")
R = TypeVar("R")

CHUNKS_PER_JOB = 4


def progress(items: Iterable[T], total: int | None = None, what: str = "", unit: str = "file") -> Iterable[T]:
    """A bar with rate and time left; quiet when stderr is no terminal."""
    return tqdm(items, total=total, desc=what, unit=unit, disable=None, dynamic_ncols=True, leave=False)


def map_each(
    work: Callable[[T], R],
    items: Iterable[T],
    *,
    what: str,
    unit: str = "file",
    jobs: int | None = None,
    total: int | None = None,
) -> Iterator[R | UserError]:
    """``work(item)`` for each item, in order, over ``jobs`` processes (all cores by default).

    ``items`` may be endless or lazy: it is read only a few hundred items ahead of what was taken, so memory stays
    bounded; ``total`` is then for the bar. One job works in this process, without starting any.

    A ``UserError`` of one item is returned in its place, so that one bad file costs one row; any other
    exception is a bug and is raised.
    """
    if total is None and isinstance(items, Sized):
        total = len(items)
    jobs = jobs or os.cpu_count() or 1
    if total is not None:
        jobs = min(jobs, max(1, total))
    done = _here(work, items) if jobs == 1 else _over_processes(work, items, jobs, _chunk(total, jobs))
    yield from progress(done, total, what, unit)


def _chunk(total: int | None, jobs: int) -> int:
    return 16 if total is None else max(1, min(64, total // (jobs * CHUNKS_PER_JOB)))


def _here(work: Callable[[T], R], items: Iterable[T]) -> Iterator[R | UserError]:
    return (_guarded(work, item) for item in items)


def _over_processes(work: Callable[[T], R], items: Iterable[T], jobs: int, chunk: int) -> Iterator[R | UserError]:
    waiting: deque[Future[list[R | UserError]]] = deque()
    rest = iter(items)
    pool = ProcessPoolExecutor(jobs)
    try:
        while batch := list(islice(rest, chunk)):
            waiting.append(pool.submit(_each, work, batch))
            if len(waiting) >= jobs * CHUNKS_PER_JOB:
                yield from waiting.popleft().result()
        while waiting:
            yield from waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


def _each(work: Callable[[T], R], batch: list[T]) -> list[R | UserError]:
    return [_guarded(work, item) for item in batch]


def _guarded(work: Callable[[T], R], item: T) -> R | UserError:
    try:
        return work(item)
    except UserError as error:
        return error
