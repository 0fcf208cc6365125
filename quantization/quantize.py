"""An exported model → int8."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from spoken_numbers.cli import run
from spoken_numbers.deploy.match import Attempt
from spoken_numbers.deploy.quantize import quantize


class Method(StrEnum):
    static = "static"
    dynamic = "dynamic"


def main(
    model: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="MODEL.onnx of export_onnx.py")],
    out: Annotated[Path, typer.Option("--out", "-o", help="MODEL_int8.onnx")],
    method: Annotated[Method, typer.Option(help="static needs utterances or a model trained for it, dynamic nothing")],
    calibration: Annotated[
        list[Path] | None,
        typer.Option(exists=True, dir_okay=False, help="manifest for the ranges of activations; repeatable"),
    ] = None,
    check: Annotated[
        list[Path] | None,
        typer.Option(exists=True, dir_okay=False, help="manifest to match on; default: --calibration; repeatable"),
    ] = None,
    match: Annotated[
        bool | None, typer.Option(help="read every utterance as float32 does; default: where there is a manifest")
    ] = None,
    accept_differences: Annotated[bool, typer.Option(help="write the best even where strings differ")] = False,
    largest: Annotated[float | None, typer.Option(help="MB that the features graph may have")] = None,
) -> None:
    """Write MODEL_int8.onnx, its features graph and tokens.txt: never slower than float32, and reading the same."""
    manifests = check or calibration or []
    matching = bool(manifests) if match is None else match
    size = None if largest is None else round(largest * 1e6)
    made = quantize(model, out, method.value, calibration or [], manifests, matching, accept_differences, told, size)
    chosen = made.chosen
    for path in made.paths:
        print(f"{path}: {path.stat().st_size / 1e6:.2f} MB")
    print(f"  {chosen.form}; {chosen.speed:.1f} times as fast as float32 on one thread")
    if made.compared:
        print(f"  {made.compared - len(chosen.differing or ())} of {made.compared} digit strings as float32 reads them")


def told(attempt: Attempt) -> None:
    print(f"tried {attempt.form}: {attempt.size / 1e6:.2f} MB, {attempt.speed:.1f}x", end="")
    if attempt.differing is not None:
        print(f", {len(attempt.differing)} strings differ, probabilities {attempt.drift:.4f} apart (rms)", end="")
    print(flush=True)


run(main)
