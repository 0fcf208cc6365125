"""Figures as pictures: SVG and PNG in data URIs, so that a page needs nothing beside it."""

import base64
import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import soundfile
from matplotlib import colormaps
from matplotlib.figure import Figure
from scipy.signal import spectrogram

from spoken_numbers.audio import SAMPLE_RATE, FloatArray

BLUE, ORANGE = "#1f77b4", "#d95f02"


def reliability(calibration: Mapping[str, Any]) -> str:
    """String accuracy against confidence; on the diagonal a confidence is what it says."""
    figure, axes = _axes("confidence", "strings right")
    axes.plot([0, 1], [0, 1], color="gray", linestyle=":")
    bins = calibration["bins"]
    sizes = [20 + 300 * one["strings"] / sum(b["strings"] for b in bins) for one in bins]
    axes.plot([one["confidence"] for one in bins], [one["accuracy"] for one in bins], color=BLUE)
    axes.scatter([one["confidence"] for one in bins], [one["accuracy"] for one in bins], sizes, color=BLUE)
    axes.set(xlim=(0, 1.02), ylim=(0, 1.05))
    return svg(figure)


def accuracy_by_coverage(points: Sequence[Mapping[str, float]]) -> str:
    """What is right of what is answered, as the least sure are rejected."""
    figure, axes = _axes("answered", "of these right")
    axes.plot([one["coverage"] for one in points], [one["accuracy"] for one in points], color=BLUE, marker=".")
    axes.set(xlim=(0, 1.02), ylim=(0, 1.05))
    return svg(figure)


def errors_by_position(positions: Sequence[Mapping[str, int]]) -> str:
    """Share of the first, second, … digits that were not read."""
    figure, axes = _axes("digit of the number", "not read")
    axes.bar([one["position"] for one in positions], [one["wrong"] / one["digits"] for one in positions], color=BLUE)
    return svg(figure)


def confusion_matrix(confusion: Mapping[str, Mapping[str, int]]) -> str:
    """Rows spoken, columns read; shade by the share of the row."""
    names = list(confusion)
    counts = np.array([[confusion[spoken][read] for read in names] for spoken in names], float)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    figure, axes = _axes("read (- nothing)", "spoken (- nothing)")
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for (row, column), count in np.ndenumerate(counts):
        if count:
            shade = "white" if shares[row, column] > 0.6 else "black"
            axes.text(column, row, f"{count:.0f}", ha="center", va="center", fontsize=6, color=shade)
    axes.set_xticks(range(len(names)), names)
    axes.set_yticks(range(len(names)), names)
    axes.grid(False)
    return svg(figure)


def spectrogram_png(waveform: FloatArray, width: int = 240, height: int = 64) -> str:
    """0 to 8 kHz upwards, 60 dB of range, as a small picture."""
    _, _, power = spectrogram(waveform, SAMPLE_RATE, nperseg=min(512, len(waveform)), noverlap=0)
    decibels = 10 * np.log10(power + 1e-12)
    shade = np.clip((decibels - decibels.max() + 60) / 60, 0, 1)[::-1]
    rows = np.linspace(0, shade.shape[0] - 1, height).astype(int)
    columns = np.linspace(0, shade.shape[1] - 1, width).astype(int)
    from matplotlib.image import imsave

    out = io.BytesIO()
    imsave(out, colormaps["magma"](shade[np.ix_(rows, columns)]), format="png")
    return data_uri("image/png", out.getvalue())


def sound(waveform: FloatArray) -> str:
    """The utterance to listen to: FLAC, which every browser plays, at 16 kHz."""
    out = io.BytesIO()
    peak = max(1.0, float(np.abs(waveform).max(initial=0.0)))
    soundfile.write(out, waveform / peak, SAMPLE_RATE, subtype="PCM_16", format="FLAC")
    return data_uri("audio/flac", out.getvalue())


def svg(figure: Figure) -> str:
    out = io.StringIO()
    figure.savefig(out, format="svg", metadata={"Date": None}, facecolor="white")
    return data_uri("image/svg+xml", out.getvalue().encode())


def data_uri(kind: str, content: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def _axes(x: str, y: str) -> tuple[Figure, Any]:
    figure = Figure(figsize=(4.2, 3.4), layout="constrained")
    axes = figure.subplots()
    axes.set(xlabel=x, ylabel=y)
    axes.grid(alpha=0.3)
    return figure, axes
