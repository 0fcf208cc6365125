"""``spoken-numbers``: recordings → digit strings, by an exported model."""

import argparse
import sys
from pathlib import Path
from typing import NoReturn

from spoken_numbers.errors import UserError
from spoken_numbers.recognizer import Recognizer


def main() -> None:
    # argparse, where the other commands have typer: what ships beside a 2 MB model should be small.
    parser = _Parser(prog="spoken-numbers", description="Spoken numbers to digit strings.")
    command = parser.add_subparsers(required=True, metavar="COMMAND").add_parser(
        "transcribe",
        help="recordings to digit strings",
        description="Print a line for each recording: its digit string, a tab, its path. "
        "Exit status 1 when one cannot be read.",
    )
    command.add_argument("model", type=Path, help="an exported model (.onnx)")
    command.add_argument(
        "recording", type=Path, nargs="+", help="any length, of any format that libsndfile or FFmpeg reads"
    )
    command.add_argument("--threads", type=int, default=1, help="0 for as many as there are cores; default 1")
    try:
        given = parser.parse_args()
        if given.threads < 0:
            raise UserError(f"{given.threads} threads", where="--threads", todo="give 0 or more")
        status = transcribe(given.model, given.recording, given.threads)
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        status = 2
    except KeyboardInterrupt:
        status = 130
    sys.exit(status)


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UserError(message, where=self.prog, todo="see --help")


def transcribe(model: Path, recordings: list[Path], threads: int) -> int:
    """Print what each recording says; return the exit status."""
    recognizer = Recognizer(model, threads)
    failed = 0
    for path in recordings:
        try:
            print(f"{recognizer.transcribe(path).digits}\t{path}", flush=True)
        except UserError as error:
            print(f"error: {error}", file=sys.stderr)
            failed += 1
    if failed:
        print(f"{failed} of {len(recordings)} recordings could not be read", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    main()
