"""Runs of evaluate.py side by side."""

from pathlib import Path
from typing import Annotated

import typer

from spoken_numbers.assessment.run_file import compare, read_run
from spoken_numbers.assessment.summary import compared, run_table
from spoken_numbers.cli import run


def main(
    runs: Annotated[list[Path], typer.Argument(exists=True, dir_okay=False, help="what evaluate.py --json wrote")],
    differing: Annotated[int, typer.Option(min=0, help="utterances to show where two runs differ")] = 10,
) -> None:
    """Print a table of all runs, and each later one against the first on the same utterances, tested in pairs."""
    first, *others = loaded = [read_run(path) for path in runs]
    print("\n".join(run_table(loaded)))
    for other in others:
        result, pairs = compare(first, other)
        print("\n" + "\n".join(compared(first, other, result, pairs[:differing], len(pairs))))


run(main)
