"""What can be wrong with one row of a manifest, seen alone."""

import math
import os
from enum import StrEnum
from hashlib import blake2b
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
import soundfile

from spoken_numbers.audio import SAMPLE_RATE, is_silent
from spoken_numbers.errors import UserError
from spoken_numbers.labels import LABELS
from spoken_numbers.manifest import FieldError, ManifestError, RowError, Utterance, parse_row

DURATION_TOLERANCE = 0.05
"""Seconds between the row and the recording: encoders pad by less, and NeMo reads ``duration`` seconds of the file."""

LOWEST_SAMPLE_RATE = 8_000
"""Hz. NeMo's AudioSegment resamples any rate, but below the telephone's it is a damaged header and no speech."""


class Audio(StrEnum):
    """How far to look into recordings: not at all, at their headers (50 µs each), or at every sample."""

    NONE = "none"
    HEADERS = "headers"
    SAMPLES = "samples"


class Kind(StrEnum):
    """Kinds of fault, by which they are counted."""

    ROW = "not a JSON object"
    FIELD = "unusable field"
    EMPTY_MANIFEST = "manifest without rows"
    LABEL = "text is no label"
    TOO_SHORT = "too short for its label"
    UNREADABLE = "unreadable recording"
    EMPTY = "empty recording"
    SILENT = "silent recording"
    DURATION = "wrong duration"
    FORMAT = "sample rate or channels"
    DUPLICATE = "duplicate recording"
    RECORDING_LEAK = "recording in two splits"
    SPEAKER_LEAK = "speaker in two splits"


class Fault(NamedTuple):
    """One thing that is wrong; ``error`` says what, where (manifest:line) and what to do."""

    kind: Kind
    error: UserError

    def __str__(self) -> str:
        return str(self.error)


class Inspected(NamedTuple):
    """A row, 8-byte hashes of its recording and speaker (0 if unknown), and its own faults.

    ``utterance`` is None where none could be read.
    """

    manifest: Path
    line: int
    utterance: Utterance | None
    recording: int
    speaker: int
    faults: tuple[Fault, ...]


def inspect(row: tuple[Path, int, bytes], frame_stride: float, audio: Audio) -> Inspected:
    """All faults of one line of a manifest that need no other line to be seen.

    Args:
        row: manifest, line number, line.
        frame_stride: seconds between the model's output frames.
    """
    manifest, line, text = row
    where = f"{manifest}:{line}"
    try:
        utterance = parse_row(text, where)
    except ManifestError as error:
        return Inspected(manifest, line, None, 0, 0, (Fault(_KIND_OF[type(error)], error),))
    faults = _label_faults(utterance, where, frame_stride)
    if audio is Audio.NONE:
        path = os.path.join(os.path.dirname(manifest), os.path.expanduser(utterance.audio_filepath))
    else:
        path = str(utterance.path(manifest))
        faults += _audio_faults(utterance, path, where, audio)
    recording = _hash(os.path.abspath(path))
    return Inspected(manifest, line, utterance, recording, speaker_hash(utterance), tuple(faults))


def speaker_hash(utterance: Utterance) -> int:
    """Speaker 01 of one corpus is not speaker 01 of another."""
    return _hash(f"{utterance.corpus}\0{utterance.speaker}") if utterance.speaker else 0


def _hash(text: str) -> int:
    return int.from_bytes(blake2b(text.encode(errors="surrogatepass"), digest_size=8).digest())


_KIND_OF = {RowError: Kind.ROW, FieldError: Kind.FIELD}


def ctc_frames_needed(label: str) -> int:
    """Fewest frames that CTC can spell ``label`` in: one per symbol and a blank between equal neighbours.

    Graves et al. 2006, https://www.cs.toronto.edu/~graves/icml_2006.pdf. With fewer the loss is infinite, and NeMo's
    ``zero_infinity`` hides that the utterance teaches nothing.
    """
    return len(label) + sum(left == right for left, right in pairwise(label))


def frames(duration: float, frame_stride: float) -> int:
    """Whole output frames in ``duration`` seconds; NeMo's QuartzNet gives as many, or one more."""
    return math.floor(min(duration, 1e9) / frame_stride + 1e-6)


def _label_faults(utterance: Utterance, where: str, frame_stride: float) -> list[Fault]:
    faults = []
    foreign = sorted(set(utterance.text).difference(LABELS))
    if foreign:
        shown = " ".join(f"'{symbol}'" for symbol in foreign[:5]) + (" …" if len(foreign) > 5 else "")
        what = f"text holds {shown}, outside the vocabulary {''.join(LABELS)}"
        todo = "write the label, such as 183*037, and what was said under 'words'"
        faults.append(_fault(Kind.LABEL, what, where, todo))
    there, needed = frames(utterance.duration, frame_stride), ctc_frames_needed(utterance.text)
    if there < needed:
        what = f"{utterance.duration:g} s give {there} frames, but CTC needs {needed} for '{utterance.text[:40]}'"
        faults.append(_fault(Kind.TOO_SHORT, what, where, "correct the label or record it again"))
    return faults


def _audio_faults(utterance: Utterance, path: str, where: str, audio: Audio) -> list[Fault]:
    name = utterance.audio_filepath
    if not os.path.isfile(path):
        return [_fault(Kind.UNREADABLE, f"no such recording: {name}", where, "correct audio_filepath")]
    try:
        with soundfile.SoundFile(os.fsencode(path)) as recording:
            rate, channels, length = recording.samplerate, recording.channels, recording.frames
            sound = _listen(recording) if audio is Audio.SAMPLES else Sound(length, finite=True, silent=False)
    except (soundfile.SoundFileError, OSError) as error:
        reason = getattr(error, "error_string", None) or getattr(error, "strerror", None) or str(error)
        return [_fault(Kind.UNREADABLE, f"cannot decode {name}: {reason}", where, "convert it to WAV")]
    if sound.samples == 0:
        return [_fault(Kind.EMPTY, f"recording has no samples: {name}", where, "record it again")]
    faults = []
    if channels != 1:
        what = f"recording has {channels} channels and NeMo takes one: {name}"
        faults.append(_fault(Kind.FORMAT, what, where, "mix it down to mono"))
    if rate < LOWEST_SAMPLE_RATE:
        what = f"recording has {rate} Hz, less than {LOWEST_SAMPLE_RATE} Hz: {name}"
        faults.append(_fault(Kind.FORMAT, what, where, "export it again"))
    seconds = sound.samples / rate
    if abs(seconds - utterance.duration) > DURATION_TOLERANCE:
        what = f"row says {utterance.duration:g} s, recording lasts {seconds:.3f} s: {name}"
        faults.append(_fault(Kind.DURATION, what, where, f"write {seconds:.3f} as its duration"))
    if not sound.finite:
        what = f"recording holds NaN or infinite samples: {name}"
        faults.append(_fault(Kind.UNREADABLE, what, where, "export it again"))
    elif sound.silent and utterance.text:
        what = f"recording is silent, but its label is '{utterance.text[:40]}': {name}"
        faults.append(_fault(Kind.SILENT, what, where, "record it again, or empty its text to teach silence"))
    return faults


class Sound(NamedTuple):
    samples: int
    finite: bool
    silent: bool


def _listen(recording: soundfile.SoundFile) -> Sound:
    samples, finite, silent = 0, True, True
    for block in recording.blocks(blocksize=30 * SAMPLE_RATE, dtype="float32", always_2d=True):
        samples += len(block)
        finite = finite and bool(np.isfinite(block).all())
        silent = silent and finite and is_silent(block.mean(axis=1))
    return Sound(samples, finite, silent)


def _fault(kind: Kind, what: str, where: str, todo: str) -> Fault:
    return Fault(kind, ManifestError(what, where=where, todo=todo))
