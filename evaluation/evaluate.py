"""How many digit strings of some manifests a model reads right."""

from pathlib import Path
from typing import Annotated

import typer

from spoken_numbers.acoustic import calibration_of, open_acoustic
from spoken_numbers.assessment.evaluation import evaluate
from spoken_numbers.assessment.outputs import CsvOption, JsonOption, ManifestsOption, ReportOption, show
from spoken_numbers.cli import run
from spoken_numbers.decoding.bound import Bound, decoder_of
from spoken_numbers.decoding.checksums import CHECKSUMS
from spoken_numbers.decoding.confidence import calibrated


def main(
    model: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, help="an .onnx or .nemo file, or a checkpoint (.ckpt)")
    ],
    manifest: ManifestsOption,
    json: JsonOption = None,
    csv: CsvOption = None,
    report: ReportOption = None,
    digits: Annotated[str | None, typer.Option(help="decoder told: how many, 6 or 4-8")] = None,
    pattern: Annotated[str | None, typer.Option(help=r"decoder told: a regular expression over digits")] = None,
    one_of: Annotated[Path | None, typer.Option(help="decoder told: a file with a number a line")] = None,
    checksum: Annotated[str | None, typer.Option(help=f"decoder told: {', '.join(CHECKSUMS)}")] = None,
    below: Annotated[int | None, typer.Option(help="decoder told: a cardinal less than this")] = None,
    grammar: Annotated[Path | None, typer.Option(help="decoder told: an OpenFst acceptor")] = None,
    batch_size: Annotated[int, typer.Option(min=1, help="utterances at once; not of .onnx")] = 32,
) -> int:
    """Print string accuracy and digit error rate with counts and intervals, and the ten worst utterances.

    Exit status 1 when a recording could not be read.
    """
    bound = Bound(digits, pattern, one_of, checksum, below, grammar)
    decoder = calibrated(decoder_of(bound), calibration_of(model))
    evaluation = evaluate(open_acoustic(model, batch_size), manifest, decoder)
    return show(evaluation, f"{model} {bound}".strip(), json, csv, report)


run(main)
