"""What models make of the four testing sentences."""

from pathlib import Path
from typing import Annotated

import typer

from spoken_numbers.acoustic import open_acoustic, parameters_of
from spoken_numbers.assessment import four_sentences
from spoken_numbers.cli import run


def main(
    model: Annotated[list[Path], typer.Argument(exists=True, dir_okay=False, help=".onnx, .nemo or .ckpt files")],
    voice: Annotated[str, typer.Option(help="who says them; take one that no training heard")] = four_sentences.VOICE,
    recording: Annotated[
        list[Path] | None, typer.Option(exists=True, dir_okay=False, help="real ones instead, in order; four times")
    ] = None,
) -> None:
    """Print a table: each model's parameters, size, and how it reads 896867, 332763, 309758 and 183037 as cardinals."""
    waveforms = four_sentences.recorded(recording) if recording else four_sentences.rendered(voice)
    print(four_sentences.head())
    for path in model:
        size = path.stat().st_size
        print(four_sentences.row(path.name, parameters_of(path), size, open_acoustic(path), waveforms))


run(main)
