"""A table of recordings and what they say, as CSV or TSV: one's own corpus."""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path, PurePosixPath
from re import fullmatch, sub

from spoken_numbers.corpora.common import UNREADABLE, Conversion, LeftOut, convert, hold_out, write_manifest
from spoken_numbers.corpora.table_file import Cells, Columns, TableError, read_table
from spoken_numbers.errors import UserError
from spoken_numbers.labels import LabelError, cardinal_label, check_label, label_of
from spoken_numbers.manifest import Made, Utterance
from spoken_numbers.stamp import stamp

NO_SPEAKER = " "  # begins the unit of a row without a speaker, as no speaker's name can
TODO = "correct the row or remove it"


class NumbersAre(StrEnum):
    """How the speakers read numbers that the table has in figures."""

    DIGITS = "digits"
    CARDINAL = "cardinal"


class RowError(UserError):
    """A row that cannot be used; ``reason`` counts rows of its kind."""

    reason = "row that cannot be used"


class TextError(RowError):
    reason = "text that is no number"


class RecordingError(RowError):
    reason = UNREADABLE


@dataclass(frozen=True, slots=True)
class Row:
    """A usable row; ``unit`` is what must not be in two splits: the speaker, or the row where none is known."""

    where: str
    source: Path
    target: PurePosixPath
    words: str
    label: str
    speaker: str

    @property
    def unit(self) -> str:
        return self.speaker or f"{NO_SPEAKER}{self.target}"


def prepare(
    table: Path,
    out: Path,
    columns: Columns,
    audio_root: Path | None = None,
    numbers_are: NumbersAre = NumbersAre.DIGITS,
    language: str = "en",
    test_speaker: Sequence[str] = (),
    test_fraction: float = 0.1,
    seed: int = 0,
) -> list[Made]:
    """Write 16 kHz mono audio, ``train.json``, and ``test.json`` if anything is held out.

    The first line of the table names its columns. Rows that cannot be used are named on stderr with file and line,
    counted in ``left_out`` and cost only themselves. Recordings may have any format that libsndfile or FFmpeg reads.

    Args:
        columns: names of the columns; those not given are guessed.
        audio_root: what relative paths are relative to; by default the table's folder.
        numbers_are: "183037" was read as digits (label ``183037``) or as a cardinal (``183*037``). Words tell
            themselves, and a label with ``*`` is taken as it is.
        language: of the words, one of ``labels.LANGUAGES``.
        test_speaker: held out of training; without any, a ``test_fraction`` of the speakers, and of the rows that
            name none.

    Raises:
        TableError: the table cannot be read, lacks a column, or has no usable row.
        UserError: no such test speaker or language, or ``out`` was made with other options.
    """
    label_of("", language)  # an unknown language is an error of the command, not of each row
    left_out, rows = LeftOut(), []
    for row in _usable(table, columns, audio_root or table.parent, numbers_are, language):
        if isinstance(row, Row):
            rows.append(row)
        else:
            left_out.add("train", row.reason, row)
    if not rows:
        raise TableError("no row can be used", where=str(table), todo="see the rows named above")
    options = {"corpus": "table", "table": table.name, "numbers": numbers_are, "language": language}
    return make(rows, left_out, out, table.stem, options, (test_speaker, test_fraction, seed), str(table))


def make(
    rows: Sequence[Row],
    left_out: LeftOut,
    out: Path,
    corpus: str,
    options: Mapping[str, object],
    split: tuple[Sequence[str], float, int],
    where: str,
) -> list[Made]:
    """Convert the recordings of rows, stamp ``out`` with options, and write its manifests.

    Args:
        split: test speakers, fraction and seed, as ``prepare`` has them.
        where: what to name when no recording can be used.

    Raises:
        UserError: no such test speaker, nothing can be used, or ``out`` was made with other options.
    """
    test_speaker, test_fraction, seed = split
    units = [row.unit for row in rows]
    held = hold_out(units, test_speaker, test_fraction, seed, group=lambda unit: str(unit.startswith(NO_SPEAKER)))
    stamp(out, {**options, "test_speakers": sorted(test_speaker), "test_fraction": test_fraction, "seed": seed})

    by_split: dict[str, list[Utterance]] = {"train": [], "test": []}
    jobs = [Conversion(row.source, out / row.target) for row in rows]
    for row, duration in zip(rows, convert(jobs, corpus), strict=True):
        split_of_row = "test" if row.unit in held else "train"
        if isinstance(duration, UserError):
            error = RecordingError(f"{duration.what}: {duration.where}", where=row.where, todo=duration.todo)
            left_out.add(split_of_row, error.reason, error)
            continue
        style = "" if row.label else "other"
        path = row.target.as_posix()
        by_split[split_of_row].append(Utterance(path, duration, row.label, row.speaker, corpus, style, row.words))
    if not any(by_split.values()):
        raise TableError("no row can be used", where=where, todo="see the rows named above")
    return [write_manifest(out, split, rows, left_out) for split, rows in by_split.items() if split == "train" or held]


def _usable(
    table: Path, columns: Columns, root: Path, numbers_are: NumbersAre, language: str
) -> Iterator[Row | RowError]:
    seen: dict[PurePosixPath, str] = {}
    for cells in read_table(table, columns):
        try:
            row = _row(cells, root, numbers_are, language)
            if row.target in seen:
                raise RowError(
                    "the recording has a row already", where=f"{row.where} and {seen[row.target]}", todo=TODO
                )
        except RowError as error:
            yield error
            continue
        seen[row.target] = row.where
        yield row


def _row(cells: Cells, root: Path, numbers_are: NumbersAre, language: str) -> Row:
    if cells.fault:
        raise RowError(cells.fault, where=cells.where, todo=TODO)
    if not cells.audio or "\0" in cells.audio:
        raise RowError("no recording is named", where=cells.where, todo=TODO)
    try:
        label = number_label(cells.text, numbers_are, language)
    except LabelError as error:
        raise TextError(error.what, where=cells.where, todo=TODO) from None
    if not label:
        raise TextError("the text is empty", where=cells.where, todo=TODO)
    source = root / cells.audio
    if not os.path.isfile(source):
        raise RecordingError(f"no such recording: {source}", where=cells.where, todo="check --audio-root")
    words = " ".join(cells.text.split())
    return Row(cells.where, source, target_of(source, root), words, label, cells.speaker)


def number_label(text: str, numbers_are: NumbersAre, language: str) -> str:
    """The label of a cell: words, figures ("183037", "183,037", "183 037"), or a label with ``*``.

    Raises:
        LabelError: no number, or a cardinal with leading zeros.
    """
    if fullmatch(r"[\d*]*\*[\d*]*", text):
        check_label(text)
        return text
    text = text.rstrip(".!?")
    if text.startswith(("-", "−")) or fullmatch(r"\d+[.,](\d{1,2}|\d{4,})", text):
        raise LabelError(f"'{text}' is not a whole number from 0 on")
    figures = sub(r"[ \u00a0\u202f,.']", "", text)
    if not (figures.isascii() and figures.isdecimal()):
        return label_of(text, language)
    if numbers_are is NumbersAre.DIGITS:
        return figures
    if text != figures and not fullmatch(r"\d{1,3}([ \u00a0\u202f,.'])\d{3}(\1\d{3})*", text):
        raise LabelError(f"'{text}' is not one number")
    if figures.startswith("0") and figures != "0":
        raise LabelError(f"'{text}' cannot be read as a cardinal: leading zero")
    return cardinal_label(int(figures))


def target_of(source: Path, root: Path) -> PurePosixPath:
    """Beside its kind under ``wav/``; another suffix stays in the name, so that a.mp3 and a.wav are two."""
    inside = os.path.relpath(os.path.abspath(source), os.path.abspath(root))
    parts = [part for part in Path(inside).parts if part != ".."]
    name = parts[-1] if parts[-1].lower().endswith(".wav") else f"{parts[-1]}.wav"
    return PurePosixPath("wav", *parts[:-1], name[:-4] + ".wav")
