"""NeMo manifests → every fault in them, a summary of each, and with --fix a manifest of the good rows."""

from typing import Annotated

import typer

from spoken_numbers import manifest_check
from spoken_numbers.cli import SchedulerOption, run
from spoken_numbers.manifest_report import report
from spoken_numbers.parallel import scheduled_on
from spoken_numbers.row_check import Audio


def main(
    manifest: Annotated[list[str], typer.Argument(help="one per split; a split of several: joined by commas")],
    fix: Annotated[bool, typer.Option("--fix", help="write the good rows to NAME.fixed.json beside NAME.json")] = False,
    frame_stride: Annotated[
        float, typer.Option(min=0.001, help="seconds between the model's output frames")
    ] = manifest_check.FRAME_STRIDE,
    jobs: Annotated[int | None, typer.Option(min=1, help="processes; all cores by default")] = None,
    no_audio: Annotated[bool, typer.Option("--no-audio", help="check the rows, open no recording")] = False,
    headers: Annotated[bool, typer.Option("--headers", help="open recordings without decoding them")] = False,
    scheduler: SchedulerOption = None,
) -> int:
    """Report all faults of all rows with file and line, and end with status 1 if there are any.

    A recording or a speaker must not be in two splits; the split that is named first keeps it.
    """
    audio = Audio.NONE if no_audio else Audio.HEADERS if headers else Audio.SAMPLES
    paths, splits = manifest_check.splits_of(manifest)
    found = manifest_check.check(paths, frame_stride=frame_stride, audio=audio, jobs=jobs, splits=splits)
    with scheduled_on(scheduler):
        return report(found, fix)


run(main)
