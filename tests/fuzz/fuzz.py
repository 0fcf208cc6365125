"""Valid files, changed by atheris wherever that reaches new code, into each reader: only a ``UserError`` may come out.

    python3 tests/fuzz/fuzz.py --seconds 600

Each reader works in a process of its own, so that a crash of a library, a hang and a full memory are seen, too. What
broke it is kept in ``build/fuzz/READER``, and read once more by ``python3 tests/fuzz/one_reader.py READER FILE``.
"""

import re
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

from spoken_numbers.cli import run
from spoken_numbers.errors import UserError

READERS = ("audio", "manifest", "config", "onnx")
KEPT = Path("build/fuzz")


def main(
    readers: Annotated[list[str] | None, typer.Argument(help=f"of {', '.join(READERS)}; all by default")] = None,
    seconds: Annotated[int, typer.Option(min=1, help="for each reader")] = 600,
    seed: Annotated[int, typer.Option(min=1)] = 1,
) -> int:
    """Exit status 1 when a reader let anything but a UserError out, hung, filled the memory, or its process died."""
    failed = 0
    for name in readers or READERS:
        if name not in READERS:
            raise UserError(f"no such reader '{name}'", where="fuzz.py", todo=f"choose of {', '.join(READERS)}")
        (KEPT / name).mkdir(parents=True, exist_ok=True)
        command = [sys.executable, str(Path(__file__).with_name("one_reader.py")), name, str(seconds), str(seed)]
        with (KEPT / name / "log").open("w+", errors="replace") as log:
            status = subprocess.run(command, stdout=log, stderr=log, check=False).returncode
            log.seek(0)
            tried = re.search(r"number_of_executed_units: +(\d+)", log.read())
        what = f"; see {KEPT / name}" if status else ""
        print(f"{name}: {tried[1] if tried else 'no'} inputs, exit status {status}{what}", flush=True)
        failed += status != 0
    return 1 if failed else 0


run(main)
