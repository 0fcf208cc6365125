"""CMU Flite: voices built from recordings, compiled into one program. http://cmuflite.org

The slowest engine: 10 ms for an utterance of kal, 40 ms for the statistical voices (``rms`` keeps its own pitch).
"""

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from spoken_numbers.audio import FloatArray
from spoken_numbers.synthesis.engine import NOTHING, Line, Voice, from_wav, program_version, spoken_by

_VOICES = {
    # name: (person, gender, mean pitch in Hz); kal speaks at 8 kHz and kal16 at 16 kHz, from the same diphones.
    "kal": ("kal", "M", 95),
    "kal16": ("kal", "M", 95),
    "awb": ("awb", "M", 125),
    "rms": ("rms", "M", 95),
    "slt": ("slt", "F", 170),
}


class Flite:
    name = "flite"
    languages: tuple[str, ...] = ("en",)
    share = 0.15
    install = "sudo apt-get install flite"

    def version(self) -> str | None:
        line = program_version(["flite", "--version"])
        if line is None:
            return None
        about = spoken_by(["flite", "--version"]).decode(errors="replace")
        return next((part.split(":", 1)[1].strip() for part in about.splitlines() if "version:" in part), line)

    def voices(self, language: str) -> list[Voice]:
        if language not in self.languages:
            return []
        listed = spoken_by(["flite", "-lv"]).decode(errors="replace").split(":", 1)[-1].split()
        return [
            Voice(self.name, name, person, "us", gender)
            for name, (person, gender, _) in _VOICES.items()
            if name in listed
        ]

    def render(self, lines: Sequence[Line]) -> list[FloatArray]:
        with TemporaryDirectory(prefix="flite") as folder:
            return [_render(line, Path(folder) / "spoken.wav") for line in lines]


def _render(line: Line, file: Path) -> FloatArray:
    pitch = _VOICES[line.voice.name][2] * line.prosody.pitch
    file.unlink(missing_ok=True)
    spoken_by(
        [
            *("flite", "-voice", line.voice.name),
            *("--setf", f"duration_stretch={1 / line.prosody.rate:.3f}", "--setf", f"int_f0_target_mean={pitch:.1f}"),
            *("-t", line.text, "-o", str(file)),
        ]
    )
    return from_wav(file.read_bytes()) if file.exists() else NOTHING
