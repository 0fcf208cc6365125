"""``spoken-numbers``: recordings → digit strings, by an exported model."""

import argparse
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from pathlib import Path
from typing import NoReturn

from spoken_numbers.decoding.automaton import write
from spoken_numbers.decoding.bound import Bound, compile_bound
from spoken_numbers.decoding.checksums import CHECKSUMS
from spoken_numbers.errors import UserError
from spoken_numbers.parallel import scheduled_on
from spoken_numbers.transcription import (
    COLUMNS,
    FORMATS,
    Record,
    as_text,
    csv_row,
    listen,
    sources,
    sure,
    transcribe,
)
from spoken_numbers.utf8 import use_utf8

Opened = Callable[[Path], AbstractContextManager[Path]]


def main(arguments: Sequence[str] | None = None, opened: Opened = nullcontext) -> NoReturn:
    """Run a command line and end the process.

    Args:
        arguments: without the program's name; the process's own by default.
        opened: the model that was given → the .onnx file to use for it.
    """
    # argparse, where the other commands have typer: what ships beside a 2 MB model should be small.
    parser = _Parser(prog="spoken-numbers", description="Spoken numbers to digit strings.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    command = commands.add_parser(
        "transcribe",
        help="recordings to digit strings",
        description="Print a line for each recording: its digit string, a tab, its path. "
        "Exit status 1 when one cannot be read.",
    )
    command.add_argument("model", type=Path, help="an exported model (.onnx)")
    command.add_argument(
        "recording", nargs="*", help="files, folders, quoted patterns; - for audio or a list of paths from stdin"
    )
    command.add_argument(
        "--microphone",
        nargs="?",
        const="",
        metavar="DEVICE",
        help="in place of recordings: a line for each utterance, until Ctrl-C; the device's name, default the system's",
    )
    command.add_argument("--format", choices=FORMATS, default="text", help="default text; json is a line a record")
    command.add_argument("--utterances", action="store_true", help="a line for each utterance, with its start and end")
    command.add_argument("--threads", type=int, default=1, help="0 for as many as there are cores; default 1")
    command.add_argument("--processes", type=int, default=1, help="recordings at once; default 1")
    command.add_argument("--scheduler", metavar="ADDRESS", help="of a Dask cluster to work on: tcp://HOST:8786")
    _add_bound(command)
    command.add_argument(
        "--reject-below", type=float, default=0.0, metavar="P", help="no number where the confidence is below; 0 to 1"
    )
    command.set_defaults(act=partial(_transcribe, opened=opened))
    command = commands.add_parser(
        "grammar",
        help="what is known of a number, compiled once",
        description="Write the admissible numbers as an OpenFst acceptor, for --grammar.",
    )
    command.add_argument("output", type=Path, help="the .fst file to write")
    _add_bound(command)
    command.set_defaults(act=_grammar)
    use_utf8()
    try:
        given = parser.parse_args(arguments)
        status = given.act(given)
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        status = 2
    except KeyboardInterrupt:
        status = 130
    except BrokenPipeError:  # whoever read the answers has enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = 141
    sys.exit(status)


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UserError(message, where=self.prog, todo="see --help")


def _add_bound(command: argparse.ArgumentParser) -> None:
    known = command.add_argument_group("what is known of each number", "An answer satisfies all that is given.")
    known.add_argument("--digits", help="how many: 6, or 4-8")
    known.add_argument("--pattern", help=r"a regular expression over digits: '4\d{3} \d{4}'")
    known.add_argument("--one-of", type=Path, metavar="FILE", help="a number a line")
    known.add_argument("--checksum", choices=CHECKSUMS)
    known.add_argument("--below", type=int, metavar="N", help="a cardinal less than N: no leading zeros")
    known.add_argument("--grammar", type=Path, metavar="FST", help="an OpenFst acceptor; symbols 1 to 10 are 0 to 9")


def _bound(given: argparse.Namespace) -> Bound:
    return Bound(given.digits, given.pattern, given.one_of, given.checksum, given.below, given.grammar)


def _grammar(given: argparse.Namespace) -> int:
    machine = compile_bound(_bound(given))
    write(machine, given.output)
    print(f"{given.output}: {len(machine.final_costs)} states, {len(machine.digits)} arcs")
    return 0


def _transcribe(given: argparse.Namespace, opened: Opened) -> int:
    for option, value, least in [("--threads", given.threads, 0), ("--processes", given.processes, 1)]:
        if value < least:
            raise UserError(f"{value} {option[2:]}", where=option, todo=f"give {least} or more")
    if not 0 <= given.reject_below <= 1:
        raise UserError(f"{given.reject_below}", where="--reject-below", todo="give 0 to 1")
    if bool(given.recording) == (given.microphone is not None):
        raise UserError("neither or both", where="RECORDING, --microphone", todo="give recordings or --microphone")
    with opened(given.model) as given.model, scheduled_on(given.scheduler):
        return _answer(given)


def _answer(given: argparse.Namespace) -> int:
    found = list(sources(given.recording, sys.stdin.buffer))
    recordings = [one for one in found if not isinstance(one, UserError)]
    failed = [one for one in found if isinstance(one, UserError)]
    for error in failed:
        print(f"error: {error}", file=sys.stderr)
    by_utterance = given.utterances or given.microphone is not None
    formatted = partial(as_text, by_utterance=by_utterance) if given.format == "text" else FORMATS[given.format]
    bound = _bound(given)
    answers: Iterator[list[Record] | UserError]
    if given.microphone is not None:
        heard = listen(given.model, given.microphone, bound=bound, threads=given.threads)
        answers = ([record] for record in heard)
    else:
        answers = transcribe(
            given.model,
            recordings,
            by_utterance=by_utterance,
            bound=bound,
            threads=given.threads,
            processes=given.processes,
        )
    if given.format == "csv":
        print(csv_row(COLUMNS))
    for answer in answers:
        if isinstance(answer, UserError):
            print(f"error: {answer}", file=sys.stderr)
            failed.append(answer)
        else:
            for record in answer:
                print(formatted(sure(record, given.reject_below)), flush=True)
    if failed:
        print(f"{len(failed)} of {len(found)} recordings could not be read", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    main()
