"""Random shoebox rooms → NeMo manifests of their impulse responses."""

from pathlib import Path
from typing import Annotated

import typer

from spoken_numbers.cli import SchedulerOption, report_made, run
from spoken_numbers.corpora import rooms as simulated
from spoken_numbers.parallel import scheduled_on


def main(
    out: Annotated[Path, typer.Option(help="folder for responses and manifests")] = Path("data/rooms"),
    rooms: Annotated[int, typer.Option(min=1)] = 100,
    positions: Annotated[int, typer.Option(min=1, help="of mouth and microphone in each room")] = 4,
    shortest_t60: Annotated[float, typer.Option(min=0.05, help="seconds")] = 0.1,
    longest_t60: Annotated[float, typer.Option(max=5.0, help="seconds")] = 1.0,
    seconds: Annotated[float, typer.Option(min=0.05, help="longer responses are cut and faded out")] = 1.0,
    test_fraction: Annotated[float, typer.Option(min=0, max=0.9, help="of the rooms")] = 0.2,
    seed: int = 0,
    scheduler: SchedulerOption = None,
) -> None:
    """Simulate impulse responses of random rooms, measure them, and split them by room."""
    with scheduled_on(scheduler):
        report_made(simulated.prepare(out, rooms, positions, shortest_t60, longest_t60, seconds, test_fraction, seed))


run(main)
