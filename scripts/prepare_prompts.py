"""Digits of Asterisk's recorded voices → NeMo manifests of spliced digit strings and of the isolated digits."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from spoken_numbers.cli import SchedulerOption, report_made, run
from spoken_numbers.corpora import prompts
from spoken_numbers.parallel import scheduled_on


class Split(StrEnum):
    train = "train"
    test = "test"


def main(
    corpus: Annotated[Path, typer.Argument(help="folder of voices: VOICE/digits/0.wav")],
    out: Annotated[Path, typer.Option(help="folder for audio and manifests")] = Path("data/prompts"),
    split: Annotated[Split, typer.Option(help="of all voices")] = Split.test,
    strings_per_speaker: Annotated[int, typer.Option(min=1)] = 500,
    length: Annotated[str, typer.Option(help="digits per string: 6, or 4-8")] = "3-8",
    seed: int = 0,
    scheduler: SchedulerOption = None,
) -> None:
    """Splice the digits of each voice into strings."""
    with scheduled_on(scheduler):
        report_made(prompts.prepare(corpus, out, split.value, strings_per_speaker, length, seed))


run(main)
