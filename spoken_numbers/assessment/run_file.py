"""An evaluation as files: all figures and readings as JSON, readings as CSV; and two such files compared."""

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from spoken_numbers.assessment.evaluation import Evaluation, Reading
from spoken_numbers.assessment.figures import (
    by_position,
    calibration,
    confusion,
    coverage,
    false_acceptance,
    figures,
    groups,
    speed,
)
from spoken_numbers.assessment.intervals import Paired, paired
from spoken_numbers.errors import UserError
from spoken_numbers.files import written_whole
from spoken_numbers.labels import digit_string


def as_json(evaluation: Evaluation, model: str) -> dict[str, Any]:
    """Everything that a report states, and every reading."""
    everything = evaluation.all()
    return {
        "model": model,
        "overall": figures(everything),
        "manifests": {str(name): figures(readings) for name, readings in evaluation.readings.items()},
        "groups": groups(everything),
        "confusion": confusion(everything),
        "positions": by_position(everything),
        "calibration": calibration(everything),
        "coverage": coverage(everything),
        "false_acceptance": false_acceptance(everything),
        "speed": speed(evaluation),
        "unreadable": [str(error) for error in evaluation.unreadable],
        "readings": list(_rows(evaluation)),
    }


def write_json(run: dict[str, Any], path: Path) -> None:
    """What ``as_json`` gave, whole or not at all."""
    with written_whole(path) as temporary:
        text = json.dumps(run, indent=2, ensure_ascii=False)
        temporary.write_text(text + "\n", encoding="utf-8", errors="backslashreplace")  # JSON's own escapes


def write_csv(evaluation: Evaluation, path: Path) -> None:
    """A row for each utterance, whole or not at all."""
    rows = [{**row, "characters": json.dumps(row["characters"])} for row in _rows(evaluation)]
    with (
        written_whole(path) as temporary,
        temporary.open("w", encoding="utf-8", errors="backslashreplace", newline="") as out,
    ):
        writer = csv.DictWriter(out, list(rows[0]) if rows else ["audio_filepath"])
        writer.writeheader()
        writer.writerows(rows)


def read_run(path: Path) -> dict[str, Any]:
    """What ``write_json`` wrote.

    Raises:
        UserError: no such file, or another kind of file.
    """
    try:
        run = json.loads(path.read_text(encoding="utf-8"))
        for reading in run["readings"]:
            for name in ("manifest", "audio_filepath", "reference", "hypothesis"):
                reading[name]
        run["model"], run["overall"]["strings"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        reason = getattr(error, "strerror", None) or "it lacks what evaluate.py --json writes"
        raise UserError(f"cannot read run: {reason}", where=str(path), todo="make it with evaluate.py --json") from None
    return run


def compare(
    first: dict[str, Any], second: dict[str, Any]
) -> tuple[Paired, list[tuple[dict[str, Any], dict[str, Any]]]]:
    """The paired test on the utterances that both runs read, and those on which their digit strings differ.

    Raises:
        UserError: they share no utterance, or disagree about what was said.
    """
    others = {_key(reading): reading for reading in second["readings"]}
    pairs = [(reading, others[_key(reading)]) for reading in first["readings"] if _key(reading) in others]
    names = f"{first['model']} and {second['model']}"
    if not pairs:
        raise UserError("runs have no utterance in common", where=names, todo="evaluate both on the same manifests")
    if any(one["reference"] != two["reference"] for one, two in pairs):
        raise UserError("runs differ in their references", where=names, todo="evaluate both on the same manifests")
    firsts, seconds = [_right(one) for one, _ in pairs], [_right(two) for _, two in pairs]
    differing = [(a, b) for a, b in pairs if digit_string(a["hypothesis"]) != digit_string(b["hypothesis"])]
    return paired(firsts, seconds, [one.get("speaker", "") for one, _ in pairs]), differing


def _key(reading: dict[str, Any]) -> tuple[str, str]:
    return reading["manifest"], reading["audio_filepath"]


def _right(reading: dict[str, Any]) -> bool:
    return digit_string(reading["reference"]) == digit_string(reading["hypothesis"])


def _rows(evaluation: Evaluation) -> Iterator[dict[str, Any]]:
    for name, readings in evaluation.readings.items():
        for reading in readings:
            yield _row(name, reading)


def _row(manifest: Path, reading: Reading) -> dict[str, Any]:
    said, counts = reading.utterance, reading.counts
    return {
        "manifest": str(manifest),
        "audio_filepath": str(reading.path),
        "reference": reading.reference,
        "hypothesis": reading.hypothesis,
        "right": reading.right,
        "substitutions": counts.substitutions,
        "insertions": counts.insertions,
        "deletions": counts.deletions,
        "confidence": reading.decoded.confidence,
        "speaker": said.speaker,
        "corpus": said.corpus,
        "style": said.style,
        "noise": said.noise,
        "snr_db": said.snr_db,
        "seconds": said.duration,
        "characters": [[c.label, c.start, c.end, c.confidence] for c in reading.decoded.characters],
    }
