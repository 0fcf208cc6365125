"""Asterisk's recorded voices → NeMo manifests of digit strings, isolated digits, and phrases without a number."""

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
    transcripts: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="core-sounds-en.txt or .txt.gz, for phrases without a number"),
    ] = None,
    seed: int = 0,
    scheduler: SchedulerOption = None,
) -> None:
    """Splice the digits of each voice into strings; with its transcripts take its phrases without a number, too."""
    with scheduled_on(scheduler):
        made = prompts.prepare(corpus, out, split.value, strings_per_speaker, length, seed)
        if transcripts is not None:
            made.append(prompts.prepare_phrases(corpus, transcripts, out, split.value))
        report_made(made)


run(main)
