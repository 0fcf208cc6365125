"""The real commands, as a shell runs them.

Those that need NeMo can begin warm: forked off a process that has imported it, which takes many seconds. No more is
shared: they, too, run as ``__main__`` in a process and session of their own, with their own arguments and environment,
and end with the status that a shell would see.
"""

import atexit
import gc
import multiprocessing
import os
import runpy
import shutil
import signal
import subprocess
import sys
import time
import traceback
import weakref
from contextlib import suppress
from functools import cache
from multiprocessing.context import ForkServerContext
from pathlib import Path
from tempfile import mkdtemp

ROOT = Path(__file__).parents[1]


def run(*words: object, cwd: Path = ROOT, **environment: str) -> subprocess.CompletedProcess[str]:
    """What ``python3 words…`` writes and ends with, with some variables besides those of this process."""
    command, known = [sys.executable, *map(str, words)], {**os.environ, **environment}
    return subprocess.run(command, cwd=cwd, capture_output=True, encoding="utf-8", check=False, env=known)


class Started:
    """``python3 words…`` in the repository's folder, begun warm; what is needed of ``subprocess.Popen``."""

    def __init__(self, *words: object) -> None:
        self.command = [str(word) for word in words]
        folder = mkdtemp(prefix="command")
        weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        self.streams = [Path(folder) / name for name in ("out", "err")]
        for stream in self.streams:
            stream.touch()
        self._process = _with_nemo().Process(target=_become, args=(self.command, self.streams, dict(os.environ)))
        self._process.start()

    @property
    def pid(self) -> int:
        return self._process.pid or 0

    def poll(self) -> int | None:
        return self._process.exitcode

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def communicate(self, timeout: float | None = None) -> tuple[str, str]:
        """Everything that it wrote, at its end.

        Raises:
            subprocess.TimeoutExpired: it goes on.
        """
        self._process.join(timeout)
        if self.poll() is None:
            raise subprocess.TimeoutExpired(self.command, timeout or 0)
        out, err = (stream.read_text(encoding="utf-8") for stream in self.streams)
        return out, err

    def kill(self) -> None:
        """Kill it, and wait for the processes that it leaves, which see by themselves that it is gone."""
        self.send_signal(signal.SIGKILL)
        self._process.join()
        with suppress(ProcessLookupError):
            while True:
                os.killpg(self.pid, 0)
                time.sleep(0.05)

    @property
    def returncode(self) -> int | None:
        return self.poll()


def run_warm(*words: object) -> subprocess.CompletedProcess[str]:
    """The same in the repository's folder, begun warm."""
    started = Started(*words)
    out, err = started.communicate()
    return subprocess.CompletedProcess(started.command, started.poll() or 0, out, err)


@cache
def _with_nemo() -> ForkServerContext:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["spoken_numbers.training.train", "spoken_numbers.training.load"])
    return context


def _become(command: list[str], streams: list[Path], environment: dict[str, str]) -> None:
    os.setsid()
    multiprocessing.set_start_method(None, force=True)  # as usual, not as this process was started
    for descriptor, stream in zip((1, 2), streams, strict=True):
        os.dup2(os.open(stream, os.O_WRONLY), descriptor)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(ROOT)
    program = ROOT / command[0]
    tests = str(ROOT / "tests")
    sys.path[:] = [str(program.parent), *(folder for folder in sys.path if not folder.startswith(tests))]
    sys.argv[:] = command
    status: object = 0
    try:
        runpy.run_path(str(program), run_name="__main__")
    except SystemExit as end:
        status = end.code
    except BaseException:
        traceback.print_exc()
        status = 1
    # As where an interpreter ends: its frames are gone, and with them the loaders, which the end of this process joins.
    gc.collect()
    atexit._run_exitfuncs()
    sys.exit(status)
