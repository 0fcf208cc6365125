"""DEMAND, DCASE 2017, ESC, MUSAN, or any folder of recordings → NeMo manifests of noise clips."""

from pathlib import Path
from typing import Annotated

import typer

from spoken_numbers.cli import SchedulerOption, report_made, run
from spoken_numbers.corpora import noise
from spoken_numbers.corpora.noise_layouts import Layout
from spoken_numbers.parallel import scheduled_on


def main(
    corpus: Annotated[Path, typer.Argument(help="folder of recordings, as it was unpacked")],
    out: Annotated[Path, typer.Option(help="folder for clips and manifests")] = Path("data/noise"),
    layout: Annotated[Layout, typer.Option(help="whose folders and file names these are")] = Layout.AUTO,
    seconds: Annotated[float, typer.Option(min=0.1, help="length of a clip")] = 2.0,
    floor_db: Annotated[float, typer.Option(help="dB re full scale; quieter clips are left out")] = -70.0,
    test_fraction: Annotated[float, typer.Option(min=0, max=0.9, help="of the recordings of each class")] = 0.2,
    test_fold: Annotated[list[int], typer.Option(help="ESC's fold to hold out; repeatable")] = [],  # noqa: B006
    test_source: Annotated[list[str], typer.Option(help="recording to hold out; repeatable")] = [],  # noqa: B006
    only_class: Annotated[list[str], typer.Option(help="take this class alone; repeatable")] = [],  # noqa: B006
    all_channels: Annotated[bool, typer.Option("--all-channels", help="all 16 files of DEMAND")] = False,
    seed: int = 0,
    scheduler: SchedulerOption = None,
) -> None:
    """Cut recordings of noise into clips of one length, split by recording."""
    with scheduled_on(scheduler):
        report_made(
            noise.prepare(
                corpus,
                out,
                layout,
                seconds,
                floor_db,
                test_fraction,
                test_fold,
                test_source,
                only_class,
                all_channels,
                seed,
            )
        )


run(main)
