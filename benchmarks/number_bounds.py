"""What it is worth to tell the decoder the length or a list of codes, and what the search costs.

Every string is decoded told its own length, and told a list of codes that holds all the manifest's strings among random
ones of like lengths: python3 benchmarks/number_bounds.py MODEL.onnx --manifest data/fsdd/test.json
"""

import random
import statistics
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import numpy as np
import typer

from spoken_numbers import Recognizer, audio, manifest
from spoken_numbers.cli import run
from spoken_numbers.decoding.bound import Bound, decoder_of
from spoken_numbers.decoding.decoded import Decoder
from spoken_numbers.labels import digit_string


def main(
    model: Annotated[Path, typer.Argument(exists=True, dir_okay=False)],
    manifest_path: Annotated[list[Path], typer.Option("--manifest", exists=True, dir_okay=False, help="repeatable")],
    codes: Annotated[int, typer.Option(help="in the list")] = 10_000,
    seed: int = 0,
) -> None:
    """Print strings right and errors cut, greedy, told the length, and told a list; and ms, model and search."""
    recognizer = Recognizer(model)
    print(
        "| manifest | greedy | length told | errors cut | one of " + f"{codes} | errors cut | model, ms | greedy, ms |"
        " length, ms | list, ms |"
    )
    print("|" + "---|" * 10)
    for path in manifest_path:
        spoken = [one for one in manifest.read(path) if one.text]
        truth = [digit_string(one.text) for one in spoken]
        waveforms = [audio.read(one.path(path)) for one in spoken]
        heard, acoustic_ms = [], []
        for waveform in waveforms:
            began = time.perf_counter()
            heard += recognizer.log_probabilities([waveform])
            acoustic_ms.append(1e3 * (time.perf_counter() - began))
        by_length = {length: decoder_of(Bound(digits=str(length))) for length in {len(number) for number in truth}}
        with TemporaryDirectory() as folder:
            listed = decoder_of(Bound(one_of=_list(truth, codes, random.Random(seed), Path(folder) / "codes.txt")))
        greedy = _read(heard, truth, [decoder_of(Bound())] * len(truth))
        length = _read(heard, truth, [by_length[len(number)] for number in truth])
        by_list = _read(heard, truth, [listed] * len(truth))
        wrong = len(truth) - greedy[0]
        cells = [path.parent.name, f"{greedy[0]}/{len(truth)}"]
        for right, _ in (length, by_list):
            cells += [f"{right}/{len(truth)}", f"{100 * (right - greedy[0]) / wrong:.0f} %" if wrong else "–"]
        times = [statistics.median(acoustic_ms), *(taken for _, taken in (greedy, length, by_list))]
        print("| " + " | ".join(cells + [f"{one:.2f}" for one in times]) + " |")


def _list(truth: list[str], codes: int, rng: random.Random, path: Path) -> Path:
    """The spoken strings, and random ones whose lengths are spread as theirs."""
    numbers = set(truth)
    for _ in range(100 * codes):
        if len(numbers) >= codes:
            break
        numbers.add("".join(rng.choices("0123456789", k=len(rng.choice(truth)))))
    path.write_text("\n".join(sorted(numbers)))
    return path


def _read(heard: list[np.ndarray], truth: list[str], decoders: list[Decoder]) -> tuple[int, float]:
    """Strings right, and the median ms of decoding one."""
    right, taken = 0, []
    for log_probabilities, number, decoder in zip(heard, truth, decoders, strict=True):
        began = time.perf_counter()
        decoded = decoder(log_probabilities, 0.04)
        taken.append(1e3 * (time.perf_counter() - began))
        right += decoded.digits == number
    return right, statistics.median(taken)


run(main)
