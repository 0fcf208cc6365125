"""A real scheduler and its workers, each a process of its own, for as long as a block lasts."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import distributed

TESTS = Path(__file__).parent


@dataclass
class DaskCluster:
    address: str
    scheduler: subprocess.Popen[bytes]
    workers: list[subprocess.Popen[bytes]]

    def busy(self) -> list[int]:
        """The processes that work on something right now."""
        with distributed.Client(self.address, set_as_default=False) as client:
            known = client.scheduler_info()["workers"]
            pids = {address: worker["name"] for address, worker in known.items()}
            return [int(pids[address]) for address, tasks in client.processing().items() if tasks]


@contextmanager
def dask_cluster(
    folder: Path, workers: int = 2, allowed_failures: int = 3, nanny: bool = False
) -> Iterator[DaskCluster]:
    file = folder / "scheduler.json"
    scheduler = _dask(folder, "scheduler", "--port", 0, "--scheduler-file", file, failures=allowed_failures)
    started: list[subprocess.Popen[bytes]] = []
    try:
        address = _address(file)
        for number in range(workers):
            options = ["--nthreads", 1, "--no-dashboard", "--name", number, "--local-directory", folder]
            started.append(_dask(folder, "worker", address, *options, "--nanny" if nanny else "--no-nanny"))
        if workers:
            with distributed.Client(address, set_as_default=False) as client:
                client.wait_for_workers(workers, timeout=90)
        yield DaskCluster(address, scheduler, started)
    finally:
        for process in (*started, scheduler):
            with suppress(ProcessLookupError):  # killed by the test
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _dask(folder: Path, *arguments: object, failures: int = 3) -> subprocess.Popen[bytes]:
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(TESTS), str(TESTS.parent)]),
        "DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": str(failures),
    }
    log = (folder / "dask.log").open("ab")
    command = [sys.executable, "-m", "dask", *map(str, arguments)]
    return subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log, start_new_session=True)


def _address(file: Path) -> str:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        if file.is_file() and (text := file.read_text()):
            return str(json.loads(text)["address"])
        time.sleep(0.1)
    raise TimeoutError(f"no scheduler: {(file.parent / 'dask.log').read_text()}")
