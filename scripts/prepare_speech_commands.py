"""Speech Commands v2 → NeMo manifests of spliced digit strings and of the isolated digits."""

from pathlib import Path
from typing import Annotated

import typer

from spoken_numbers.cli import SchedulerOption, report_made, run
from spoken_numbers.corpora import speech_commands
from spoken_numbers.parallel import scheduled_on


def main(
    corpus: Annotated[Path, typer.Argument(help="folder that holds zero/ … nine/ and testing_list.txt")],
    out: Annotated[Path, typer.Option(help="folder for audio and manifests")] = Path("data/speech_commands"),
    strings_per_speaker: Annotated[int, typer.Option(min=0, help="for training")] = 10,
    length: Annotated[str, typer.Option(help="digits per string: 6, or 4-8")] = "4-8",
    seed: int = 0,
    test_strings_per_speaker: Annotated[int, typer.Option(min=0, help="for validation and for test")] = 10,
    scheduler: SchedulerOption = None,
) -> None:
    """Splice isolated digits of one speaker into strings, in the published splits."""
    with scheduled_on(scheduler):
        report_made(speech_commands.prepare(corpus, out, strings_per_speaker, length, seed, test_strings_per_speaker))


run(main)
