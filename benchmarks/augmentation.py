"""Milliseconds a perturbation on one core: NeMo's stock classes against ours, on the same utterances, in one process.

    python3 benchmarks/augmentation.py [--manifest MANIFEST]

Both sides are called as NeMo calls them, at probability 1, in a process settled as our loader's are. They take turns by
rounds over all utterances; shown is the mean of the middle round.
Stock ``speed`` needs resampy (requirements-dev.txt), without which it returns the audio unchanged.
"""

import itertools
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from material import SECONDS, STOCK, fit, six_keys, spoken, stock
from nemo.collections.asr.parts.preprocessing import perturb
from nemo.collections.asr.parts.preprocessing.segment import AudioSegment

from spoken_numbers import audio, manifest
from spoken_numbers.audio import SAMPLE_RATE, FloatArray
from spoken_numbers.cli import run
from spoken_numbers.training.dataset import settle_loader
from spoken_numbers.training.nemo_perturbations import register

Perturb = Callable[[AudioSegment], object]


def main(
    manifest_path: Annotated[Path | None, typer.Option("--manifest", help="utterances; synthetic ones else")] = None,
    utterances: Annotated[int, typer.Option(min=2)] = 64,
    rounds: Annotated[int, typer.Option(min=1)] = 5,
) -> None:
    """Print a table of both sides and their ratio, for each perturbation and for the chain of six."""
    register()
    settle_loader(0)
    if manifest_path is None:
        waveforms = [waveform for waveform, _ in spoken(utterances)]
    else:
        rows = itertools.islice(manifest.read(manifest_path), utterances)
        waveforms = [fit(audio.read(row.path(manifest_path))) for row in rows]
    print(f"{len(waveforms)} utterances of {SECONDS} s, one core; ms per utterance\n")
    print("| perturbation | stock | ours | ratio |\n|---|---|---|---|", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        six = {name: {**keys, "prob": 1.0} for name, keys in six_keys(Path(folder)).items()}
        for name, keys in six.items():
            _row(name, {name: keys}, waveforms, rounds)
        for codec in ("g711", "amr-nb", "ogg"):
            _row(
                f"transcode_aug, {codec} alone", {"transcode_aug": {"prob": 1.0, "codecs": [codec]}}, waveforms, rounds
            )
        _row("**all six**", six, waveforms, rounds)
        others: dict[str, dict[str, Any]] = {
            name: {}
            for name in ("tempo", "pitch", "formant", "band_limit", "equalise", "dynamics", "clip", "packet_loss")
        }
        others["babble"] = {"manifest_path": six["noise"]["manifest_path"]}
        for name, keys in others.items():
            _row(name, {name: {"prob": 1.0, **keys}}, waveforms, rounds)


def _row(name: str, augment: dict[str, dict[str, Any]], waveforms: Sequence[FloatArray], rounds: int) -> None:
    ours = perturb.process_augmentations(augment).perturb
    sides = [stock(augment).perturb, ours] if augment.keys() <= STOCK.keys() else [ours]
    taken: list[list[float]] = [[] for _ in sides]
    for _ in range(rounds):
        for side, milliseconds in zip(sides, taken, strict=True):
            milliseconds.append(_one_round(side, waveforms))
    middle = [statistics.median(times) for times in taken]
    if len(middle) == 1:
        print(f"| {name} | – | {middle[0]:.3f} | – |", flush=True)
    else:
        print(f"| {name} | {middle[0]:.3f} | {middle[1]:.3f} | {middle[0] / middle[1]:.1f}× |", flush=True)


def _one_round(side: Perturb, waveforms: Sequence[FloatArray]) -> float:
    taken = 0.0
    for waveform in waveforms:
        segment = AudioSegment(waveform.copy(), SAMPLE_RATE)
        start = time.perf_counter()
        side(segment)
        taken += time.perf_counter() - start
    return 1000 * taken / len(waveforms)


run(main)
