"""Connected speech → its number words, cut by forced alignment, and new numbers in each speaker's voice."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from spoken_numbers.cli import SchedulerOption, report_made, run
from spoken_numbers.corpora import cut
from spoken_numbers.parallel import scheduled_on


def main(
    manifest: Annotated[
        list[Path], typer.Argument(exists=True, dir_okay=False, help="English training utterances with their words")
    ],
    out: Annotated[Path, typer.Option(help="folder for audio and manifests")],
    corpus: Annotated[str, typer.Option(help="name in the new manifests")] = "cut",
    strings_per_speaker: Annotated[int, typer.Option(min=1)] = 100,
    length: Annotated[str, typer.Option(help="digits per string: 6, or 4-8")] = "3-8",
    numbers_per_speaker: Annotated[int, typer.Option(min=0, help="in groups and as cardinals")] = 100,
    seed: int = 0,
    scheduler: SchedulerOption = None,
) -> None:
    """Cut the number words of each speaker out of what was said, and splice digit strings and other numbers of them."""
    with scheduled_on(scheduler):
        made = cut.prepare(manifest, out, corpus, strings_per_speaker, length, seed, numbers_per_speaker)
    report_made(made.made)
    print(f"{made.digits} digits and {made.words} other number words cut")
    print(f"  left out {made.implausible}: word shorter than 0.12 s or longer than 1 s")
    for error in made.left_out:
        print(f"left out: {error}", file=sys.stderr)


run(main)
