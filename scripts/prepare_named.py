"""Recordings whose path tells who says what → NeMo manifests."""

from pathlib import Path
from typing import Annotated

import typer

from spoken_numbers.cli import SchedulerOption, report_made, run
from spoken_numbers.corpora import named
from spoken_numbers.parallel import scheduled_on


def main(
    corpus: Annotated[Path, typer.Argument(help="folder of recordings")],
    out: Annotated[Path, typer.Option(help="folder for audio and manifests")] = Path("data/named"),
    recordings: Annotated[
        str, typer.Option(metavar="REGEX", help="paths below the folder, with groups speaker and, if any, number")
    ] = named.BY_FOLDER,
    language: Annotated[str, typer.Option(help="of numbers written in words: en or ru")] = "en",
    test_speaker: Annotated[list[str], typer.Option(help="held out; repeatable")] = [],  # noqa: B006
    test_fraction: Annotated[float, typer.Option(min=0, max=0.9, help="of speakers")] = 0.1,
    seed: int = 0,
    scheduler: SchedulerOption = None,
) -> int:
    """Convert the recordings that match and label them by their paths, split by speaker; without a group named number,
    no number is said. End with status 1 if one could not be used."""
    with scheduled_on(scheduler):
        made = named.prepare(corpus, out, recordings, language, test_speaker, test_fraction, seed)
    report_made(made)
    return int(any(one.left_out for one in made))


run(main)
