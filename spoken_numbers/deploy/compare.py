"""Models side by side on the same utterances: size, speed, memory, accuracy, and where they differ."""

import json
import multiprocessing
import os
import resource
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from spoken_numbers import audio, manifest
from spoken_numbers.assessment.metrics import ErrorCounts, count_errors
from spoken_numbers.audio import FloatArray
from spoken_numbers.decoding.greedy import greedy
from spoken_numbers.errors import UserError
from spoken_numbers.files import written_whole
from spoken_numbers.labels import LABELS, digit_string
from spoken_numbers.onnx_model import OnnxModelError, open_model

TIMED = 100
"""Utterances timed on one thread, and run to see the memory that a process needs."""

Reader = Callable[[FloatArray], FloatArray]
"""A waveform of 16 kHz → (frames, labels + 1) log-probabilities."""


@dataclass(slots=True)
class Compared:
    """One model's figures."""

    path: Path
    size: int
    """Bytes."""
    load_seconds: float
    """Importing what it needs and loading it, in a fresh process."""
    peak_memory: int
    """Bytes resident at most in that process, after reading utterances one by one."""
    counts: ErrorCounts = field(default_factory=ErrorCounts)
    seconds: dict[str, list[float]] = field(default_factory=lambda: {"one": [], "all": []})
    """Latency of each utterance, waveform to log-probabilities, on one thread and on all."""
    spoken: dict[str, float] = field(default_factory=lambda: {"one": 0.0, "all": 0.0})
    """Seconds of audio that these took."""
    differing: int = 0
    """Digit strings that are not the first model's."""
    largest_difference: float | None = 0.0
    """In log-probability from the first model; None where the frames are others."""

    def figures(self) -> dict[str, Any]:
        """JSON."""
        rate = self.counts.digit_error_rate if self.counts.digits else None
        timed = {
            f"{threads}_thread{'s' * (threads == 'all')}": {
                "median_ms": 1e3 * statistics.median(taken),
                "p95_ms": 1e3 * float(np.percentile(taken, 95)),
                "real_time_factor": sum(taken) / self.spoken[threads],
            }
            for threads, taken in self.seconds.items()
        }
        return {
            "model": str(self.path),
            "size_bytes": self.size,
            "load_seconds": self.load_seconds,
            "peak_memory_bytes": self.peak_memory,
            **timed,
            "strings": self.counts.strings,
            "strings_right": self.counts.strings_right,
            "string_accuracy": self.counts.string_accuracy,
            "digit_error_rate": rate,
            "strings_that_differ": self.differing,
            "largest_difference": self.largest_difference,
        }


@dataclass(frozen=True, slots=True)
class Comparison:
    models: list[Compared]
    left_out: list[str]
    """Recordings that could not be read, and why."""


def compare(models: Sequence[Path], manifests: Sequence[Path]) -> Comparison:
    """Read every utterance with every model, in turns, so that the machine's moods fall on all alike.

    Args:
        models: ``.nemo``, ``.ckpt`` or ``.onnx`` that takes a waveform; the others are compared with the first.

    Raises:
        UserError: a model or manifest that cannot be used, or no readable utterance.
    """
    waveforms = [waveform for waveform, _ in zip(_readable(manifests, []), range(TIMED), strict=False)]
    if not waveforms:
        raise UserError("no recording can be read", where=str(manifests[0]), todo="see scripts/check_manifest.py")
    compared = []
    for path in models:
        load_seconds, memory = _alone(path, [waveform for waveform, _ in waveforms])
        compared.append(Compared(path, path.stat().st_size, load_seconds, memory))
    readers = {threads: [open_reader(path, count) for path in models] for threads, count in (("one", 1), ("all", 0))}
    for waveform, _ in waveforms:
        _timed(compared, readers["one"], "one", waveform)
    left_out: list[str] = []
    for waveform, reference in _readable(manifests, left_out):
        read = _timed(compared, readers["all"], "all", waveform)
        labels = [greedy(log_probs) for log_probs in read]
        for one, log_probs, label in zip(compared, read, labels, strict=True):
            one.counts += count_errors(reference, label)
            one.differing += digit_string(label) != digit_string(labels[0])
            if log_probs.shape != read[0].shape or one.largest_difference is None:
                one.largest_difference = None
            else:
                apart = float(np.abs(log_probs - read[0]).max(initial=0.0))
                one.largest_difference = max(one.largest_difference, apart)
    return Comparison(compared, left_out)


def open_reader(path: Path, threads: int) -> Reader:
    """A model as a function of one waveform.

    Args:
        threads: 0 for as many as there are cores.

    Raises:
        OnnxModelError, ModelError: a file that cannot be used, or other labels than this project's.
    """
    if path.suffix == ".onnx":
        model = open_model(path, threads)
        if model.metadata.labels != LABELS:
            raise OnnxModelError("model has other labels than 0–9 and *", where=str(path), todo="use one trained here")
        rate = model.metadata.sample_rate
        return lambda waveform: model.log_probabilities([audio.resample(waveform, audio.SAMPLE_RATE, rate)])[0]
    import torch

    from spoken_numbers.training.load import load_model, log_probabilities

    nemo = load_model(path)

    def read(waveform: FloatArray) -> FloatArray:
        torch.set_num_threads(threads or os.cpu_count() or 1)
        (log_probs,) = log_probabilities(nemo, [waveform])
        return log_probs

    return read


def table(comparison: Comparison) -> str:
    """Markdown: a row for each model."""
    speed = ("ms, one thread (p95)", "ms, all (p95)", "real-time factor")
    head = (
        "model",
        "MB",
        "load s",
        "memory MB",
        *speed,
        "strings right",
        "digit errors",
        "differ",
        "largest difference",
    )
    rows: list[tuple[str, ...]] = [head, tuple("---" for _ in head)]
    for one in comparison.models:
        figures = one.figures()
        single, every = figures["one_thread"], figures["all_threads"]
        rate, largest = figures["digit_error_rate"], one.largest_difference
        rows.append(
            (
                f"`{one.path.name}`",
                f"{one.size / 1e6:.2f}",
                f"{one.load_seconds:.2f}",
                f"{one.peak_memory / 1e6:.0f}",
                f"{single['median_ms']:.2f} ({single['p95_ms']:.2f})",
                f"{every['median_ms']:.2f} ({every['p95_ms']:.2f})",
                f"{single['real_time_factor']:.5f}",
                f"{100 * one.counts.string_accuracy:.1f} % [{one.counts.strings_right}/{one.counts.strings}]",
                "" if rate is None else f"{100 * rate:.2f} %",
                str(one.differing),
                "other frames" if largest is None else f"{largest:.1g}",
            )
        )
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def write_json(comparison: Comparison, path: Path) -> None:
    figures = {"models": [one.figures() for one in comparison.models], "left_out": comparison.left_out}
    with written_whole(path) as temporary:
        temporary.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")


def _readable(manifests: Sequence[Path], left_out: list[str]) -> Iterator[tuple[FloatArray, str]]:
    for path in manifests:
        for utterance in manifest.read(path):
            try:
                yield audio.read(utterance.path(path)), utterance.text
            except UserError as error:
                left_out.append(str(error))


def _timed(compared: list[Compared], readers: list[Reader], threads: str, waveform: FloatArray) -> list[FloatArray]:
    read = []
    for one, reader in zip(compared, readers, strict=True):
        start = time.perf_counter()
        read.append(reader(waveform))
        one.seconds[threads].append(time.perf_counter() - start)
        one.spoken[threads] += len(waveform) / audio.SAMPLE_RATE
    return read


def _alone(path: Path, waveforms: list[FloatArray]) -> tuple[float, int]:
    """Seconds to load, and bytes resident at most, in a process of its own."""
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=spawn) as pool:
        return pool.submit(_load_and_read, path, waveforms).result()


def _load_and_read(path: Path, waveforms: list[FloatArray]) -> tuple[float, int]:
    start = time.perf_counter()
    reader = open_reader(path, 1)
    taken = time.perf_counter() - start
    for waveform in waveforms:
        reader(waveform)
    return taken, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
