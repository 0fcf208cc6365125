"""Manifests → a NeMo tarred dataset: few large files, for training from network storage and millions of rows."""

from pathlib import Path
from typing import Annotated

import typer

from spoken_numbers.cli import SchedulerOption, report_made, run
from spoken_numbers.corpora import shards
from spoken_numbers.parallel import scheduled_on


def main(
    manifest: Annotated[list[Path], typer.Argument(help="joined into one dataset")],
    out: Annotated[Path, typer.Option(help="folder for shards and manifest")],
    utterances_per_shard: Annotated[int, typer.Option(min=1, help="500 of 3 s are some 25 MB")] = 500,
    jobs: Annotated[int | None, typer.Option(min=1, help="processes; all cores by default")] = None,
    seed: int = 0,
    scheduler: SchedulerOption = None,
) -> int:
    """Write the recordings as FLAC into tar files, shuffled; end with status 1 if a row could not be used."""
    with scheduled_on(scheduler):
        made = shards.prepare(manifest, out, utterances_per_shard, seed, jobs)
    report_made([made])
    return int(bool(made.left_out))


run(main)
