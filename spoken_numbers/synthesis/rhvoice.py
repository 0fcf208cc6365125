"""RHVoice: HMM voices, most of all Russian, by its command ``RHVoice-test``. https://github.com/RHVoice/RHVoice

Written from its source (src/test/test.cpp) and not yet run: no package of it was at hand.
"""

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from spoken_numbers.audio import FloatArray
from spoken_numbers.synthesis.engine import NOTHING, Line, Voice, from_wav, program_version, spoken_by

_ROOTS = ("/usr/share/RHVoice/voices", "/usr/local/share/RHVoice/voices", "/var/lib/snapd/RHVoice/voices")
_LANGUAGES = {"English": "en", "Russian": "ru"}
_SAME_PERSON = {"alan": "awb", "slt": "slt", "bdl": "bdl", "clb": "clb"}
"""English voices recorded for CMU ARCTIC, of which Flite and Festival have some as well."""


class RHVoice:
    name = "rhvoice"
    languages: tuple[str, ...] = ("en", "ru")
    share = 0.3
    install = "see https://github.com/RHVoice/RHVoice/blob/master/doc/en/Binaries.md"

    def version(self) -> str | None:
        return program_version(["RHVoice-test", "--version"])

    def voices(self, language: str) -> list[Voice]:
        found = {}
        for info in sorted(file for root in _ROOTS for file in Path(root).glob("*/voice.info")):
            facts = dict(part.split("=", 1) for part in info.read_text(errors="replace").split() if "=" in part)
            if _LANGUAGES.get(facts.get("language", "")) == language:
                name = facts.get("name", info.parent.name)
                person = _SAME_PERSON.get(name.lower(), f"{self.name}:{name}")
                found[name] = Voice(self.name, name, person, gender=facts.get("gender", "")[:1].upper())
        return list(found.values())

    def render(self, lines: Sequence[Line]) -> list[FloatArray]:
        with TemporaryDirectory(prefix="rhvoice") as folder:
            return [_render(line, Path(folder) / "spoken.wav") for line in lines]


def _render(line: Line, file: Path) -> FloatArray:
    rate, pitch = round(100 * line.prosody.rate), round(100 * line.prosody.pitch)
    file.unlink(missing_ok=True)
    command = ["RHVoice-test", "-p", line.voice.name, "-r", str(rate), "-t", str(pitch), "-o", str(file)]
    spoken_by(command, line.text)
    return from_wav(file.read_bytes()) if file.exists() else NOTHING
