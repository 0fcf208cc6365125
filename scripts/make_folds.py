"""Manifests → folds by speaker, for cross-validation."""

from pathlib import Path
from typing import Annotated

import typer

from spoken_numbers.cli import report_made, run
from spoken_numbers.corpora.folds import split_in_folds


def main(
    manifest: Annotated[
        list[Path], typer.Argument(exists=True, dir_okay=False, help="manifests whose rows have speakers")
    ],
    out: Annotated[Path, typer.Option(help="folder for fold_1/train/, fold_1/test/, fold_2/train/ and so on")],
    folds: Annotated[int, typer.Option(min=2)] = 5,
    seed: int = 0,
) -> None:
    """Deal the speakers into folds; write, for each, manifests without its speakers and of them alone."""
    report_made(split_in_folds(manifest, folds, out, seed))


run(main)
