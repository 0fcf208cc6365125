"""CMU AN4: census answers said close to a microphone; many are numbers."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby
from pathlib import Path

from spoken_numbers.corpora.common import (
    DIGIT_WORDS,
    UNREADABLE,
    Conversion,
    LeftOut,
    convert,
    hold_out,
    write_manifest,
)
from spoken_numbers.corpora.layout import LayoutError, need_file, need_folder, refuse_twice
from spoken_numbers.errors import UserError
from spoken_numbers.labels import LabelError, label_of, number_words
from spoken_numbers.manifest import Made, Utterance
from spoken_numbers.stamp import stamp

EXPECTED = "etc/an4_train.transcription, etc/an4_train.fileids and wav/an4_clstk/{speaker}/{utterance}.sph"
LINE = re.compile(r"(?:<s>)?(.*?)(?:</s>)?\s*\(([^()]+)\)")
SAID_AS_DIGITS = {*DIGIT_WORDS, "oh"}


class Rest(StrEnum):
    """What becomes of utterances that are not just a number."""

    NONE = "none"
    EMPTY = "empty"
    DIGITS = "digits"


@dataclass(frozen=True, slots=True)
class Recording:
    path: Path
    words: str
    speaker: str


def prepare(
    corpus: Path,
    out: Path,
    test_speaker: Sequence[str] = (),
    test_fraction: float = 0.2,
    rest: Rest = Rest.NONE,
    seed: int = 0,
) -> list[Made]:
    """Write 16 kHz mono audio, ``train.json`` and ``test.json`` of the utterances that are numbers.

    Layout (http://www.speech.cs.cmu.edu/databases/an4/): ``etc/an4_train.{transcription,fileids}`` and
    ``wav/an4_clstk/{speaker}/{utterance}.sph``, and the same for the published test part (``an4_test``,
    ``an4test_clstk``), which becomes ``published_test.json`` where it is there. Speakers' names begin with f or m,
    their sex; both are held out in the same share.

    Args:
        test_speaker: held out of training; without any, a ``test_fraction`` of the women and of the men.
        rest: other utterances (spelled words, YES, months) are left out and counted, or written to
            ``{split}_rest.json`` with an empty label, or with the digits that they hold.

    Raises:
        LayoutError: no such files, or transcriptions and recordings that do not belong together.
        UserError: no such test speaker, or ``out`` was made with other options.
    """
    recordings = {"train": _recordings(corpus, "train", "an4_clstk")}
    if (corpus / "etc" / "an4_test.transcription").exists():
        recordings["published_test"] = _recordings(corpus, "test", "an4test_clstk")
    speakers = [recording.speaker for recording in recordings["train"]]
    held = hold_out(speakers, test_speaker, test_fraction, seed, group=lambda speaker: speaker[0])
    stamp(out, {"corpus": "an4", "test_speakers": sorted(held)})

    by_split: dict[str, list[Recording]] = {"train": [], "test": [], **recordings}
    by_split["train"] = [one for one in recordings["train"] if one.speaker not in held]
    by_split["test"] = [one for one in recordings["train"] if one.speaker in held]
    made: list[Made] = []
    for split, ones in by_split.items():
        made += _prepare_split(split, ones, out, rest)
    return made


def _recordings(corpus: Path, part: str, folder: str) -> list[Recording]:
    need_folder(corpus, "etc", EXPECTED)
    need_folder(corpus, "wav", EXPECTED)
    transcription = need_file(corpus, f"etc/an4_{part}.transcription", EXPECTED)
    fileids = need_file(corpus, f"etc/an4_{part}.fileids", EXPECTED).read_text(encoding="utf-8").split()
    refuse_twice(fileids, f"etc/an4_{part}.fileids")
    place = {Path(fileid).name: corpus / "wav" / f"{fileid}.sph" for fileid in fileids}
    recordings = []
    for number, line in enumerate(transcription.read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip():
            continue
        match = LINE.fullmatch(line.strip())
        if match is None or match[2] not in place:
            raise LayoutError(
                "expected WORDS (utterance) with the utterance in the fileids",
                where=f"{transcription}:{number}",
                todo="give the corpus as it was unpacked",
            )
        path = place[match[2]]
        recordings.append(Recording(path, match[1].strip().lower(), path.parent.name))
    return recordings


def _prepare_split(split: str, recordings: Sequence[Recording], out: Path, rest: Rest) -> list[Made]:
    left_out = LeftOut()
    labelled = [(one, _number(one.words)) for one in recordings]
    wanted = [(one, label) for one, label in labelled if label is not None or rest is not Rest.NONE]
    for _ in range(len(labelled) - len(wanted)):
        left_out.add(split, "utterance that is not just a number")
    jobs = [Conversion(one.path, out / "wav" / one.speaker / f"{one.path.stem}.wav") for one, _ in wanted]
    numbers: list[Utterance] = []
    others: list[Utterance] = []
    for (one, label), job, duration in zip(wanted, jobs, convert(jobs, f"an4 {split}"), strict=True):
        if isinstance(duration, UserError):
            left_out.add(split if label is not None else f"{split}_rest", UNREADABLE, duration)
            continue
        path = job.target.relative_to(out).as_posix()
        if label is not None:
            numbers.append(Utterance(path, duration, label, one.speaker, "an4", _style(one.words, label), one.words))
        else:
            text = "" if rest is Rest.EMPTY else "".join(_numbers_in(one.words))
            others.append(Utterance(path, duration, text, one.speaker, "an4", "rest", one.words))
    made = [write_manifest(out, split, numbers, left_out)]
    if rest is not Rest.NONE:
        made.append(write_manifest(out, f"{split}_rest", others, left_out))
    return made


def _number(words: str) -> str | None:
    try:
        return label_of(words) or None
    except LabelError:
        return None


def _numbers_in(words: str) -> Iterator[str]:
    """Labels of the longest runs of number words, in order; a run that is no number gives those of its words.

    "and" belongs to a number only inside it ("eight hundred and six"), and AN4's "a" is the letter.
    """
    known = number_words() - {"a"}
    for counts, group in groupby(words.split(), key=known.__contains__):
        run = " ".join(group).removeprefix("and ").removesuffix(" and")
        if counts:
            whole = _number(run)
            yield from [whole] if whole else [label for one in run.split() if (label := _number(one))]


def _style(words: str, label: str) -> str:
    if "*" in label:
        return "cardinal"
    return "digits" if set(words.split()) <= SAID_AS_DIGITS else "groups"
