"""CMU AN4 → NeMo manifests of its number utterances."""

from pathlib import Path
from typing import Annotated

import typer

from spoken_numbers.cli import SchedulerOption, report_made, run
from spoken_numbers.corpora import an4
from spoken_numbers.parallel import scheduled_on


def main(
    corpus: Annotated[Path, typer.Argument(help="folder that holds etc/ and wav/")],
    out: Annotated[Path, typer.Option(help="folder for audio and manifests")] = Path("data/an4"),
    test_speaker: Annotated[list[str], typer.Option(help="held out; repeatable")] = [],  # noqa: B006
    test_fraction: Annotated[float, typer.Option(min=0, max=0.9, help="of the women and of the men")] = 0.2,
    rest: Annotated[an4.Rest, typer.Option(help="label of utterances that are not just a number")] = an4.Rest.NONE,
    seed: int = 0,
    scheduler: SchedulerOption = None,
) -> None:
    """Convert AN4 to 16 kHz WAV and label its numbers, split by speaker."""
    with scheduled_on(scheduler):
        report_made(an4.prepare(corpus, out, test_speaker, test_fraction, rest, seed))


run(main)
