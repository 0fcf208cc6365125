"""Batches over the workers of a Dask cluster, in order.

The workers need this project installed, and the same folders at the same paths.
"""

import logging
import os
import socket
import sys
import time
import uuid
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import CancelledError
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from spoken_numbers.batch import DeadProcessError, each
from spoken_numbers.errors import UserError

BATCHES_AHEAD = 4
"""Of each thread of a worker."""
PATIENCE = 10.0
"""Seconds until a scheduler or, at first, a worker must have answered."""
POLL = 5.0
PATIENCE_WITHOUT_WORKERS = 60.0
"""Seconds that the last worker may take to come back."""

Work = Callable[[Any], Any]


class ClusterError(UserError):
    """A cluster that cannot be worked on."""


@dataclass(slots=True)
class _Sent:
    batch: list[Any]
    future: Any


@contextmanager
def connected(address: str) -> "Iterator[Cluster]":
    """The cluster whose scheduler listens at ``address``.

    Raises:
        ClusterError: Dask is not installed, nobody answers within ten seconds, or no worker is there.
    """
    try:
        import distributed
    except ImportError:
        todo = "pip install 'spoken-numbers[cluster]'"
        raise ClusterError("Dask is not installed", where="--scheduler", todo=todo) from None
    for name in ("distributed", "distributed.client"):  # what goes wrong is said here, in one line
        logging.getLogger(name).setLevel(logging.CRITICAL)
    try:
        _knock(address)
        client = distributed.Client(address, timeout=PATIENCE, set_as_default=False)
    except (OSError, ValueError, TypeError):
        todo = "start one with 'dask scheduler', and give its address as tcp://HOST:8786"
        raise ClusterError("no Dask scheduler answers", where=address, todo=todo) from None
    try:
        try:
            client.wait_for_workers(1, timeout=PATIENCE)
        except TimeoutError:
            raise _no_workers(address) from None
        yield Cluster(client, address)
    finally:
        client.close(timeout=2)


def _knock(address: str) -> None:
    """Find a wrong address at once: Dask's client would try for its whole patience, and then not end quietly."""
    from distributed.comm import parse_address, parse_host_port

    scheme, location = parse_address(address)
    if scheme in ("tcp", "tls"):
        socket.create_connection(parse_host_port(location), PATIENCE).close()


class Cluster:
    """The workers of one scheduler, for one command."""

    def __init__(self, client: Any, address: str) -> None:
        self._client, self._address, self._session = client, address, uuid.uuid4().hex

    @property
    def processes(self) -> int:
        """Threads of all workers; there should be one each, ``dask worker --nthreads 1``."""
        return max(1, sum(self._client.nthreads().values()))

    def map(self, work: Work, batches: Iterable[list[Any]], named: Callable[[Any], str]) -> Iterator[Any | UserError]:
        """The results of all items in order, reading ``batches`` only a little ahead.

        Dask gives what a dead worker had to the others. A batch that it gives up, since it saw the death of several,
        is tried once more item by item, when nothing else is on its way that could be to blame.

        Raises:
            ClusterError: the scheduler, or all workers, went away, or a worker does not see this folder.
        """
        waiting: deque[_Sent] = deque()
        ahead = self.processes * BATCHES_AHEAD
        try:
            for batch in batches:
                waiting.append(_Sent(batch, self._submit(work, batch)))
                if len(waiting) >= ahead:
                    yield from self._first(work, waiting, named)
            while waiting:
                yield from self._first(work, waiting, named)
        finally:
            for sent in waiting:
                sent.future.cancel()

    def _submit(self, work: Work, batch: list[Any]) -> Any:
        return self._client.submit(_each_there, self._session, os.getcwd(), work, batch, pure=False)

    def _first(self, work: Work, waiting: deque[_Sent], named: Callable[[Any], str]) -> list[Any | UserError]:
        sent = waiting[0]
        if self._killed_its_workers(sent.future):
            for other in waiting:
                self._settle(other.future)
            results: list[Any | UserError] = []
            for item in sent.batch:
                alone = self._submit(work, [item])
                died = self._killed_its_workers(alone)
                results += [DeadProcessError(item, named(item))] if died else self._value(alone)
        else:
            results = self._value(sent.future)
        waiting.popleft()
        return results

    def _killed_its_workers(self, future: Any) -> bool:
        from distributed import KilledWorker

        return isinstance(self._settle(future), KilledWorker)

    def _settle(self, future: Any) -> BaseException | None:
        failure = self._ask(future.exception)
        if isinstance(failure, CancelledError):
            raise self._lost()
        return failure

    def _value(self, future: Any) -> list[Any | UserError]:
        if self._settle(future) is not None:
            future.result()  # raises it, with its traceback
        return self._ask(future.result)

    def _ask(self, question: Callable[..., Any]) -> Any:
        """Its answer, as long as there is a cluster to wait for."""
        from distributed.comm import CommClosedError

        seen = time.monotonic()
        while True:
            try:
                return question(timeout=POLL)
            except TimeoutError:
                pass
            except (CancelledError, CommClosedError):
                raise self._lost() from None
            if self._client.status != "running":
                raise self._lost()
            if self._has_workers():
                seen = time.monotonic()
            elif time.monotonic() - seen > PATIENCE_WITHOUT_WORKERS:
                raise _no_workers(self._address)

    def _has_workers(self) -> bool:
        try:
            return bool(self._client.nthreads())
        except (OSError, TimeoutError):
            raise self._lost() from None

    def _lost(self) -> ClusterError:
        return ClusterError("the scheduler went away", where=self._address, todo="type the same command to go on")


def _no_workers(address: str) -> ClusterError:
    todo = f"start some: dask worker {address} --nthreads 1 --nworkers auto"
    return ClusterError("the scheduler has no workers", where=address, todo=todo)


_last_session = ""


def _each_there(session: str, folder: str, work: Work, batch: list[Any]) -> list[Any | UserError]:
    global _last_session
    try:
        os.chdir(folder)  # as paths are relative to where the command was typed
    except OSError as error:
        todo = "mount it there at the same path"
        raise ClusterError(f"a worker does not see this folder: {error.strerror}", where=folder, todo=todo) from None
    if session != _last_session:  # a worker outlives commands, and files may have changed between them
        _forget()
        _last_session = session
    return each(work, batch)


def _forget() -> None:
    for name, module in list(sys.modules.items()):
        if name.split(".")[0] == "spoken_numbers":
            for value in list(vars(module).values()):
                if callable(clear := getattr(value, "cache_clear", None)):
                    clear()
