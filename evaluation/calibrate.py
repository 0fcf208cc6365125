"""Confidences that mean what they say: of answers with 0.9, nine in ten are right."""

from pathlib import Path
from typing import Annotated

import typer

from spoken_numbers.acoustic import open_acoustic
from spoken_numbers.assessment.calibration import fit
from spoken_numbers.assessment.evaluation import evaluate
from spoken_numbers.cli import run
from spoken_numbers.deploy.confidence import store


def main(
    model: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="an exported model (.onnx)")],
    manifest: Annotated[
        list[Path],
        typer.Option(exists=True, dir_okay=False, help="utterances that trained nothing and test nothing; repeatable"),
    ],
) -> None:
    """Fit the confidence of greedy answers to how often they are right, and store it in the model's metadata."""
    readings = evaluate(open_acoustic(model), manifest).all()
    calibration = fit(readings)
    store(model, calibration)
    right = sum(reading.right for reading in readings)
    print(f"{right} of {len(readings)} strings right")
    for confidence in (0.5, 0.9, 0.99):
        print(f"confidence {confidence} is now {calibration(confidence):.3f}")
    print(f"{model}: calibrated")


run(main)
