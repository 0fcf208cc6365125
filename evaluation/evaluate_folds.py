"""How many digit strings are read right by models that each never heard the speakers of their own manifests."""

from pathlib import Path
from typing import Annotated

import typer

from spoken_numbers.acoustic import open_acoustic
from spoken_numbers.assessment.evaluation import evaluate, merged
from spoken_numbers.assessment.outputs import CsvOption, JsonOption, ReportOption, show
from spoken_numbers.cli import run
from spoken_numbers.errors import UserError


def main(
    pairs: Annotated[
        list[Path],
        typer.Argument(metavar="MODEL MANIFEST …", exists=True, dir_okay=False, help="of each fold of make_folds.py"),
    ],
    json: JsonOption = None,
    csv: CsvOption = None,
    report: ReportOption = None,
) -> int:
    """Print the figures of all folds together, as evaluate.py does of one model; intervals are over speakers.

    Exit status 1 when a recording could not be read.
    """
    models, manifests = pairs[::2], pairs[1::2]
    if len(models) != len(manifests):
        raise UserError("model without a manifest", where=str(models[-1]), todo="give MODEL MANIFEST of each fold")
    if twice := next((one for one in manifests if manifests.count(one) > 1), None):
        raise UserError("manifest given twice", where=str(twice), todo="give each fold's own")
    evaluations = [
        evaluate(open_acoustic(model), [manifest]) for model, manifest in zip(models, manifests, strict=True)
    ]
    return show(merged(evaluations), f"{len(models)} folds", json, csv, report)


run(main)
