"""NeMo manifests: one JSON object per line."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path

from spoken_numbers.errors import UserError
from spoken_numbers.files import written_whole


class ManifestError(UserError):
    """A manifest or one of its rows that cannot be used."""


@dataclass(frozen=True, slots=True)
class Utterance:
    """One row. ``audio_filepath`` is absolute or relative to the manifest's folder; ``duration`` is in seconds.

    ``text`` is the label (empty for speech without a number); ``words`` is what was said; an empty field is unknown.
    """

    audio_filepath: str
    duration: float
    text: str
    speaker: str = ""
    corpus: str = ""
    style: str = ""
    words: str = ""

    def path(self, manifest: Path) -> Path:
        """Where the recording lies, as NeMo resolves it."""
        return manifest.parent / Path(self.audio_filepath).expanduser()


@dataclass(frozen=True)
class Made:
    """What a corpus recipe wrote: one manifest, and what it left out (reason → count)."""

    path: Path
    utterances: int
    hours: float
    speakers: int
    left_out: dict[str, int] = field(default_factory=dict)


def read(path: Path) -> Iterator[Utterance]:
    """The rows in order, one at a time.

    Raises:
        ManifestError: missing file, or the first row that is no JSON object with the three required fields;
            says which line. ``manifest_check`` names every fault instead of the first.
    """
    try:
        lines = path.open(encoding="utf-8")
    except OSError as error:
        raise ManifestError(f"cannot read manifest: {error.strerror}", where=str(path), todo="check the path") from None
    with lines:
        for number, line in enumerate(lines, 1):
            if line.strip():
                yield parse_row(line, f"{path}:{number}")


def parse_row(line: str, where: str) -> Utterance:
    """One line of a manifest; unknown fields are left alone (NeMo allows them) and not kept.

    Raises:
        ManifestError: no JSON object, or a required field missing or of the wrong type.
    """
    todo = "correct the row or drop it with scripts/check_manifest.py --fix"
    try:
        row = json.loads(line)
    except ValueError as error:
        raise ManifestError(f"row is not JSON: {error}", where=where, todo=todo) from None
    if not isinstance(row, dict):
        raise ManifestError("row is not a JSON object", where=where, todo=todo)
    known = {f.name: row[f.name] for f in fields(Utterance) if row.get(f.name) is not None}
    for name, kind in (("audio_filepath", str), ("duration", int | float), ("text", str)):
        if not isinstance(known.get(name), kind) or isinstance(known[name], bool):
            raise ManifestError(f"row has no usable '{name}'", where=where, todo=todo)
    text_fields = {name: str(value) for name, value in known.items() if name != "duration"}
    return Utterance(duration=float(known["duration"]), **text_fields)


def write(path: Path, utterances: Iterable[Utterance]) -> Made:
    """Write a manifest, whole or not at all, and say what it holds. Empty optional fields are not written."""
    count, seconds, speakers = 0, 0.0, set()
    with written_whole(path) as temporary, temporary.open("w", encoding="utf-8") as out:
        for utterance in utterances:
            row = asdict(utterance)
            required = {"audio_filepath", "duration", "text"}
            kept = {name: value for name, value in row.items() if value != "" or name in required}
            out.write(json.dumps(kept, ensure_ascii=False) + "\n")
            count, seconds = count + 1, seconds + utterance.duration
            speakers.add(utterance.speaker)
    return Made(path, count, seconds / 3600, len(speakers - {""}))
