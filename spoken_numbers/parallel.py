"""Per-file work over local processes or a Dask cluster, in order, with a progress bar."""

import os
from collections.abc import Callable, Iterable, Iterator, Sized
from contextlib import contextmanager
from contextvars import ContextVar
from itertools import islice
from typing import TYPE_CHECKING, TypeVar

from spoken_numbers.batch import each
from spoken_numbers.errors import UserError
from spoken_numbers.process_pool import Processes

if TYPE_CHECKING:
    from spoken_numbers.dask_pool import Cluster

T = TypeVar("T")
R = TypeVar("R")

CHUNKS_PER_JOB = 4

_cluster: "ContextVar[Cluster | None]" = ContextVar("cluster", default=None)


def progress(items: Iterable[T], total: int | None = None, what: str = "", unit: str = "file") -> Iterable[T]:
    """A bar with rate and time left; quiet when stderr is no terminal."""
    from tqdm import tqdm  # which a recogniser does without

    return tqdm(items, total=total, desc=what, unit=unit, disable=None, dynamic_ncols=True, leave=False)


@contextmanager
def scheduled_on(scheduler: str | None) -> Iterator[None]:
    """Within it ``map_each`` works on the Dask cluster of ``scheduler`` (tcp://HOST:PORT); None: on this machine.

    Raises:
        ClusterError: nobody answers there, or no worker is there.
    """
    if scheduler is None:
        yield
        return
    from spoken_numbers.dask_pool import connected  # half a second

    with connected(scheduler) as cluster:
        token = _cluster.set(cluster)
        try:
            yield
        finally:
            _cluster.reset(token)


def map_each(
    work: Callable[[T], R],
    items: Iterable[T],
    *,
    what: str = "",
    unit: str = "file",
    jobs: int | None = None,
    total: int | None = None,
    named: Callable[[T], str] = str,
    quiet: bool = False,
    start_method: str | None = None,
) -> Iterator[R | UserError]:
    """``work(item)`` for each item, in order, over ``jobs`` processes (all cores by default), or on a cluster.

    ``items`` may be endless or lazy: it is read only a few hundred items ahead of what was taken, so memory stays
    bounded; ``total`` is then for the bar. One job works in this process, without starting any.

    A ``UserError`` of one item is returned in its place, so that one bad file costs one row; any other exception is a
    bug and is raised. What a killed process was working on is tried again; an item that kills its process also when
    nothing else runs gives a ``DeadProcessError``, which tells its name by ``named``.

    Args:
        quiet: no bar.
        start_method: of the processes, as multiprocessing has it.
    """
    if total is None and isinstance(items, Sized):
        total = len(items)
    cluster = _cluster.get()
    jobs = cluster.processes if cluster else jobs or os.cpu_count() or 1
    if total is not None:
        jobs = min(jobs, max(1, total))
    batches = _batches(items, _chunk(total, jobs))
    if cluster:
        done = cluster.map(work, batches, named)
    elif jobs == 1:
        done = (each(work, [item])[0] for item in items)
    else:
        done = Processes(jobs, start_method).map(work, batches, named)
    yield from done if quiet else progress(done, total, what, unit)


def _chunk(total: int | None, jobs: int) -> int:
    return 16 if total is None else max(1, min(64, total // (jobs * CHUNKS_PER_JOB)))


def _batches(items: Iterable[T], size: int) -> Iterator[list[T]]:
    rest = iter(items)
    while batch := list(islice(rest, size)):
        yield batch
