"""An evaluation as one HTML page that needs no network and no file beside it."""

from pathlib import Path
from typing import Any

import jinja2

from spoken_numbers import audio
from spoken_numbers.assessment import plots
from spoken_numbers.assessment.evaluation import Evaluation, Reading
from spoken_numbers.audio import SAMPLE_RATE
from spoken_numbers.files import written_whole

WORST = 100
SECONDS_HEARD = 12
"""Of each of the worst utterances; 100 of them stay under 20 MB of page."""


def write_report(evaluation: Evaluation, folder: Path, run: dict[str, Any]) -> Path:
    """Write ``folder/report.html``, whole or not at all, and return its path.

    Args:
        run: the evaluation's figures, by ``as_json``.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=jinja2.StrictUndefined
    )
    environment.filters.update(percent=_percent, interval=_interval)
    page = environment.get_template("report.html.j2").render(
        run=run, pictures=_pictures(run), worst=[_heard(reading) for reading in evaluation.worst(WORST)]
    )
    path = folder / "report.html"
    with written_whole(path) as temporary:
        temporary.write_text(page, encoding="utf-8", errors="backslashreplace")
    return path


def _pictures(run: dict[str, Any]) -> list[tuple[str, str]]:
    if not run["readings"]:
        return []
    made = [
        (
            "Reliability: string accuracy against confidence, dots as large as their share",
            plots.reliability,
            "calibration",
        ),
        ("Accuracy against coverage, the least sure rejected first", plots.accuracy_by_coverage, "coverage"),
        ("Errors by position in the number", plots.errors_by_position, "positions"),
        ("Digits spoken and read", plots.confusion_matrix, "confusion"),
    ]
    return [(title, draw(run[key])) for title, draw, key in made if run[key]]  # type: ignore[operator]


def _heard(reading: Reading) -> dict[str, Any]:
    waveform = audio.read(reading.path)[: SECONDS_HEARD * SAMPLE_RATE]
    return {
        "reading": reading,
        "spectrogram": plots.spectrogram_png(waveform),
        "sound": plots.sound(waveform),
    }


def _percent(share: float | None, places: int = 1) -> str:
    return "–" if share is None else f"{100 * share:.{places}f} %"


def _interval(bounds: tuple[float, float] | None) -> str:
    return "" if bounds is None else f"({100 * bounds[0]:.1f}–{100 * bounds[1]:.1f})"
