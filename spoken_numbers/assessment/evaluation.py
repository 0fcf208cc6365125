"""Manifests read by a model → what it got right, per manifest and overall, and where it went wrong most."""

import resource
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from spoken_numbers import audio, manifest
from spoken_numbers.assessment.metrics import ErrorCounts, count_errors
from spoken_numbers.audio import FloatArray
from spoken_numbers.decoding.decoded import Decoded, Decoder
from spoken_numbers.decoding.greedy import decode_greedy
from spoken_numbers.errors import UserError
from spoken_numbers.labels import check_label
from spoken_numbers.manifest import ManifestError, Utterance
from spoken_numbers.parallel import progress

Acoustic = Callable[[Iterable[FloatArray]], Iterator[FloatArray]]
"""Waveforms (samples,) at 16 kHz → log-probabilities (frames, 12), one for each, in order."""

Reader = Callable[[Iterable[FloatArray]], Iterator[Decoded]]
"""Waveforms (samples,) at 16 kHz → what was read, one for each, in order."""

TIMED = 50
"""Utterances that are read once more, one at a time, for their latency."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One utterance, what was read, and the errors between the two digit strings."""

    path: Path
    utterance: Utterance
    decoded: Decoded
    counts: ErrorCounts

    @property
    def reference(self) -> str:
        return self.utterance.text

    @property
    def hypothesis(self) -> str:
        return self.decoded.label

    @property
    def right(self) -> bool:
        return bool(self.counts.strings_right)


@dataclass(frozen=True)
class Evaluation:
    """The readings of each manifest, recordings that could not be read (with the reason), and how fast it went."""

    readings: dict[Path, list[Reading]]
    unreadable: list[UserError]
    latencies: list[tuple[float, float]] = field(default_factory=list)
    """Seconds to read an utterance alone, and seconds that it lasts."""
    peak_memory: int = 0
    """Bytes resident at most in the process, with all that it had loaded."""

    @property
    def overall(self) -> ErrorCounts:
        return total(self.all())

    def all(self) -> list[Reading]:
        return [reading for readings in self.readings.values() for reading in readings]

    def worst(self, count: int = 10) -> list[Reading]:
        """The readings with most digit errors, most errors per digit first among equals."""
        wrong = [reading for reading in self.all() if not reading.right]
        return sorted(wrong, key=lambda r: (-r.counts.errors, len(r.reference), str(r.path)))[:count]


def evaluate(acoustic: Acoustic, manifests: Sequence[Path], decoder: Decoder = decode_greedy) -> Evaluation:
    """Read every utterance of the manifests with a model and a decoder.

    Raises:
        ManifestError: a manifest that is missing, broken or empty.
    """
    return evaluate_reader(_reader(acoustic, decoder), manifests)


def evaluate_reader(reader: Reader, manifests: Sequence[Path]) -> Evaluation:
    """As ``evaluate``, of anything that reads."""
    readings: dict[Path, list[Reading]] = {}
    unreadable: list[UserError] = []
    timed: list[FloatArray] = []
    for path in dict.fromkeys(manifests):
        utterances = list(manifest.read(path))
        if not utterances:
            raise ManifestError("manifest without rows", where=str(path), todo="prepare it again")
        for utterance in utterances:
            check_label(utterance.text, f"{path}, {utterance.audio_filepath}")
        readable: list[Utterance] = []
        waveforms = _waveforms(path, utterances, readable, unreadable, timed)
        read = progress(reader(waveforms), len(utterances), path.stem, "utterance")
        readings[path] = [_reading(path, readable[i], decoded) for i, decoded in enumerate(read)]
    latencies = [(_seconds(reader, waveform), len(waveform) / audio.SAMPLE_RATE) for waveform in timed]
    return Evaluation(readings, unreadable, latencies, _peak_memory())


def merged(evaluations: Sequence[Evaluation]) -> Evaluation:
    """One evaluation of several, each of other manifests."""
    return Evaluation(
        {path: readings for one in evaluations for path, readings in one.readings.items()},
        [error for one in evaluations for error in one.unreadable],
        [latency for one in evaluations for latency in one.latencies],
        max((one.peak_memory for one in evaluations), default=0),
    )


def total(readings: Iterable[Reading]) -> ErrorCounts:
    """The sum of their counts."""
    return sum((reading.counts for reading in readings), ErrorCounts())


def _reader(acoustic: Acoustic, decoder: Decoder) -> Reader:
    def read(waveforms: Iterable[FloatArray]) -> Iterator[Decoded]:
        seconds: list[float] = []

        def measured() -> Iterator[FloatArray]:
            for waveform in waveforms:
                seconds.append(len(waveform) / audio.SAMPLE_RATE)
                yield waveform

        for place, log_probs in enumerate(acoustic(measured())):
            yield decoder(log_probs, seconds[place] / len(log_probs))

    return read


def _waveforms(
    path: Path,
    utterances: Iterable[Utterance],
    readable: list[Utterance],
    unreadable: list[UserError],
    timed: list[FloatArray],
) -> Iterator[FloatArray]:
    for utterance in utterances:
        try:
            waveform = audio.read(utterance.path(path))
        except UserError as error:
            unreadable.append(error)
            continue
        readable.append(utterance)
        if len(timed) < TIMED:
            timed.append(waveform)
        yield waveform


def _reading(path: Path, utterance: Utterance, decoded: Decoded) -> Reading:
    return Reading(utterance.path(path), utterance, decoded, count_errors(utterance.text, decoded.label))


def _seconds(reader: Reader, waveform: FloatArray) -> float:
    start = time.perf_counter()
    list(reader([waveform]))
    return time.perf_counter() - start


def _peak_memory() -> int:
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
