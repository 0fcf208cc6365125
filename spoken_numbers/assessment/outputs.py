"""What every evaluation command prints and writes, and the options that say where."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from spoken_numbers.assessment.evaluation import Evaluation
from spoken_numbers.assessment.report import write_report
from spoken_numbers.assessment.run_file import as_json, write_csv, write_json
from spoken_numbers.assessment.summary import lines

ManifestsOption = Annotated[
    list[Path], typer.Option("--manifest", exists=True, dir_okay=False, help="NeMo manifest; repeatable")
]
JsonOption = Annotated[Path | None, typer.Option(help="write all figures and readings here")]
CsvOption = Annotated[Path | None, typer.Option(help="write a row for each utterance here")]
ReportOption = Annotated[Path | None, typer.Option(help="folder for report.html: plots, worst utterances")]


def show(evaluation: Evaluation, model: str, json: Path | None, csv: Path | None, report: Path | None) -> int:
    """Print the figures and what was written where; give the command's exit status.

    Returns:
        1 when a recording could not be read, 0 otherwise.
    """
    run = as_json(evaluation, model)
    print("\n".join(lines(evaluation)))
    for error in evaluation.unreadable:
        print(f"left out: {error}", file=sys.stderr)
    print()
    if json is not None:
        write_json(run, json)
        print(f"{json}: all figures and readings")
    if csv is not None:
        write_csv(evaluation, csv)
        print(f"{csv}: a row for each utterance")
    if report is not None:
        print(f"{write_report(evaluation, report, run)}: plots and the worst utterances, for a browser")
    return 1 if evaluation.unreadable else 0
