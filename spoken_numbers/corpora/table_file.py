"""The cells of a CSV or TSV file that tell a recording, what it says and who says it."""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from spoken_numbers.corpora.layout import few
from spoken_numbers.errors import UserError

USUAL = {
    "audio": ("filename", "file_name", "path", "audio", "file", "audio_filepath", "audio_path", "wav"),
    "text": ("transcription", "transcript", "text", "sentence", "words", "label", "number"),
    "speaker": ("spk_id", "speaker", "speaker_id", "client_id", "spk"),
}
"""Names that columns usually have, the likeliest first."""


class TableError(UserError):
    """A table that cannot be used."""


@dataclass(frozen=True, slots=True)
class Columns:
    """Names of the columns, as in the table's first line; None is guessed among ``USUAL``."""

    audio: str | None = None
    text: str | None = None
    speaker: str | None = None


@dataclass(frozen=True, slots=True)
class Cells:
    """What one row holds, and at which file and line; ``fault`` says what is wrong with a row of another shape."""

    where: str
    audio: str = ""
    text: str = ""
    speaker: str = ""
    fault: str = ""


def read_table(table: Path, columns: Columns) -> Iterator[Cells]:
    """The rows in order, blank ones left out, cells without blanks around them.

    UTF-8, with or without a byte order mark; the separator (tab, comma or semicolon) is the one that the first line
    has most of.

    Raises:
        TableError: missing, not UTF-8, no column that could be meant (says which there are), or no CSV at all.
    """
    text = _text(table)
    first = text.split("\n", 1)[0]
    separator = max("\t,;", key=first.count)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    start = 0
    try:
        header = [name.strip() for name in next(rows, [])]
        at = {kind: _column(kind, getattr(columns, kind), header, table) for kind in USUAL}
        start = rows.line_num
        for row in rows:
            where, start = f"{table}:{start + 1}", rows.line_num
            if not any(cell.strip() for cell in row):
                continue
            if len(row) != len(header):
                yield Cells(where, fault=f"{len(row)} cells under {len(header)} columns")
                continue
            yield Cells(where, **{kind: row[place].strip() for kind, place in at.items() if place is not None})
    except csv.Error as error:
        raise TableError(
            f"not a table: {error}", where=f"{table}:{start + 1}", todo="close the quote that is open there"
        ) from None


def _text(table: Path) -> str:
    try:
        content = table.read_bytes()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise TableError(f"cannot read the table: {reason}", where=str(table), todo="check the path") from None
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise TableError("not UTF-8", where=f"{table}:{line}", todo="save the table as UTF-8") from None


def _column(kind: str, given: str | None, header: Sequence[str], table: Path) -> int | None:
    if given is not None:
        if given not in header:
            raise _no_column(f"no column '{given}'", kind, header, table)
        return header.index(given)
    folded = [name.casefold() for name in header]
    for name in USUAL[kind]:
        if name in folded:
            return folded.index(name)
    if kind == "speaker":
        return None
    raise _no_column(f"no column named {few(USUAL[kind], 9)}", kind, header, table)


def _no_column(what: str, kind: str, header: Sequence[str], table: Path) -> TableError:
    there = few((repr(name) for name in header), 20) or "none"
    return TableError(f"{what}; columns are {there}", where=f"{table}:1", todo=f"name one with --{kind}-column")
