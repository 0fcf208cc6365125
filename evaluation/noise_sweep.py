"""How models stand noise, codecs, rooms, silence, other tempos and levels."""

from pathlib import Path
from typing import Annotated

import typer

from spoken_numbers.acoustic import open_acoustic
from spoken_numbers.assessment.noise_sweep import conditions, sweep, table, write
from spoken_numbers.augmentation.silence import LONGEST
from spoken_numbers.cli import run


def main(
    model: Annotated[list[Path], typer.Argument(exists=True, dir_okay=False, help=".onnx, .nemo or .ckpt files")],
    manifest: Annotated[list[Path], typer.Option(exists=True, dir_okay=False, help="held-out speakers; repeatable")],
    noise: Annotated[
        list[Path] | None, typer.Option(exists=True, dir_okay=False, help="manifest of held-out noise; repeatable")
    ] = None,
    room: Annotated[
        list[Path] | None, typer.Option(exists=True, dir_okay=False, help="manifest of held-out rooms; repeatable")
    ] = None,
    codec: Annotated[list[str] | None, typer.Option(help="as transcode_aug names them; a,b draws; repeatable")] = None,
    silence: Annotated[
        list[float] | None,
        typer.Option(min=0.01, max=LONGEST, help="seconds before and after each utterance; repeatable"),
    ] = None,
    tempo: Annotated[list[float] | None, typer.Option(min=0.5, max=2, help="0.7 is slow speech; repeatable")] = None,
    pauses: Annotated[
        list[float] | None, typer.Option(min=0.01, max=LONGEST, help="seconds added between words; repeatable")
    ] = None,
    level: Annotated[
        list[float] | None, typer.Option(min=-60, max=60, help="dB by which each recording is made louder; repeatable")
    ] = None,
    out: Annotated[Path, typer.Option(help="folder for perturbed copies, figures and curves")] = Path("data/sweep"),
    copies: Annotated[int, typer.Option(min=1, help="draws of noise and room for each utterance")] = 1,
    seed: int = 0,
) -> None:
    """Print string accuracy at 20 to -5 dB SNR and in every other condition; write noise_sweep.json and .svg."""
    acoustics = {path.stem: open_acoustic(path) for path in model}
    asked = conditions(noise or [], codec or [], room or [], silence or [], tempo or [], pauses or [], level or [])
    points = sweep(acoustics, manifest, asked, out, copies, seed)
    print("\n".join(table(points)))
    write(points, out)
    print(f"\n{out / 'noise_sweep.json'}, {out / 'noise_sweep.svg'}: all figures, and curves with 95 % intervals")


run(main)
