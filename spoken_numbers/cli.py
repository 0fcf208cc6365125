"""What every command shares: one-line errors, exit status, closing lines."""

import re
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from spoken_numbers.errors import UserError, on_one_line
from spoken_numbers.manifest import Made
from spoken_numbers.utf8 import use_utf8

UsageError: Any = typer.BadParameter.__mro__[1]  # typer exports only this child of it, from click or its own copy of it

SchedulerOption = Annotated[
    str | None,
    typer.Option("--scheduler", metavar="ADDRESS", help="of a Dask cluster to work on, tcp://HOST:8786"),
]
"""For ``spoken_numbers.parallel.scheduled_on``."""


def run(main: Callable[..., Any]) -> NoReturn:
    """Parse the command line by the signature of ``main``, call it, and end the process.

    Exit status: what ``main`` returns (an int) or 0; 2 for a user error; 130 for Ctrl-C. Bugs keep their traceback.
    """
    use_utf8()
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
    app.command(help=main.__doc__)(main)
    try:
        status = app(standalone_mode=False)
    except UserError as error:
        fail(error)
    except UsageError as error:
        message = re.sub(r"\s*\n\s*", " ", error.format_message()).rstrip(".")
        fail(UserError(message, where=Path(sys.argv[0]).name, todo="see --help"))
    except (KeyboardInterrupt, typer.Abort):
        print("interrupted; type the same command to go on", file=sys.stderr)
        sys.exit(130)
    sys.exit(status if isinstance(status, int) else 0)


def fail(error: UserError) -> NoReturn:
    print(f"error: {error}", file=sys.stderr)
    sys.exit(2)


def report_made(made: Iterable[Made]) -> None:
    """One line per manifest, and what was left out and why."""
    for one in made:
        speakers = f", {one.speakers} speakers" if one.speakers else ""
        print(f"{on_one_line(one.path)}: {one.utterances} utterances, {one.hours:.2f} h{speakers}")
        for reason, count in sorted(one.left_out.items()):
            print(f"  left out {count}: {reason}")
