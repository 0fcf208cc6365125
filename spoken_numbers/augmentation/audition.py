"""Augmentation to hear and to see: recordings and spectrograms before and after."""

from collections.abc import Sequence
from pathlib import Path

import matplotlib.figure
import numpy as np

from spoken_numbers import audio
from spoken_numbers.audio import SAMPLE_RATE, FloatArray
from spoken_numbers.augmentation.chain import Chain
from spoken_numbers.augmentation.perturbation import Perturbation
from spoken_numbers.files import written_whole
from spoken_numbers.parallel import progress

WHOLE = "all"
"""The name under which the whole chain is shown, each perturbation at its own probability."""


def audition(chain: Chain, waveforms: Sequence[FloatArray], out: Path, draws: int = 3, seed: int = 0) -> list[Path]:
    """Write ``OUT/NAME/`` for each perturbation and for the whole chain; return the contact sheets.

    Each folder gets ``utterance1_before.wav``, ``utterance1_after1.wav`` … and ``spectrograms.png``, utterances down
    and draws across; ``OUT/spectrograms.png`` shows all perturbations of the first utterance. A recording that leaves
    [-1, 1] is scaled down to fit.

    Args:
        waveforms: (samples,) each, at 16 kHz.
    """
    shown: list[tuple[str, list[list[FloatArray]]]] = []
    sheets = []
    changes: list[tuple[str, Perturbation]] = [(step.name, step.perturbation) for step in chain.steps]
    for name, change in progress([*changes, (WHOLE, chain)], what="audition", unit="perturbation"):
        rng = np.random.default_rng(seed)
        rows = [[waveform, *(change(waveform.copy(), rng) for _ in range(draws))] for waveform in waveforms]
        for number, row in enumerate(rows, 1):
            audio.write(out / name / f"utterance{number}_before.wav", row[0])
            for draw, after in enumerate(row[1:], 1):
                audio.write(out / name / f"utterance{number}_after{draw}.wav", after)
        shown.append((name, rows))
        labels = [f"utterance {number}" for number in range(1, len(rows) + 1)]
        sheets.append(_sheet(out / name / "spectrograms.png", name, labels, rows))
    first = [rows[0] for _, rows in shown]
    return [_sheet(out / "spectrograms.png", "utterance 1", [name for name, _ in shown], first), *sheets]


def _sheet(path: Path, title: str, labels: Sequence[str], rows: Sequence[Sequence[FloatArray]]) -> Path:
    columns = len(rows[0])
    figure = matplotlib.figure.Figure(figsize=(3.2 * columns, 1.5 * len(rows) + 0.8), layout="constrained", dpi=80)
    grid = figure.subplots(len(rows), columns, squeeze=False, sharey=True)
    longest = max(len(waveform) for row in rows for waveform in row) / SAMPLE_RATE
    for label, axes_row, row in zip(labels, grid, rows, strict=True):
        for column, (axes, waveform) in enumerate(zip(axes_row, row, strict=True)):
            padded = np.pad(waveform, (0, max(0, 512 - len(waveform))))
            with np.errstate(divide="ignore"):  # silence is black
                axes.specgram(padded, NFFT=512, Fs=SAMPLE_RATE, noverlap=384, vmin=-140, vmax=-30, cmap="magma")
            axes.set(xlim=(0, longest), ylim=(0, SAMPLE_RATE / 2), yticks=[0, 4000, 8000])
            axes.tick_params(labelsize=7)
            peak = 20 * np.log10(float(np.abs(waveform).max(initial=1e-6)))
            axes.set_title("before" if column == 0 else f"after {column}", fontsize=8, loc="left")
            axes.set_title(f"peak {peak:.0f} dB", fontsize=7, loc="right")
        axes_row[0].set_ylabel(f"{label}\nHz", fontsize=8)
    for axes in grid[-1]:
        axes.set_xlabel("seconds", fontsize=8)
    figure.suptitle(title)
    with written_whole(path) as temporary:
        figure.savefig(temporary, format="png")
    return path
