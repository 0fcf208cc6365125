"""Free Spoken Digit Dataset → NeMo manifests of spliced digit strings and of the isolated digits."""

from pathlib import Path
from typing import Annotated

import typer

from spoken_numbers.cli import SchedulerOption, report_made, run
from spoken_numbers.corpora import fsdd
from spoken_numbers.parallel import scheduled_on


def main(
    corpus: Annotated[Path, typer.Argument(help="folder that holds recordings/")],
    out: Annotated[Path, typer.Option(help="folder for audio and manifests")] = Path("data/fsdd"),
    strings_per_speaker: Annotated[int, typer.Option(min=0, help="for training")] = 500,
    length: Annotated[str, typer.Option(help="digits per string: 6, or 4-8")] = "4-8",
    test_speaker: Annotated[list[str], typer.Option(help="held out; repeatable")] = ["theo"],  # noqa: B006
    seed: int = 0,
    test_strings_per_speaker: Annotated[int, typer.Option(min=0)] = 500,
    scheduler: SchedulerOption = None,
) -> None:
    """Splice isolated digits of one speaker into strings, split by speaker."""
    with scheduled_on(scheduler):
        report_made(
            fsdd.prepare(corpus, out, strings_per_speaker, length, test_speaker, seed, test_strings_per_speaker)
        )


run(main)
