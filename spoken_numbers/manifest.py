"""NeMo manifests: one JSON object per line."""

import json
import math
import os
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from spoken_numbers.errors import UserError
from spoken_numbers.files import written_whole

REQUIRED = ("audio_filepath", "duration", "text")
OPTIONAL = ("speaker", "corpus", "style", "words", "noise", "snr_db")

LONGEST_ROW = 1 << 20
"""Bytes; a longer line is no row but another kind of file, and reading it whole might fill the memory."""

LONGEST_RELATIVE_PATH = 254
"""Characters; NeMo looks for a longer one in the working folder only (get_full_path's audio_file_len_limit)."""


class ManifestError(UserError):
    """A manifest that cannot be used."""


class RowError(ManifestError):
    """A line that is no JSON object."""


class FieldError(ManifestError):
    """A field of a row that is missing, of the wrong type or out of range."""


@dataclass(frozen=True, slots=True)
class Utterance:
    """One row. ``audio_filepath`` is absolute or relative to the manifest's folder; ``duration`` is in seconds.

    ``text`` is the label (empty for speech without a number); ``words`` is what was said;
    ``noise`` names what was mixed in, at ``snr_db`` dB; an empty field is unknown.
    """

    audio_filepath: str
    duration: float
    text: str
    speaker: str = ""
    corpus: str = ""
    style: str = ""
    words: str = ""
    noise: str = ""
    snr_db: str = ""

    def path(self, manifest: Path) -> Path:
        """Where the recording lies, as NeMo resolves it: beside the manifest or else in the working folder."""
        plain = os.path.expanduser(self.audio_filepath)
        beside = os.path.join(manifest.parent, plain)
        near = len(self.audio_filepath) <= LONGEST_RELATIVE_PATH and (
            os.path.isfile(beside) or not os.path.isfile(plain)
        )
        return Path(beside if near else plain)


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
    for number, line in rows(path):
        yield parse_row(line, f"{path}:{number}")


def split_by_commas(names: str) -> list[Path]:
    """Manifests as NeMo takes them in one string; one whose own name has commas is itself."""
    return [Path(name) for name in ([names] if Path(names).exists() else names.split(","))]


def rows(path: Path) -> Iterator[tuple[int, bytes]]:
    """Line number (from 1) and bytes of each line that is not blank, cut at ``LONGEST_ROW``.

    Raises:
        ManifestError: the file is missing or cannot be read.
    """
    try:
        lines = path.open("rb")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ManifestError(f"cannot read manifest: {reason}", where=str(path), todo="check the path") from None
    with lines:
        number = 0
        while line := lines.readline(LONGEST_ROW):
            number += 1
            rest = line
            while not rest.endswith(b"\n") and (rest := lines.readline(LONGEST_ROW)):
                pass
            if line.strip():
                yield number, line


def parse_row(line: str | bytes, where: str) -> Utterance:
    """One line of a manifest; unknown fields are left alone (NeMo allows them) and not kept.

    Raises:
        RowError: no JSON object in UTF-8.
        FieldError: a required field is missing, a field has the wrong type, the duration is not positive and finite,
            or the row is a part of a recording (``offset``), which only NeMo's loader would honour.
    """
    row = _json_object(line, where)
    for name, what_is_wrong in _wrong_fields(row):
        raise FieldError(f"row has no usable '{name}': {what_is_wrong}", where=where, todo=TODO)
    texts = {name: str(row[name]) for name in OPTIONAL if row.get(name) is not None}
    return Utterance(row["audio_filepath"], float(row["duration"]), row["text"], **texts)


TODO = "correct the row or drop it with scripts/check_manifest.py --fix"


def _json_object(line: str | bytes, where: str) -> dict[str, Any]:
    if len(line) >= LONGEST_ROW:
        raise RowError(f"row is longer than {LONGEST_ROW} bytes", where=where, todo="give a NeMo manifest")
    try:
        row = json.loads(line.decode() if isinstance(line, bytes) else line)
    except UnicodeDecodeError as error:
        raise RowError(f"row is not UTF-8: byte {error.start + 1}", where=where, todo=TODO) from None
    except RecursionError:
        raise RowError("row is not JSON: nested too deeply", where=where, todo=TODO) from None
    except ValueError as error:
        raise RowError(f"row is not JSON: {error}", where=where, todo=TODO) from None
    if not isinstance(row, dict):
        raise RowError("row is not a JSON object", where=where, todo=TODO)
    return row


def _wrong_fields(row: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for name in REQUIRED:
        if row.get(name) is None:
            yield name, "missing"
    for name in ("audio_filepath", "text"):
        if not isinstance(row[name], str):
            yield name, f"{_shown(row[name])} is not text"
    for name in OPTIONAL:
        if not _is_plain(row.get(name, "")):
            yield name, f"{_shown(row[name])} is not text"
    if not _is_file_name(row["audio_filepath"]):
        yield "audio_filepath", f"{_shown(row['audio_filepath'])} cannot be a path"
    if not _is_seconds(row["duration"]):
        yield "duration", f"{_shown(row['duration'])} is not a positive number of seconds"
    if row.get("offset"):
        yield "offset", "recordings are read from their start; cut this part into a file of its own"


def _shown(value: object) -> str:
    if isinstance(value, list | dict):
        return "a list" if isinstance(value, list) else "an object"
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 40 else text[:39] + "…"


def _is_plain(value: object) -> bool:
    return value is None or (isinstance(value, str | int | float) and not isinstance(value, bool))


def _is_file_name(value: str) -> bool:
    try:
        return value != "" and b"\0" not in os.fsencode(value)
    except UnicodeEncodeError:
        return False


def _is_seconds(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    try:
        return math.isfinite(value) and value > 0
    except OverflowError:
        return False


def write(path: Path, utterances: Iterable[Utterance]) -> Made:
    """Write a manifest, whole or not at all, and say what it holds. Empty optional fields are not written.

    A file name that is not UTF-8 (Python's surrogate escapes) becomes JSON's ``\\udcXX``, and reads back the same.
    """
    count, seconds, speakers = 0, 0.0, set()
    with written_whole(path) as temporary, temporary.open("w", encoding="utf-8", errors="backslashreplace") as out:
        for utterance in utterances:
            row = asdict(utterance)
            kept = {name: value for name, value in row.items() if value != "" or name in REQUIRED}
            out.write(json.dumps(kept, ensure_ascii=False) + "\n")
            count, seconds = count + 1, seconds + utterance.duration
            speakers.add(utterance.speaker)
    return Made(path, count, seconds / 3600, len(speakers - {""}))
