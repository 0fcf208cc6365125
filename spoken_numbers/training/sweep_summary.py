"""A sweep's study → a table of its trials, and pictures."""

import warnings
from pathlib import Path
from typing import Any

import matplotlib
import optuna
from optuna.trial import TrialState

from spoken_numbers.files import written_whole
from spoken_numbers.training.sweep import finished_study


def table(folder: Path) -> str:
    """A row for each trial that ended, best first: number, string accuracy on validation, settings.

    Raises:
        SweepError: no sweep is there, or no trial of it has ended.
    """
    study = finished_study(folder)
    trials = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    names = list(dict.fromkeys(name for trial in trials for name in trial.params))
    rows = [f"| trial | strings right | {' | '.join(names)} |", "|---" * (2 + len(names)) + "|"]
    for trial in sorted(trials, key=lambda trial: (-(trial.value or 0.0), trial.number)):
        settings = " | ".join(_shown(trial.params.get(name, "")) for name in names)
        rows.append(f"| {trial.number} | {100 * (trial.value or 0.0):.1f} % | {settings} |")
    return "\n".join(rows)


def draw(folder: Path, out: Path) -> list[Path]:
    """``sweep_history.svg``, accuracy trial by trial, and ``sweep_settings.svg``, accuracy by each setting.

    Raises:
        SweepError: as ``table``.
    """
    study = finished_study(folder)
    matplotlib.use("Agg")
    matplotlib.rcParams["svg.hashsalt"] = "sweep"  # the same picture, byte for byte
    pictures: dict[str, Any] = {
        "history": optuna.visualization.matplotlib.plot_optimization_history,
        "settings": optuna.visualization.matplotlib.plot_slice,
    }
    paths = []
    for name, plot in pictures.items():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            axes = plot(study, target_name="string accuracy on validation")
        path = out / f"sweep_{name}.svg"
        with written_whole(path) as temporary:
            _save(_figure(axes), temporary)
        paths.append(path)
    return paths


def _save(figure: Any, path: Path) -> None:
    figure.set_size_inches(max(6, 3 * len(figure.axes)), 4)
    for axes in figure.axes:
        axes.tick_params(axis="x", labelrotation=20)
    figure.savefig(path, metadata={"Date": None}, bbox_inches="tight")


def _figure(axes: Any) -> Any:
    return getattr(axes, "flat", [axes])[0].figure


def _shown(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
