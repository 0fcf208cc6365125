"""Manifests read by a model → what it got right, per manifest and overall, and where it went wrong most."""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from spoken_numbers import audio, manifest
from spoken_numbers.assessment.metrics import ErrorCounts, count_errors
from spoken_numbers.audio import FloatArray
from spoken_numbers.decoding.greedy import greedy
from spoken_numbers.errors import UserError
from spoken_numbers.files import written_whole
from spoken_numbers.manifest import ManifestError, Utterance
from spoken_numbers.parallel import progress

Acoustic = Callable[[Iterable[FloatArray]], Iterator[FloatArray]]
"""Waveforms (samples,) at 16 kHz → log-probabilities (frames, 12), one for each, in order."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One utterance, the label that was read, and the errors between the two digit strings."""

    path: Path
    reference: str
    hypothesis: str
    speaker: str
    style: str
    counts: ErrorCounts


@dataclass(frozen=True)
class Evaluation:
    """The readings of each manifest, and recordings that could not be read (with the reason)."""

    readings: dict[Path, list[Reading]]
    unreadable: list[UserError]

    @property
    def overall(self) -> ErrorCounts:
        return total(reading for readings in self.readings.values() for reading in readings)

    def worst(self, count: int = 10) -> list[Reading]:
        """The readings with most digit errors, most errors per digit first among equals."""
        wrong = [r for readings in self.readings.values() for r in readings if not r.counts.strings_right]
        return sorted(wrong, key=lambda r: (-r.counts.errors, len(r.reference), str(r.path)))[:count]


def evaluate(acoustic: Acoustic, manifests: Sequence[Path]) -> Evaluation:
    """Read every utterance of the manifests by greedy decoding.

    Raises:
        ManifestError: a manifest that is missing, broken or empty.
    """
    readings: dict[Path, list[Reading]] = {}
    unreadable: list[UserError] = []
    for path in dict.fromkeys(manifests):
        utterances = list(manifest.read(path))
        if not utterances:
            raise ManifestError("manifest without rows", where=str(path), todo="prepare it again")
        readable: list[Utterance] = []
        waveforms = _waveforms(path, utterances, readable, unreadable)
        paths = progress(acoustic(waveforms), len(utterances), path.stem, "utterance")
        readings[path] = [_reading(path, readable[i], greedy(one)) for i, one in enumerate(paths)]
    return Evaluation(readings, unreadable)


def total(readings: Iterable[Reading]) -> ErrorCounts:
    """The sum of their counts."""
    return sum((reading.counts for reading in readings), ErrorCounts())


def write_json(evaluation: Evaluation, path: Path, model: Path) -> None:
    """All figures and every reading, whole or not at all."""
    report = {
        "model": str(model),
        "overall": _figures(evaluation.overall),
        "manifests": {str(name): _figures(total(readings)) for name, readings in evaluation.readings.items()},
        "unreadable": [str(error) for error in evaluation.unreadable],
        "readings": [
            {"manifest": str(name), "audio_filepath": str(r.path), "reference": r.reference, "hypothesis": r.hypothesis}
            for name, readings in evaluation.readings.items()
            for r in readings
        ],
    }
    with written_whole(path) as temporary:
        temporary.write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _waveforms(
    path: Path, utterances: Iterable[Utterance], readable: list[Utterance], unreadable: list[UserError]
) -> Iterator[FloatArray]:
    for utterance in utterances:
        try:
            waveform = audio.read(utterance.path(path))
        except UserError as error:
            unreadable.append(error)
            continue
        readable.append(utterance)
        yield waveform


def _reading(path: Path, utterance: Utterance, hypothesis: str) -> Reading:
    counts = count_errors(utterance.text, hypothesis)
    return Reading(utterance.path(path), utterance.text, hypothesis, utterance.speaker, utterance.style, counts)


def _figures(counts: ErrorCounts) -> dict[str, float | int | None]:
    rate = counts.digit_error_rate if counts.digits else None
    return {"string_accuracy": counts.string_accuracy, "digit_error_rate": rate, **asdict(counts)}
