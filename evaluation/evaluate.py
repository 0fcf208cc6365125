"""How many digit strings of some manifests a model reads right."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from spoken_numbers.acoustic import open_acoustic
from spoken_numbers.assessment.evaluation import evaluate, write_json
from spoken_numbers.assessment.summary import lines
from spoken_numbers.cli import run


def main(
    model: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, help="an .onnx or .nemo file, or a checkpoint (.ckpt)")
    ],
    manifest: Annotated[list[Path], typer.Option(exists=True, dir_okay=False, help="NeMo manifest; repeatable")],
    json: Annotated[Path | None, typer.Option(help="write all figures and readings here")] = None,
    batch_size: Annotated[int, typer.Option(min=1, help="utterances at once; not of .onnx")] = 32,
) -> int:
    """Print string accuracy and digit error rate with their counts, and the ten worst utterances.

    Exit status 1 when a recording could not be read.
    """
    evaluation = evaluate(open_acoustic(model, batch_size), manifest)
    print("\n".join(lines(evaluation)))
    for error in evaluation.unreadable:
        print(f"left out: {error}", file=sys.stderr)
    if json is not None:
        write_json(evaluation, json, model)
        print(f"\n{json}: all figures and readings")
    return 1 if evaluation.unreadable else 0


run(main)
