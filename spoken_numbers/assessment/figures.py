"""Readings → every figure that a report states, as what JSON holds."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from typing import Any

import kaldialign
import numpy as np

from spoken_numbers.assessment.evaluation import Evaluation, Reading, total
from spoken_numbers.assessment.intervals import interval
from spoken_numbers.labels import digit_string

GROUPS: dict[str, Callable[[Reading], str]] = {
    "corpus": lambda r: r.utterance.corpus,
    "style": lambda r: r.utterance.style,
    "length": lambda r: str(len(digit_string(r.reference))),
    "speaker": lambda r: r.utterance.speaker,
    "noise": lambda r: r.utterance.noise,
    "snr_db": lambda r: r.utterance.snr_db,
}
GAP = "-"
BINS = 10


def figures(readings: Sequence[Reading]) -> dict[str, Any]:
    """Counts, rates and their 95 % intervals by speaker; None where there is nothing to divide by."""
    counts = total(readings)
    speakers = [reading.utterance.speaker for reading in readings]
    right = [float(reading.right) for reading in readings]
    errors = [float(reading.counts.errors) for reading in readings]
    digits = [float(reading.counts.digits) for reading in readings]
    return {
        "string_accuracy": counts.string_accuracy if counts.strings else None,
        "string_accuracy_95": interval(right, [1.0] * len(right), speakers),
        "digit_error_rate": counts.digit_error_rate if counts.digits else None,
        "digit_error_rate_95": interval(errors, digits, speakers),
        "speakers": len(set(speakers) - {""}),
        **asdict(counts),
    }


def groups(readings: Sequence[Reading]) -> dict[str, dict[str, dict[str, Any]]]:
    """Figures by corpus, style, length, speaker, noise and SNR; a field that no row carries is left out."""
    made = {}
    for name, key in GROUPS.items():
        parts: dict[str, list[Reading]] = defaultdict(list)
        for reading in readings:
            parts[key(reading) or "(unknown)"].append(reading)
        if parts.keys() - {"(unknown)"}:
            made[name] = {part: figures(parts[part]) for part in sorted(parts, key=_natural)}
    return made


def confusion(readings: Iterable[Reading]) -> dict[str, dict[str, int]]:
    """Spoken digit (or ``-``, nothing) → digit that was read (or ``-``) → how often, in the best alignments."""
    pairs: Counter[tuple[str, str]] = Counter()
    for reading in readings:
        spoken, read = digit_string(reading.reference), reading.decoded.digits
        pairs.update(kaldialign.align(spoken, read, GAP))
    everything = [*"0123456789", GAP]
    return {spoken: {read: pairs[spoken, read] for read in everything} for spoken in everything}


def by_position(readings: Iterable[Reading]) -> list[dict[str, int]]:
    """For the first, second, … spoken digit: how often it was spoken, and how often not read."""
    spoken: Counter[int] = Counter()
    wrong: Counter[int] = Counter()
    for reading in readings:
        aligned = kaldialign.align(digit_string(reading.reference), reading.decoded.digits, GAP)
        for place, (said, read) in enumerate(pair for pair in aligned if pair[0] != GAP):
            spoken[place] += 1
            wrong[place] += said != read
    return [{"position": place + 1, "digits": spoken[place], "wrong": wrong[place]} for place in sorted(spoken)]


def calibration(readings: Sequence[Reading]) -> dict[str, Any]:
    """Reliability by tenths of the utterance's confidence, and the expected calibration error (Guo et al. 2017)."""
    confidence = np.array([reading.decoded.confidence for reading in readings])
    right = np.array([reading.right for reading in readings], bool)
    tenth = np.minimum((confidence * BINS).astype(int), BINS - 1)
    bins = []
    for number in range(BINS):
        inside = tenth == number
        if inside.any():
            mean, accuracy = float(confidence[inside].mean()), float(right[inside].mean())
            bins.append({"confidence": mean, "accuracy": accuracy, "strings": int(inside.sum())})
    apart = sum(one["strings"] * abs(one["confidence"] - one["accuracy"]) for one in bins)
    return {"bins": bins, "expected_calibration_error": apart / len(readings) if readings else None}


def coverage(readings: Sequence[Reading]) -> list[dict[str, float]]:
    """What is answered, and how much of it is right, when strings below a confidence are rejected."""
    ordered = sorted(readings, key=lambda reading: -reading.decoded.confidence)
    rights = np.cumsum([reading.right for reading in ordered])
    steps = [place for place in range(1, len(ordered) + 1) if _last_of_its_confidence(ordered, place)]
    kept = [steps[round(i)] for i in np.linspace(0, len(steps) - 1, min(100, len(steps)))] if steps else []
    return [
        {
            "confidence": ordered[place - 1].decoded.confidence,
            "coverage": place / len(ordered),
            "accuracy": float(rights[place - 1] / place),
        }
        for place in kept
    ]


def false_acceptance(readings: Sequence[Reading]) -> dict[str, Any]:
    """Of utterances that hold no number (empty reference): how many got one.

    And how many still do when what is below a confidence, ``reject_below``, is rejected: the highest that rejects no
    more than 1 % of the utterances that hold one.
    """
    empty = [reading for reading in readings if not digit_string(reading.reference)]
    numbers = sorted(reading.decoded.confidence for reading in readings if digit_string(reading.reference))
    floor = numbers[len(numbers) // 100] if numbers else 0.0
    sure = sum(bool(reading.decoded.digits) and reading.decoded.confidence >= floor for reading in empty)
    accepted = [float(bool(reading.decoded.digits)) for reading in empty]
    spread = interval(accepted, [1.0] * len(empty), [reading.utterance.speaker for reading in empty])
    rate = sum(accepted) / len(empty) if empty else None
    rejecting = {"reject_below": floor, "accepted_when_rejecting": sure}
    return {"strings": len(empty), "accepted": int(sum(accepted)), "rate": rate, "rate_95": spread, **rejecting}


def speed(evaluation: Evaluation) -> dict[str, Any]:
    """Latency of utterances read one by one, with the decoder; real-time factor; peak memory of the process."""
    if not evaluation.latencies:
        return {}
    taken, lasting = zip(*evaluation.latencies, strict=True)
    p50, p95, p99 = (1e3 * float(value) for value in np.percentile(taken, [50, 95, 99]))
    return {
        "utterances": len(taken),
        "median_ms": p50,
        "p95_ms": p95,
        "p99_ms": p99,
        "real_time_factor": sum(taken) / sum(lasting),
        "peak_memory_bytes": evaluation.peak_memory,
    }


def _last_of_its_confidence(ordered: Sequence[Reading], place: int) -> bool:
    """A threshold takes all utterances of one confidence or none."""
    return place == len(ordered) or ordered[place].decoded.confidence < ordered[place - 1].decoded.confidence


def _natural(name: str) -> tuple[int, float, str]:
    try:
        return 0, float(name), name
    except ValueError:
        return 1, 0.0, name
