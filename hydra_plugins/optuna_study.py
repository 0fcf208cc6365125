"""Hydra's door to ``spoken_numbers.training.sweep``: it takes sweepers from this package alone."""

from pathlib import Path
from typing import Any

from hydra.core.plugins import Plugins
from hydra.plugins.launcher import Launcher
from hydra.plugins.sweeper import Sweeper
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig


class OptunaSweeper(Sweeper):
    """``conf/hydra/sweeper/optuna.yaml`` tells its settings."""

    def __init__(self, **settings: Any) -> None:
        self.settings = settings
        self.launcher: Launcher

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        self.config = config
        self.launcher = Plugins.instance().instantiate_launcher(
            hydra_context=hydra_context, task_function=task_function, config=config
        )

    def sweep(self, arguments: list[str]) -> None:
        from spoken_numbers.training.sweep import Sweep, without_hydra

        sweep = Sweep(Path(self.config.hydra.sweep.dir), **self.settings)
        sweep.run(self.launcher.launch, arguments, without_hydra(self.config))
