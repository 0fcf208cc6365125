"""How long the pieces may be that a long recording is cut into: the digit errors at each length.

A manifest's utterances are joined by speaker to recordings of half a minute, as if dictated one after another, and read
through ``Recognizer``: python3 benchmarks/longest_piece.py MODEL.onnx --manifest data/strangers/test.json
"""

import random
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from spoken_numbers import Recognizer, audio, manifest, recording
from spoken_numbers.assessment.metrics import ErrorCounts, count_errors
from spoken_numbers.audio import FloatArray
from spoken_numbers.cli import run

SECONDS = 30
"""Of a recording, or a little more."""

LENGTHS = (8.0, 12.0, 16.0, 20.0)
"""Seconds that are tried."""


def main(
    model: Annotated[Path, typer.Argument(exists=True, dir_okay=False)],
    manifest_path: Annotated[list[Path], typer.Option("--manifest", exists=True, dir_okay=False, help="repeatable")],
    seed: int = 0,
) -> None:
    """Print digits, and the errors among them for each length."""
    recognizer = Recognizer(model)
    print("| manifest | digits | " + " | ".join(f"{seconds:g} s" for seconds in LENGTHS) + " |")
    print("|" + "---|" * (2 + len(LENGTHS)))
    totals = [ErrorCounts()] * len(LENGTHS)
    for path in manifest_path:
        joined = list(_joined(path, random.Random(seed)))
        counts = []
        for recording.LONGEST in LENGTHS:  # pieces() reads it at each call
            read = recognizer.transcribe([waveform for _, waveform in joined], audio.SAMPLE_RATE)
            pairs = zip(joined, read, strict=True)
            counts.append(sum((count_errors(label, one.label) for (label, _), one in pairs), ErrorCounts()))
        totals = [total + count for total, count in zip(totals, counts, strict=True)]
        _print(str(path), counts)
    if len(manifest_path) > 1:
        _print("together", totals)


def _joined(path: Path, rng: random.Random) -> Iterator[tuple[str, FloatArray]]:
    rows = list(manifest.read(path))
    rng.shuffle(rows)
    for _, spoken in groupby(sorted(rows, key=lambda row: row.speaker or ""), key=lambda row: row.speaker):
        label, waveform = "", np.empty(0, np.float32)
        for row in spoken:
            label += row.text
            waveform = np.concatenate([waveform, audio.read(row.path(path))])
            if len(waveform) >= SECONDS * audio.SAMPLE_RATE:
                yield label, waveform
                label, waveform = "", waveform[:0]
        if len(waveform):
            yield label, waveform


def _print(name: str, counts: list[ErrorCounts]) -> None:
    print(f"| {name} | {counts[0].digits} | " + " | ".join(str(count.errors) for count in counts) + " |")


run(main)
