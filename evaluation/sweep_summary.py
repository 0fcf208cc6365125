"""A sweep's folder → its trials, best first, and pictures of them."""

from pathlib import Path
from typing import Annotated

import typer

from spoken_numbers.cli import run
from spoken_numbers.training.sweep_summary import draw, table


def main(
    sweep: Annotated[Path, typer.Argument(help="such as experiments/quickstart_sweep")],
    out: Annotated[Path | None, typer.Option(help="folder for the pictures; the sweep's by default")] = None,
) -> None:
    """Print each trial's string accuracy and settings, and draw accuracy by trial and by setting."""
    print(table(sweep))
    for picture in draw(sweep, out or sweep):
        print(picture)


run(main)
