"""Models side by side."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from spoken_numbers.cli import run
from spoken_numbers.deploy.compare import compare, table, write_json


def main(
    model: Annotated[
        list[Path], typer.Argument(exists=True, dir_okay=False, help=".nemo, .ckpt or .onnx, two or more")
    ],
    manifest: Annotated[list[Path], typer.Option(exists=True, dir_okay=False, help="NeMo manifest; repeatable")],
    json: Annotated[Path | None, typer.Option(help="write all figures here")] = None,
) -> int:
    """Print size, load time, latency, memory and accuracy of each model, and how it differs from the first.

    Exit status 1 when a recording could not be read.
    """
    comparison = compare(model, manifest)
    print(table(comparison))
    for error in comparison.left_out:
        print(f"left out: {error}", file=sys.stderr)
    if json is not None:
        write_json(comparison, json)
        print(f"\n{json}: all figures")
    return 1 if comparison.left_out else 0


if __name__ == "__main__":  # it starts processes, which import it
    run(main)
