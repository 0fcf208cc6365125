"""String accuracy against SNR, in codecs, rooms, silences, tempos and levels; every model hears the same recordings."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from spoken_numbers.assessment.evaluation import Acoustic, evaluate, total
from spoken_numbers.assessment.figures import figures
from spoken_numbers.assessment.metrics import ErrorCounts
from spoken_numbers.augmentation.corpus import perturb_corpus
from spoken_numbers.files import written_whole

SNRS_DB = (20, 15, 10, 5, 0, -5)


@dataclass(frozen=True, slots=True)
class Condition:
    """Clean, or one perturbation that every utterance goes through."""

    kind: str
    """``clean``, ``noise``, ``codec``, ``room``, ``silence``, ``tempo``, ``pauses`` or ``level``."""
    name: str
    """The noise manifest, codec, room manifest, seconds, rate or decibels."""
    snr_db: int | None
    augment: Mapping[str, Mapping[str, Any]]

    @property
    def folder(self) -> str:
        return f"{self.kind}_{self.name}" + ("" if self.snr_db is None else f"_{self.snr_db}dB")

    @property
    def title(self) -> str:
        return " ".join([self.kind, self.name] + ([] if self.snr_db is None else [f"{self.snr_db} dB"])).strip()


@dataclass(frozen=True, slots=True)
class Point:
    """One model in one condition."""

    model: str
    condition: Condition
    counts: ErrorCounts
    interval: tuple[float, float] | None
    """95 % of the string accuracy, by speakers."""


def conditions(
    noises: Sequence[Path],
    codecs: Sequence[str],
    rooms: Sequence[Path],
    silences: Sequence[float] = (),
    tempos: Sequence[float] = (),
    pauses: Sequence[float] = (),
    levels: Sequence[float] = (),
) -> list[Condition]:
    """Clean, each noise at each SNR, each codec (or one drawn among several, with commas), and each of the others."""
    made = [Condition("clean", "", None, {})]
    for path in noises:
        for snr in SNRS_DB:
            keys = {"manifest_path": str(path), "min_snr_db": snr, "max_snr_db": snr}
            made.append(Condition("noise", _name(path), snr, {"noise": keys}))
    made += [Condition("codec", codec, None, {"transcode_aug": {"codecs": codec.split(",")}}) for codec in codecs]
    made += [Condition("room", _name(path), None, {"impulse": {"manifest_path": str(path)}}) for path in rooms]
    made += [Condition("silence", f"{seconds:g} s", None, {"silence": _around(seconds)}) for seconds in silences]
    made += [Condition("tempo", f"{rate:g}", None, {"tempo": {"min_rate": rate, "max_rate": rate}}) for rate in tempos]
    made += [Condition("pauses", f"{s:g} s", None, {"pauses": {"min_secs": s, "max_secs": s}}) for s in pauses]
    made += [Condition("level", f"{db:g} dB", None, {"gain": _gain(db)}) for db in levels]
    return made


def sweep(
    acoustics: Mapping[str, Acoustic],
    manifests: Sequence[Path],
    asked: Sequence[Condition],
    out: Path,
    copies: int = 1,
    seed: int = 0,
    told: Callable[[Point], None] = lambda _: None,
) -> list[Point]:
    """Read every manifest in every condition with every model.

    The perturbed recordings stay below ``out`` and are not made again; what they are depends on the seed alone.

    Raises:
        UserError: a manifest that cannot be used, an unknown codec, ``out`` was made with other options.
    """
    points = []
    for condition in asked:
        heard = [_perturbed(path, condition, out, copies, seed) for path in manifests]
        for model, acoustic in acoustics.items():
            readings = evaluate(acoustic, heard).all()
            points.append(Point(model, condition, total(readings), figures(readings)["string_accuracy_95"]))
            told(points[-1])
    return points


def table(points: Sequence[Point]) -> Iterator[str]:
    """Markdown: a row for each condition, a column for each model."""
    models = list(dict.fromkeys(point.model for point in points))
    yield f"| condition | {' | '.join(models)} |"
    yield "|---|" + "---|" * len(models)
    for title in dict.fromkeys(point.condition.title for point in points):
        cells = [_cell(point) for point in points if point.condition.title == title]
        yield f"| {title} | {' | '.join(cells)} |"


def write(points: Sequence[Point], out: Path) -> None:
    """``noise_sweep.json``, and the curves as ``noise_sweep.svg``."""
    rows = [
        {
            "model": point.model,
            "condition": point.condition.kind,
            "name": point.condition.name,
            "snr_db": point.condition.snr_db,
            "strings": point.counts.strings,
            "strings_right": point.counts.strings_right,
            "string_accuracy": point.counts.string_accuracy,
            "interval": point.interval,
        }
        for point in points
    ]
    with written_whole(out / "noise_sweep.json") as temporary:
        temporary.write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")
    with written_whole(out / "noise_sweep.svg") as temporary:
        curves(points).savefig(temporary, format="svg", metadata={"Date": None}, facecolor="white")


def curves(points: Sequence[Point]) -> Figure:
    """A panel for each noise, accuracy against SNR, and one for all other conditions; bars are 95 % intervals."""
    noises = list(dict.fromkeys(point.condition.name for point in points if point.condition.kind == "noise"))
    others = [point for point in points if point.condition.kind not in ("clean", "noise")]
    panels = len(noises) + bool(others)
    figure = Figure(figsize=(4.5 * max(1, panels), 3.6), layout="constrained")
    axes = figure.subplots(1, max(1, panels), sharey=True, squeeze=False)[0]
    models = list(dict.fromkeys(point.model for point in points))
    clean = {point.model: point for point in points if point.condition.kind == "clean"}
    for panel, noise in zip(axes, noises, strict=False):
        for index, model in enumerate(models):
            own = [p for p in points if p.model == model and p.condition.name == noise]
            line = [clean[model], *own]
            at = [SNRS_DB[0] + 5 + index * 0.3, *(float(p.condition.snr_db or 0) + index * 0.3 for p in own)]
            _plot(panel, at, line, model, "-")
        panel.set(xlabel=f"SNR in {noise}, dB", title=noise)
        panel.set_xticks([SNRS_DB[0] + 5, *SNRS_DB], ["clean", *map(str, SNRS_DB)])
        panel.invert_xaxis()
    if others:
        titles = list(dict.fromkeys(point.condition.title for point in others))
        for index, model in enumerate(models):
            own = [point for point in others if point.model == model]
            _plot(axes[-1], [titles.index(p.condition.title) + index * 0.1 for p in own], own, model, "none")
        axes[-1].set_xticks(range(len(titles)), titles, rotation=30, ha="right")
    axes[0].set(ylabel="strings right", ylim=(0, 1.02))
    for panel in axes:
        panel.grid(alpha=0.3)
    axes[0].legend()
    return figure


def _plot(panel: Any, at: Sequence[float], line: Sequence[Point], model: str, style: str) -> None:
    values = [point.counts.string_accuracy for point in line]
    ends = [point.interval or (value, value) for point, value in zip(line, values, strict=True)]
    off = [
        [max(0.0, v - low) for v, (low, _) in zip(values, ends, strict=True)],
        [max(0.0, high - v) for v, (_, high) in zip(values, ends, strict=True)],
    ]
    panel.errorbar(at, values, yerr=off, label=model, linestyle=style, marker="o", markersize=4, capsize=2)


def _cell(point: Point) -> str:
    spread = "" if point.interval is None else " ({:.0f}–{:.0f})".format(*(100 * end for end in point.interval))
    counts = point.counts
    return f"{100 * counts.string_accuracy:.1f} %{spread} [{counts.strings_right}/{counts.strings}]"


def _perturbed(source: Path, condition: Condition, out: Path, copies: int, seed: int) -> Path:
    if not condition.augment:
        return source
    certain = {name: {"prob": 1.0, **keys} for name, keys in condition.augment.items()}
    folder = out / source.parent.name / source.stem / condition.folder
    return perturb_corpus(source, certain, folder, copies, seed).path


def _around(seconds: float) -> dict[str, float]:
    return {f"{end}_{side}_silence_secs": seconds for end in ("min", "max") for side in ("start", "end")}


def _gain(db: float) -> dict[str, float]:
    return {"min_gain_dbfs": db, "max_gain_dbfs": db}


def _name(path: Path) -> str:
    return path.parent.name if path.stem in ("train", "validation", "test") else path.stem
