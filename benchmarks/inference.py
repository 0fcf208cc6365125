"""Waveform to digits on one thread: an exported model against PocketSphinx, on the same utterances, in one process.

    python3 benchmarks/inference.py MODEL.onnx [--manifest MANIFEST]

The two take turns by utterances, each repeated or cut to 3.5 s, so the rates are not of what anybody said.
The first answer is timed in processes of their own, from the first import of the package, with the files in the cache.
"""

import itertools
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from pocketsphinx_reader import PocketSphinx

from spoken_numbers import Recognizer, audio, manifest
from spoken_numbers.audio import SAMPLE_RATE, FloatArray
from spoken_numbers.cli import run

SECONDS = 3.5

FRESH = """
import time
start = time.perf_counter()
from spoken_numbers import Recognizer
recognizer = Recognizer({model!r})
recognizer.transcribe({recording!r})
peak = open("/proc/self/status").read().split("VmHWM:")[1].split()[0]
print(time.perf_counter() - start, int(peak) * 1024 / 1e6)
"""

Reader = Callable[[FloatArray], str]


def main(
    model: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="an exported model (.onnx)")],
    manifest_path: Annotated[Path | None, typer.Option("--manifest", help="utterances; synthetic ones else")] = None,
    utterances: Annotated[int, typer.Option(min=2)] = 64,
    rounds: Annotated[int, typer.Option(min=1)] = 3,
) -> None:
    """Print load times, latencies and their ratios, and the first answer and memory of a fresh process."""
    waveforms = list(_waveforms(manifest_path, utterances))
    loads, readers = zip(*(_timed(load) for load in (lambda: _ours(model), _pocketsphinx)), strict=True)
    taken = _race(readers, waveforms, rounds)
    print(f"{len(waveforms)} utterances of {SECONDS} s, {rounds} rounds, one thread; ms\n")
    print("| | load | median | 95th percentile |\n|---|---|---|---|")
    rows = [
        [load, statistics.median(times), np.percentile(times, 95)] for load, times in zip(loads, taken, strict=True)
    ]
    for name, row in zip((model.name, "PocketSphinx"), rows, strict=True):
        print(f"| {name} | " + " | ".join(f"{1000 * seconds:.2f}" for seconds in row) + " |")
    print("| ratio | " + " | ".join(f"{theirs / ours:.1f}×" for ours, theirs in zip(*rows, strict=True)) + " |")
    print(
        "\nfresh process, import to first answer: {:.2f} s, {:.0f} MB resident at most".format(
            *_fresh(model, waveforms)
        )
    )


def _waveforms(manifest_path: Path | None, count: int) -> list[FloatArray]:
    if manifest_path is None:
        from material import spoken  # with NeMo: seconds

        return [waveform for waveform, _ in spoken(count)]
    rows = itertools.islice(manifest.read(manifest_path), count)
    heard = (audio.read(row.path(manifest_path)) for row in rows)
    return [np.resize(one, int(SECONDS * SAMPLE_RATE)).astype(np.float32) for one in heard]


def _ours(model: Path) -> Reader:
    recognizer = Recognizer(model, threads=1)
    return lambda waveform: recognizer.transcribe(waveform, sample_rate=SAMPLE_RATE).digits


def _pocketsphinx() -> Reader:
    baseline = PocketSphinx()
    return lambda waveform: baseline.read(waveform).digits


def _timed(load: Callable[[], Reader]) -> tuple[float, Reader]:
    start = time.perf_counter()
    reader = load()
    return time.perf_counter() - start, reader


def _race(readers: Sequence[Reader], waveforms: Sequence[FloatArray], rounds: int) -> list[list[float]]:
    """Seconds of every utterance of every round, for each side."""
    for reader in readers:
        reader(waveforms[0])  # the first call allocates
    taken: list[list[float]] = [[] for _ in readers]
    for waveform in [*waveforms] * rounds:
        for reader, times in zip(readers, taken, strict=True):
            start = time.perf_counter()
            reader(waveform)
            times.append(time.perf_counter() - start)
    return taken


def _fresh(model: Path, waveforms: Sequence[FloatArray], runs: int = 5) -> tuple[float, float]:
    """Seconds and megabytes of the middle one of some processes."""
    with tempfile.TemporaryDirectory() as folder:
        recording = Path(folder) / "a.wav"
        audio.write(recording, waveforms[0])
        command = [sys.executable, "-c", FRESH.format(model=str(model), recording=str(recording))]
        done = [subprocess.run(command, capture_output=True, text=True, check=True) for _ in range(runs)]
    seconds, megabytes = zip(*(map(float, one.stdout.split()) for one in done), strict=True)
    return statistics.median(seconds), statistics.median(megabytes)


run(main)
