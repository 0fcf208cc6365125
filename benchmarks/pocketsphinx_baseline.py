"""What PocketSphinx reads of some manifests, in the figures and files of ``evaluation/evaluate.py``.

    python3 benchmarks/pocketsphinx_baseline.py --manifest data/an4/test.json --json sphinx.json

``evaluation/compare_models.py`` lays the run beside a model's.
"""

from typing import Annotated

import typer
from pocketsphinx_reader import PocketSphinx

from spoken_numbers.assessment.evaluation import evaluate_reader
from spoken_numbers.assessment.outputs import CsvOption, JsonOption, ManifestsOption, ReportOption, show
from spoken_numbers.cli import run
from spoken_numbers.lengths import parse_length


def main(
    manifest: ManifestsOption,
    json: JsonOption = None,
    csv: CsvOption = None,
    report: ReportOption = None,
    digits: Annotated[str | None, typer.Option(help="grammar: so many digits, 6 or 4-8; any number else")] = None,
) -> int:
    """Print string accuracy and digit error rate with counts and intervals, and the ten worst utterances.

    Exit status 1 when a recording could not be read.
    """
    reader = PocketSphinx(None if digits is None else parse_length(digits, "--digits"))
    name = "PocketSphinx" if digits is None else f"PocketSphinx --digits {digits}"
    return show(evaluate_reader(reader, manifest), name, json, csv, report)


run(main)
