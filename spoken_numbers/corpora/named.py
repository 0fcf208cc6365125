"""Recordings whose path tells who says what: ``jane/seven_2.ogg``."""

import re
from collections.abc import Sequence
from pathlib import Path

from spoken_numbers.corpora.common import LeftOut
from spoken_numbers.corpora.layout import need_folder, some_names
from spoken_numbers.corpora.table import NumbersAre, Row, TextError, make, number_label, target_of
from spoken_numbers.errors import UserError
from spoken_numbers.labels import LabelError, label_of
from spoken_numbers.manifest import Made

BY_FOLDER = "(?P<speaker>[^/]+)/.*"
TODO = "correct the expression, or rename the recording"


def prepare(
    corpus: Path,
    out: Path,
    recordings: str = BY_FOLDER,
    language: str = "en",
    test_speaker: Sequence[str] = (),
    test_fraction: float = 0.1,
    seed: int = 0,
) -> list[Made]:
    """Write 16 kHz mono audio, ``train.json``, and ``test.json`` if anything is held out.

    Args:
        recordings: regular expression that the whole of a path below ``corpus`` must match, ``/`` between its parts.
            Its group ``speaker`` names the speaker, its group ``number`` what is said: digits, or words of the
            language. Without a group ``number``, or where that takes no part, no number is said.
        test_speaker: held out of training; without any, a ``test_fraction`` of the speakers.

    Raises:
        LayoutError: no such folder.
        UserError: no expression, one that nothing matches, no such test speaker, or ``out`` was made with other
            options.
    """
    need_folder(corpus, ".", recordings)
    try:
        expression = re.compile(recordings)
    except re.error as error:
        raise UserError(f"no regular expression: {error}", where=recordings, todo="correct --recordings") from None
    if "speaker" not in expression.groupindex:
        raise UserError("no group named speaker", where=recordings, todo=f"name one, as in {BY_FOLDER}")
    label_of("", language)  # an unknown language is an error of the command, not of each recording
    left_out, rows = LeftOut(), []
    for path in sorted(corpus.rglob("*")):
        inside = path.relative_to(corpus).as_posix()
        if (found := expression.fullmatch(inside)) is None or not path.is_file():
            continue
        number = found.groupdict().get("number") or ""
        try:
            label = number_label(number, NumbersAre.DIGITS, language)
        except LabelError as error:
            left_out.add("train", TextError.reason, TextError(error.what, where=str(path), todo=TODO))
            continue
        rows.append(Row(str(path), path, target_of(path, corpus), number, label, found["speaker"] or ""))
    if not rows:
        raise UserError(
            f"no recording matches {recordings}",
            where=f"{corpus}, with {some_names(corpus)}",
            todo="correct --recordings",
        )
    options = {"corpus": corpus.name, "recordings": recordings, "language": language}
    return make(rows, left_out, out, corpus.name, options, (test_speaker, test_fraction, seed), str(corpus))
