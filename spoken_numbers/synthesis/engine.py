"""What every text-to-speech engine is to the rest: voices of a language, and lines made into waveforms."""

import io
import shutil
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import soundfile

from spoken_numbers import audio
from spoken_numbers.audio import FloatArray
from spoken_numbers.errors import UserError

NOTHING: FloatArray = np.zeros(0, dtype=np.float32)
"""What an engine gives for a line that it could not speak."""


@dataclass(frozen=True, slots=True)
class Voice:
    """One timbre in one accent.

    ``person`` is whom a listener would take it for: every voice of one person falls into the same split, whichever
    engine renders it. Voices recorded from the same human share it; so do nearly equal settings of a formant engine.
    """

    engine: str
    name: str
    person: str
    accent: str = ""
    gender: str = ""

    @property
    def speaker(self) -> str:
        """The name in manifests and on the command line: ``espeak-ng:Annie``. Accents of a voice share it."""
        return f"{self.engine}:{self.name}"


@dataclass(frozen=True, slots=True)
class Prosody:
    """How to speak, relative to the engine's own manner: tempo and pitch factors, extra silence between words (s)."""

    rate: float = 1.0
    pitch: float = 1.0
    gap: float = 0.0


@dataclass(frozen=True, slots=True)
class Line:
    """One text to speak; commas in it are short pauses."""

    text: str
    voice: Voice
    prosody: Prosody = Prosody()


class EngineError(UserError):
    """An engine that is missing, or that failed to render."""


class Engine(Protocol):
    """One text-to-speech program. Objects are pickled to worker processes, so they carry no running state."""

    name: str
    languages: tuple[str, ...]
    """What it speaks where the voices for it are installed."""
    share: float
    """How much of a corpus it speaks, relative to the others: in proportion to its variety of voices and its speed."""
    install: str
    """The command that installs it."""

    def version(self) -> str | None:
        """What stands in a corpus's recipe, since another version gives other audio; None when not installed."""

    def voices(self, language: str) -> list[Voice]:
        """All its voices fit to train on, in a fixed order; none when it does not speak the language."""

    def render(self, lines: Sequence[Line]) -> list[FloatArray]:
        """One waveform at ``audio.SAMPLE_RATE`` per line, empty for a line that it could not speak.

        A line gives the same samples whichever lines stand beside it.

        Raises:
            EngineError: the whole batch failed.
        """


def program_version(command: Sequence[str]) -> str | None:
    """The first line that a program prints about itself, or None when it is not installed."""
    if shutil.which(command[0]) is None:
        return None
    done = subprocess.run(command, capture_output=True, text=True, check=False, errors="replace")
    lines = (done.stdout or done.stderr).strip().splitlines()
    return lines[0].strip() if lines else command[0]


def spoken_by(command: Sequence[str], text: str | None = None) -> bytes:
    """What a program writes on stdout for a text on stdin; empty when it fails on it.

    Raises:
        EngineError: the program is not installed.
    """
    try:
        stdin = None if text is None else text.encode()
        return subprocess.run(command, input=stdin, capture_output=True, check=False).stdout
    except FileNotFoundError:
        raise EngineError(f"'{command[0]}' is not installed") from None


def word_by_word(text: str, say: Callable[[str], str]) -> str | None:
    """What ``say`` makes of each word of a line, the commas after them kept; None where there is no word."""
    spoken = []
    for part in text.split():
        word = part.rstrip(",")
        spoken.append(say(word) + part[len(word) :])
    return " ".join(spoken) or None


def from_wav(wav: bytes) -> FloatArray:
    """The bytes of a WAV file → waveform at ``audio.SAMPLE_RATE``; empty where they are none."""
    try:
        samples, rate = soundfile.read(io.BytesIO(wav), dtype="float32", always_2d=True)
    except soundfile.LibsndfileError:
        return NOTHING
    return audio.resample(samples[:, 0], rate, audio.SAMPLE_RATE) if len(samples) else NOTHING
