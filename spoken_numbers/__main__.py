"""``spoken-numbers``: recordings → digit strings, by an exported model."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from spoken_numbers import cli
from spoken_numbers.errors import UserError
from spoken_numbers.recognizer import Recognizer


def transcribe(
    model: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="an exported model (.onnx)")],
    recording: Annotated[list[Path], typer.Argument(help="any length, of any format that libsndfile or FFmpeg reads")],
    threads: Annotated[int, typer.Option(min=0, help="0 for as many as there are cores")] = 1,
) -> int:
    """Print a line for each recording: its digit string, a tab, its path. Exit status 1 when one cannot be read."""
    recognizer = Recognizer(model, threads)
    failed = 0
    for path in recording:
        try:
            print(f"{recognizer.transcribe(path).digits}\t{path}", flush=True)
        except UserError as error:
            print(f"error: {error}", file=sys.stderr)
            failed += 1
    if failed:
        print(f"{failed} of {len(recording)} recordings could not be read", file=sys.stderr)
    return 1 if failed else 0


def main() -> None:
    cli.run(transcribe, subcommand="transcribe")


if __name__ == "__main__":
    main()
