"""Table of recordings (CSV or TSV: file, what is said, speaker) → NeMo manifests."""

from pathlib import Path
from typing import Annotated

import typer

from spoken_numbers.cli import SchedulerOption, report_made, run
from spoken_numbers.corpora import table as tables
from spoken_numbers.corpora.table_file import Columns
from spoken_numbers.parallel import scheduled_on


def main(
    table: Annotated[Path, typer.Argument(help="its first line names the columns")],
    out: Annotated[Path, typer.Option(help="folder for audio and manifests")] = Path("data/table"),
    audio_root: Annotated[Path | None, typer.Option(help="folder of the recordings; the table's by default")] = None,
    audio_column: Annotated[str | None, typer.Option(help="filename, path, audio or the like by default")] = None,
    text_column: Annotated[str | None, typer.Option(help="transcription, text, words or the like")] = None,
    speaker_column: Annotated[str | None, typer.Option(help="spk_id, speaker, client_id, or none")] = None,
    numbers_are: Annotated[
        tables.NumbersAre, typer.Option(help="how numbers written in figures were read")
    ] = tables.NumbersAre.DIGITS,
    language: Annotated[str, typer.Option(help="of numbers written in words: en or ru")] = "en",
    test_speaker: Annotated[list[str], typer.Option(help="held out; repeatable")] = [],  # noqa: B006
    test_fraction: Annotated[float, typer.Option(min=0, max=0.9, help="of speakers, or else of rows")] = 0.1,
    seed: int = 0,
    scheduler: SchedulerOption = None,
) -> int:
    """Convert the recordings and label them, split by speaker; end with status 1 if a row could not be used."""
    columns = Columns(audio_column, text_column, speaker_column)
    split = test_speaker, test_fraction, seed
    with scheduled_on(scheduler):
        made = tables.prepare(table, out, columns, audio_root, numbers_are, language, *split)
    report_made(made)
    return int(any(one.left_out for one in made))


run(main)
