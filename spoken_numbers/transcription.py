"""Many recordings → records of what was heard, in order, over processes; a broken one costs only itself."""

import csv
import glob
import io
import json
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache, partial
from pathlib import Path
from typing import BinaryIO

from spoken_numbers.audio import AudioError, FloatArray
from spoken_numbers.decoding.bound import Bound, decoder_of
from spoken_numbers.decoding.decoded import Character
from spoken_numbers.errors import UserError, on_one_line
from spoken_numbers.microphone import microphone
from spoken_numbers.parallel import map_each
from spoken_numbers.recognizer import Recognizer
from spoken_numbers.recording import stream
from spoken_numbers.voice_activity import RATE, Utterance, VoiceActivity

SUFFIXES = frozenset(
    f".{name}"
    for name in "aac aif aiff amr au flac gsm m4a mp3 oga ogg opus sph wav webm wma".split()  # noqa: SIM905
)
"""What is taken from a folder; a file that is named itself may have any."""

UNBOUND = Bound()

COLUMNS = ("recording", "start", "end", "digits", "label", "confidence")


@dataclass(frozen=True, slots=True)
class Record:
    """What was heard in a recording, or in one utterance of it."""

    recording: str
    start: float
    """Seconds from the recording's beginning."""
    end: float
    digits: str
    label: str
    confidence: float
    characters: tuple[Character, ...]
    """Their times count from the recording's beginning."""


Source = tuple[str, str | bytes]
"""What a recording is called, and its path or the bytes of its file."""


def sources(given: Sequence[str], stdin: BinaryIO) -> Iterator[Source | UserError]:
    """Files, the recordings in folders, those that a pattern matches, and ``-``: audio, or paths, one a line."""
    for one in given:
        if one == "-":
            content = stdin.read()
            if b"\0" in content[:4096]:  # as every audio file has, and no list of paths
                yield "-", content
            else:
                lines = os.fsdecode(content).splitlines()
                yield from sources([line for line in lines if line not in ("", "-")], stdin)
        elif os.path.isdir(one):
            found = sorted(str(path) for path in Path(one).rglob("*") if path.suffix.lower() in SUFFIXES)
            yield from _some(found, one, "no recordings in folder")
        elif not os.path.exists(one) and glob.has_magic(one):
            yield from _some(sorted(glob.glob(one, recursive=True)), one, "no recording matches")
        else:
            yield one, one


def _some(found: list[str], where: str, what: str) -> Iterator[Source | UserError]:
    if not found:
        yield AudioError(what, where=where, todo="check the path")
    yield from ((path, path) for path in found)


def transcribe(
    model: Path,
    recordings: Sequence[Source],
    *,
    by_utterance: bool = False,
    bound: Bound = UNBOUND,
    threads: int = 1,
    processes: int = 1,
) -> Iterator[list[Record] | UserError]:
    """The records of each recording in order, or why it cannot be read.

    Args:
        by_utterance: a record for each utterance that voice activity tells, none for silence; else one a recording.
        bound: what is known of the number in each record, where recordings of more than 12 s have one in each piece.

    Raises:
        GrammarError: no number is within the bound.
        OnnxModelError: a model that cannot be used.
        UserError: no voice-activity detector is installed.
    """
    _recognizer(model, threads, bound)
    if by_utterance:
        _voice_activity()
    work = partial(_records, model, threads, bound, by_utterance)
    # Processes begin afresh, since one that is forked from ONNX Runtime's threads may hang.
    return map_each(work, recordings, jobs=processes, named=lambda source: source[0], quiet=True, start_method="spawn")


def listen(model: Path, device: str, *, bound: Bound = UNBOUND, threads: int = 1) -> Iterator[Record]:
    """A record for each utterance at a microphone, half a second after it ends; until interrupted.

    Args:
        device: its name, a part of it, or its number; "" for the system's default.

    Raises:
        GrammarError, OnnxModelError: as ``transcribe``.
        UserError: no such device, no sound library, no voice-activity detector.
    """
    return _by_utterance(_recognizer(model, threads, bound), "microphone", microphone(device, RATE))


def _records(model: Path, threads: int, bound: Bound, by_utterance: bool, source: Source) -> list[Record]:
    recognizer = _recognizer(model, threads, bound)
    name, recording = source
    if by_utterance:
        return list(_by_utterance(recognizer, name, stream(recording, None, RATE)))
    heard = recognizer.transcribe(recording)
    return [Record(name, 0.0, heard.seconds, heard.digits, heard.label, heard.confidence, heard.characters)]


def _by_utterance(recognizer: Recognizer, name: str, blocks: Iterator[FloatArray]) -> Iterator[Record]:
    return (_record(recognizer, name, utterance) for utterance in _voice_activity().utterances(blocks))


def _record(recognizer: Recognizer, name: str, utterance: Utterance) -> Record:
    heard = recognizer.transcribe(utterance.waveform, sample_rate=RATE)
    start = utterance.start
    characters = tuple(
        Character(one.label, start + one.start, start + one.end, one.confidence) for one in heard.characters
    )
    return Record(name, start, start + heard.seconds, heard.digits, heard.label, heard.confidence, characters)


@cache
def _recognizer(model: Path, threads: int, bound: Bound) -> Recognizer:
    return Recognizer(model, threads, decoder_of(bound))


_voice_activity = cache(VoiceActivity)


def sure(record: Record, least: float) -> Record:
    """The record, without its number where its confidence is below ``least``: no number rather than a wrong one."""
    return record if record.confidence >= least else replace(record, digits="", label="", characters=())


def as_text(record: Record, by_utterance: bool = False) -> str:
    """Digits, a tab and the path; of an utterance, its start and end in seconds after them."""
    times = f"\t{record.start:.2f}\t{record.end:.2f}" if by_utterance else ""
    return f"{record.digits}\t{on_one_line(record.recording)}{times}"


def as_json(record: Record) -> str:
    """One line."""
    return json.dumps(_rounded(asdict(record)))


def as_csv(record: Record) -> str:
    """A row of ``COLUMNS``."""
    return csv_row([getattr(record, column) for column in COLUMNS])


def csv_row(values: Sequence[object]) -> str:
    row = io.StringIO()
    csv.writer(row, lineterminator="").writerow(map(_rounded, values))
    return row.getvalue()


def _rounded(value: object) -> object:
    if isinstance(value, float):
        return round(value, 4)
    if isinstance(value, dict):
        return {key: _rounded(one) for key, one in value.items()}
    return [_rounded(one) for one in value] if isinstance(value, list | tuple) else value


FORMATS: dict[str, Callable[[Record], str]] = {"text": as_text, "json": as_json, "csv": as_csv}
