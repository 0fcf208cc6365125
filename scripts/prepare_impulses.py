"""BUT ReverbDB, OpenAIR, the MIT survey, or any folder of impulse responses → NeMo manifests of them."""

from pathlib import Path
from typing import Annotated

import typer

from spoken_numbers.cli import SchedulerOption, report_made, run
from spoken_numbers.corpora import impulses
from spoken_numbers.corpora.impulses import Layout
from spoken_numbers.parallel import scheduled_on


def main(
    corpus: Annotated[Path, typer.Argument(help="folder of impulse responses, as it was unpacked")],
    out: Annotated[Path, typer.Option(help="folder for responses and manifests")] = Path("data/impulses"),
    layout: Annotated[Layout, typer.Option(help="whose folders and file names these are")] = Layout.AUTO,
    seconds: Annotated[float, typer.Option(min=0.05, help="longer responses are cut and faded out")] = 1.0,
    test_fraction: Annotated[float, typer.Option(min=0, max=0.9, help="of the rooms")] = 0.2,
    test_room: Annotated[list[str], typer.Option(help="held out; repeatable")] = [],  # noqa: B006
    seed: int = 0,
    scheduler: SchedulerOption = None,
) -> None:
    """Cut measured impulse responses at their direct path, measure them, and split them by room."""
    with scheduled_on(scheduler):
        report_made(impulses.prepare(corpus, out, layout, seconds, test_fraction, test_room, seed))


run(main)
