"""Batches over local processes, in order; a process that is killed costs at most the item that it died of."""

import multiprocessing
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from typing import Any

from spoken_numbers.batch import DeadProcessError, each
from spoken_numbers.errors import UserError

BATCHES_AHEAD = 4
"""Of each process, so that none waits for the next."""

Work = Callable[[Any], Any]
Results = list[Any | UserError]


@dataclass(slots=True)
class _Sent:
    batch: list[Any]
    future: Future[Results]
    deaths: int = 0
    """How often a process died while the batch was on its way."""


class Processes:
    """``processes`` of them; ``start_method`` is multiprocessing's, the system's default if None."""

    def __init__(self, processes: int, start_method: str | None = None) -> None:
        self.processes = processes
        self._context = multiprocessing.get_context(start_method)
        self._waiting: deque[_Sent] = deque()

    def map(self, work: Work, batches: Iterable[list[Any]], named: Callable[[Any], str]) -> Iterator[Any | UserError]:
        """The results of all items in order, reading ``batches`` only a little ahead."""
        self._pool = self._fresh(self.processes)
        try:
            for batch in batches:
                self._waiting.append(_Sent(batch, self._submit(work, batch)))
                if len(self._waiting) >= self.processes * BATCHES_AHEAD:
                    yield from self._first(work, named)
            while self._waiting:
                yield from self._first(work, named)
        finally:
            self._pool.shutdown(cancel_futures=True)

    def _fresh(self, processes: int) -> ProcessPoolExecutor:
        return ProcessPoolExecutor(processes, self._context)

    def _submit(self, work: Work, batch: list[Any]) -> Future[Results]:
        try:
            return self._pool.submit(each, work, batch)
        except BrokenProcessPool as error:
            failed: Future[Results] = Future()
            failed.set_exception(error)
            return failed

    def _first(self, work: Work, named: Callable[[Any], str]) -> Results:
        while True:
            try:
                results = self._waiting[0].future.result()
            except BrokenProcessPool:
                self._recover(work, named)
            else:
                self._waiting.popleft()
                return results

    def _recover(self, work: Work, named: Callable[[Any], str]) -> None:
        """Send again what was on its way; the first batch item by item if it has met with a death before."""
        self._pool.shutdown()
        broken = [sent for sent in self._waiting if isinstance(sent.future.exception(), BrokenProcessPool)]
        for sent in broken:
            sent.deaths += 1
        first = self._waiting[0]
        if first.deaths > 1:
            first.future = Future()
            first.future.set_result(self._one_by_one(work, first.batch, named))
            broken.remove(first)
        self._pool = self._fresh(self.processes)
        for sent in broken:
            sent.future = self._submit(work, sent.batch)

    def _one_by_one(self, work: Work, batch: list[Any], named: Callable[[Any], str]) -> Results:
        results: Results = []
        pool = self._fresh(1)
        try:
            for item in batch:
                try:
                    results += pool.submit(each, work, [item]).result()
                except BrokenProcessPool:
                    results.append(DeadProcessError(item, named(item)))
                    pool.shutdown()
                    pool = self._fresh(1)
        finally:
            pool.shutdown(cancel_futures=True)
        return results
