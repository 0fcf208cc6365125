"""A study of training settings: Optuna proposes, Hydra's launcher trains, a database in the folder remembers.

Hydra's own Optuna plugin (1.3.0) takes only Optuna before 3.0, counts its trials and their folders from 0 each time it
is started, and forgets a trial that was killed.
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import optuna
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import IntervalSweep, Override, Transformer
from hydra.core.utils import JobReturn, JobStatus
from omegaconf import DictConfig
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.samplers import TPESampler
from optuna.trial import Trial, TrialState
from sqlalchemy import URL

from spoken_numbers.errors import UserError
from spoken_numbers.files import held
from spoken_numbers.stamp import stamp
from spoken_numbers.training.command import leaves

Launch = Callable[[Sequence[Sequence[str]], int], Sequence[JobReturn]]
"""Overrides of jobs, and the first one's number → what became of each."""

DATABASE = "study.db"


class SweepError(UserError):
    """A sweep that cannot be run or told of."""


class Sweep:
    """The study in ``folder``; the other settings are those of ``conf/hydra/sweeper/optuna.yaml``."""

    def __init__(
        self,
        folder: Path,
        *,
        n_trials: int,
        n_jobs: int = 1,
        startup_trials: int = 8,
        seed: int = 0,
        params: DictConfig | None = None,
    ) -> None:
        self.folder, self.n_trials, self.n_jobs = folder, n_trials, n_jobs
        self.startup_trials, self.seed = startup_trials, seed
        self.params = [f"{key!s}={value}" for key, value in (params or {}).items()]

    def run(self, launch: Launch, overrides: Sequence[str], recipe: dict[str, object]) -> None:
        """Train until the study has ``n_trials`` trials; one that was cut off goes on first, with its settings.

        A trial's settings come of the seed, its number and the trials before it alone.

        Args:
            overrides: of all trials; those that have several values join, or take the place of, ``params``.
            recipe: what else shapes a trial, of which no two are mixed in one folder.

        Raises:
            SweepError: nothing to search, or a trial that was never validated.
            UserError: the folder has a sweep of another recipe, or another process sweeps there.
        """
        space, fixed = _space([*self.params, *overrides])
        if not space:
            todo = "fill in hydra.sweeper.params, or give key=choice(a,b)"
            raise SweepError("no setting to search", where="hydra.sweeper.params", todo=todo)
        searched = {key: repr(distribution) for key, distribution in space.items()}
        with held(self.folder):
            stamp(self.folder, {**recipe, **searched}, "choose another name=… or remove the folder")
            self._search(launch, space, fixed)

    def _search(self, launch: Launch, space: dict[str, BaseDistribution], fixed: list[str]) -> None:
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        study = _study(self.folder)
        if not (missing := self._missing(study)):
            print(f"{self.folder}: all {self.n_trials} trials are there; raise hydra.sweeper.n_trials for more")
        while missing:
            trials = [self._ask(study, space) for _ in range(min(missing, self.n_jobs))]
            for group in _consecutive(trials):
                jobs = [[*fixed, *(f"{key}={value}" for key, value in trial.params.items())] for trial in group]
                for trial, done in zip(group, launch(jobs, group[0].number), strict=True):
                    self._tell(study, trial, done)
            missing = self._missing(study)

    def _missing(self, study: optuna.Study) -> int:
        return max(0, self.n_trials - len(study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))))

    def _ask(self, study: optuna.Study, space: dict[str, BaseDistribution]) -> Trial:
        number = len(study.get_trials(deepcopy=False))
        seed = int(np.random.SeedSequence([self.seed, number]).generate_state(1)[0])
        study.sampler = TPESampler(seed=seed, n_startup_trials=self.startup_trials)
        return study.ask(space)

    def _tell(self, study: optuna.Study, trial: Trial, done: JobReturn) -> None:
        if done.status is not JobStatus.COMPLETED:
            raise done._return_value  # its property would print a line of its own
        if done.return_value is None:
            where = str(self.folder / str(trial.number))
            raise SweepError("a trial was never validated", where=where, todo="validate before trainer.max_steps")
        study.tell(trial, done.return_value)
        settings = " ".join(f"{key}={_short(value)}" for key, value in trial.params.items())
        best = f"best {100 * study.best_value:.1f} %, trial {study.best_trial.number}"
        print(f"trial {trial.number}: {100 * done.return_value:.1f} % ({best}) {settings}", flush=True)


def without_hydra(config: DictConfig) -> dict[str, object]:
    """The config that trials begin from: dotted leaf keys → values as they are written."""
    return {key: value for key, value in leaves(config, resolve=False).items() if not key.startswith("hydra.")}


def finished_study(folder: Path) -> optuna.Study:
    """The study in a sweep's folder.

    Raises:
        SweepError: there is none, or no trial of it has ended.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    if not (folder / DATABASE).is_file():
        raise SweepError("no sweep in this folder", where=str(folder), todo="give the folder that holds study.db")
    study = optuna.load_study(study_name=None, storage=_url(folder))
    if not study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,)):
        raise SweepError("no trial has ended yet", where=str(folder), todo="wait, or go on with the sweep")
    return study


def _study(folder: Path) -> optuna.Study:
    storage = optuna.storages.RDBStorage(_url(folder))
    study = optuna.create_study(storage=storage, study_name=folder.name, direction="maximize", load_if_exists=True)
    for trial in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):  # of a run that was killed
        storage.set_trial_state_values(trial._trial_id, TrialState.WAITING)
    return study


def _url(folder: Path) -> str:
    return URL.create("sqlite", database=str(folder / DATABASE)).render_as_string()


def _space(overrides: Sequence[str]) -> tuple[dict[str, BaseDistribution], list[str]]:
    """What to search, and the overrides that are the same for all trials; a later override of a key wins."""
    space: dict[str, BaseDistribution] = {}
    fixed: dict[str, str] = {}
    for override in OverridesParser.create().parse_overrides(list(overrides)):
        key = override.get_key_element()
        space.pop(key, None)
        fixed.pop(key, None)
        if override.is_sweep_override():
            space[key] = _distribution(override)
        else:
            assert override.input_line is not None
            fixed[key] = override.input_line
    return space, list(fixed.values())


def _distribution(override: Override) -> BaseDistribution:
    if not override.is_interval_sweep():
        return CategoricalDistribution([str(one) for one in override.sweep_iterator(transformer=Transformer.encode)])
    interval = override.value()
    assert isinstance(interval, IntervalSweep)
    low, high, log = interval.start, interval.end, "log" in interval.tags
    if isinstance(low, int) and isinstance(high, int):
        return IntDistribution(low, high, log=log)
    return FloatDistribution(float(low), float(high), log=log)  # type: ignore[arg-type]


def _consecutive(trials: Sequence[Trial]) -> Iterator[list[Trial]]:
    """Groups whose numbers follow each other, as a launcher numbers its jobs."""
    group: list[Trial] = []
    for trial in trials:
        if group and trial.number != group[-1].number + 1:
            yield group
            group = []
        group.append(trial)
    yield group


def _short(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
