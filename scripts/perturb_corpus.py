"""A corpus through noise, rooms, codecs or any other perturbation."""

from pathlib import Path
from typing import Annotated

import typer
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from spoken_numbers.augmentation.corpus import perturb_corpus
from spoken_numbers.cli import SchedulerOption, report_made, run
from spoken_numbers.errors import UserError
from spoken_numbers.parallel import scheduled_on


def main(
    source: Annotated[Path, typer.Argument(help="manifest")],
    perturbations: Annotated[list[str], typer.Argument(help="NAME.key=value as under augment; prob is 1 by default")],
    out: Annotated[Path, typer.Option(help="folder for audio and manifest")],
    copies: Annotated[int, typer.Option(min=1, help="of each utterance, each drawn anew")] = 1,
    seed: int = 0,
    scheduler: SchedulerOption = None,
) -> None:
    """Write a perturbed copy of a corpus, in the order of the perturbations named."""
    try:
        named = OmegaConf.to_container(OmegaConf.from_dotlist(perturbations))
        augment = {name: {"prob": 1.0, **(keys or {})} for name, keys in named.items()}
    except (OmegaConfBaseException, TypeError, AttributeError) as error:
        todo = "write them as noise.manifest_path=data/noise/test.json"
        raise UserError(str(error).splitlines()[0], where="perturbations", todo=todo) from None
    with scheduled_on(scheduler):
        report_made([perturb_corpus(source, augment, out, copies, seed)])


run(main)
