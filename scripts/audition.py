"""A config's perturbations, to hear and to see."""

from pathlib import Path
from typing import Annotated

import typer

from spoken_numbers.augmentation.audition import audition
from spoken_numbers.augmentation.config import chain_of, prove
from spoken_numbers.cli import run
from spoken_numbers.training.command import composed
from spoken_numbers.training.manifests import first_utterances


def main(
    config: Annotated[Path, typer.Argument(help="such as conf/quartznet_5x1_aug.yaml")],
    overrides: Annotated[list[str] | None, typer.Argument(help="key=value, as for train_quartznet.py")] = None,
    out: Annotated[Path, typer.Option(help="folder for recordings and spectrograms")] = Path("audition"),
    utterances: Annotated[int, typer.Option(min=1, help="of each training manifest")] = 2,
    draws: Annotated[int, typer.Option(min=1)] = 3,
    seed: int = 0,
) -> None:
    """Write recordings and spectrograms before and after each perturbation, and after all of them."""
    cfg = composed(config, overrides or [], needed=("augment", "model.train_ds.manifest_filepath"))
    waveforms = first_utterances(cfg.model.train_ds, utterances)
    chain = chain_of(cfg.augment)
    prove(chain, waveforms, seed)
    for sheet in audition(chain, waveforms, out, draws, seed):
        print(sheet)


run(main)
