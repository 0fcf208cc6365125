"""A trained model → ONNX."""

from pathlib import Path
from typing import Annotated

import typer

from spoken_numbers.cli import run


def main(
    model: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="a .nemo file or a checkpoint (.ckpt)")],
    out: Annotated[Path, typer.Option("--out", "-o", help="MODEL.onnx, takes a waveform")],
    manifest: Annotated[
        list[Path] | None,
        typer.Option(
            exists=True, dir_okay=False, help="utterances to compare on; default: it was trained on; repeatable"
        ),
    ] = None,
    utterances: Annotated[int, typer.Option(min=1, help="how many of them")] = 128,
    licence: Annotated[str, typer.Option(help="the model's, to be carried in the files")] = "Apache-2.0",
) -> None:
    """Write MODEL.onnx, MODEL_features.onnx and tokens.txt, once they agree with the model in PyTorch."""
    from spoken_numbers.deploy.export import TOLERANCE, export  # torch and NeMo: seconds

    for one in export(model, out, manifest or [], licence, utterances):
        print(f"{one.path}: {one.size / 1e6:.2f} MB")
        for way, ends in (("in ", one.inputs), ("out", one.outputs)):
            print(f"  {way} " + ", ".join(f"{name} {tuple(shape)}" for name, shape in ends.items()))
        print(
            f"  agrees with PyTorch on {one.utterances} utterances, alone and in batches: largest difference in"
            f" log-probability {one.largest_difference:.1g} (allowed {TOLERANCE:.0e}), every label equal"
        )
        if one.rounded:
            print(f"  {one.rounded} exceed it, at most twice as far off float64's result as PyTorch's float32")
    print(f"{out.parent / 'tokens.txt'}: its labels")


run(main)
