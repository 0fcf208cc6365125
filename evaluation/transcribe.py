"""Recordings → digit strings."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from spoken_numbers import audio
from spoken_numbers.acoustic import open_acoustic
from spoken_numbers.cli import run
from spoken_numbers.decoding.greedy import greedy
from spoken_numbers.errors import UserError
from spoken_numbers.labels import digit_string


def main(
    model: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, help="an .onnx or .nemo file, or a checkpoint (.ckpt)")
    ],
    recording: Annotated[list[Path], typer.Argument(help="any format that libsndfile or FFmpeg reads")],
) -> int:
    """Print a line for each recording: its digit string, a tab, its path. Exit status 1 when one cannot be read."""
    acoustic = open_acoustic(model)
    failed = 0
    for path in recording:
        try:
            (frames,) = acoustic([audio.read(path)])
        except UserError as error:
            print(f"error: {error}", file=sys.stderr)
            failed += 1
            continue
        print(f"{digit_string(greedy(frames))}\t{path}")
    return 1 if failed else 0


run(main)
