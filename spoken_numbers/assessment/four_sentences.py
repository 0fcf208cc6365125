"""The four numbers by which the project's models have always been compared, spoken as cardinals."""

from collections.abc import Sequence
from pathlib import Path

from spoken_numbers import audio
from spoken_numbers.assessment.evaluation import Acoustic
from spoken_numbers.audio import FloatArray
from spoken_numbers.decoding.greedy import greedy
from spoken_numbers.errors import UserError
from spoken_numbers.labels import digit_string, speak
from spoken_numbers.synthesis.engine import Line
from spoken_numbers.synthesis.espeak import Espeak
from spoken_numbers.synthesis.festival import Festival
from spoken_numbers.synthesis.flite import Flite

NUMBERS = ("896867", "332763", "309758", "183037")
VOICE = "flite:rms"
"""Of those that scripts/prepare_synthetic.py keeps for tests."""


def rendered(voice: str = VOICE) -> list[FloatArray]:
    """The four as one voice says them, (samples,) at 16 kHz each.

    Raises:
        UserError: no such voice is installed.
    """
    engines = [engine for engine in (Flite(), Festival(), Espeak()) if engine.version() is not None]
    voices = {one.speaker: (engine, one) for engine in engines for one in engine.voices("en")}
    if voice not in voices:
        known = ", ".join(sorted(voices)) or "none: install flite"
        raise UserError(f"no voice '{voice}'", where="--voice", todo=f"choose from {known}")
    engine, chosen = voices[voice]
    return engine.render([Line(speak(number, "cardinal").words, chosen) for number in NUMBERS])


def recorded(paths: Sequence[Path]) -> list[FloatArray]:
    """Recordings of the four, in their order.

    Raises:
        UserError: not four of them, or one that cannot be read.
    """
    if len(paths) != len(NUMBERS):
        todo = f"give one each of {', '.join(NUMBERS)}, in this order"
        raise UserError(f"{len(paths)} recordings", where="--recording", todo=todo)
    return [audio.read(path) for path in paths]


def row(name: str, parameters: int | None, size: int, acoustic: Acoustic, waveforms: Sequence[FloatArray]) -> str:
    """A row of the table; what is read wrong stands in bold.

    Args:
        size: bytes.
    """
    read = [digit_string(greedy(frames)) or "–" for frames in acoustic(waveforms)]
    shown = [text if text == number else f"**{text}**" for text, number in zip(read, NUMBERS, strict=True)]
    count = "" if parameters is None else f"{parameters / 1e6:.1f} M"
    return f"| `{name}` | {count} | {size / 1e6:.2f} MB | {' | '.join(shown)} |"


def head() -> str:
    """The table's first two lines."""
    return f"| model | parameters | size | {' | '.join(NUMBERS)} |\n|---|---|---|{'---|' * len(NUMBERS)}"
