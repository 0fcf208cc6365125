"""AudioMNIST → NeMo manifests of spliced digit strings and of the isolated digits."""

from pathlib import Path
from typing import Annotated

import typer

from spoken_numbers.cli import SchedulerOption, report_made, run
from spoken_numbers.corpora import audiomnist
from spoken_numbers.parallel import scheduled_on


def main(
    corpus: Annotated[Path, typer.Argument(help="folder that holds data/")],
    out: Annotated[Path, typer.Option(help="folder for audio and manifests")] = Path("data/audiomnist"),
    strings_per_speaker: Annotated[int, typer.Option(min=0, help="for training")] = 100,
    length: Annotated[str, typer.Option(help="digits per string: 6, or 4-8")] = "4-8",
    test_speaker: Annotated[list[str], typer.Option(help="held out, for example 07; repeatable")] = [],  # noqa: B006
    test_fraction: Annotated[float, typer.Option(min=0, max=0.9, help="of the women and of the men")] = 0.2,
    seed: int = 0,
    test_strings_per_speaker: Annotated[int, typer.Option(min=0)] = 50,
    scheduler: SchedulerOption = None,
) -> None:
    """Splice isolated digits of one speaker into strings, split by speaker."""
    strings = strings_per_speaker, length
    with scheduled_on(scheduler):
        report_made(
            audiomnist.prepare(corpus, out, *strings, test_speaker, test_fraction, seed, test_strings_per_speaker)
        )


run(main)
