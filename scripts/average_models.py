"""Trained models of one size → one with the average of their weights."""

from pathlib import Path
from typing import Annotated

import typer

from spoken_numbers.cli import run
from spoken_numbers.errors import UserError


def main(
    model: Annotated[
        list[Path], typer.Argument(exists=True, dir_okay=False, help="two or more .nemo files or checkpoints")
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="MODEL.nemo")],
) -> None:
    """Average the weights of models whose trainings began with the same ones."""
    if len(model) < 2:
        raise UserError("one model has no average", where=str(model[0]), todo="give two or more")
    from spoken_numbers.training.model_average import average_models  # torch and NeMo: seconds

    average_models(model, out)
    print(f"{out}: the average of {len(model)} models")


run(main)
