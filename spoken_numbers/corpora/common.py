"""What every recipe does: split by speaker, convert each file once, write a manifest per split."""

import os
import random
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol, TypeVar

import soundfile

from spoken_numbers import audio, manifest
from spoken_numbers.corpora.layout import few
from spoken_numbers.errors import UserError
from spoken_numbers.labels import speak
from spoken_numbers.manifest import Made, Utterance
from spoken_numbers.parallel import map_each

DIGIT_WORDS = tuple(speak("0123456789", "digits").words.split())
UNREADABLE = "recording that cannot be read or is silent"


@dataclass(frozen=True, slots=True)
class Conversion:
    """A recording as published, and the 16 kHz mono 16-bit WAV to be made of it."""

    source: Path
    target: Path

    @property
    def sources(self) -> tuple[Path, ...]:
        return (self.source,)


class Job(Protocol):
    """A file to make out of others."""

    @property
    def target(self) -> Path: ...
    @property
    def sources(self) -> tuple[Path, ...]: ...


J = TypeVar("J", bound=Job)


class LeftOut:
    """Rows that did not make it, counted by split and reason; those worth a look are named on stderr."""

    def __init__(self) -> None:
        self.by_split: dict[str, Counter[str]] = {}

    def add(self, split: str, reason: str, error: UserError | None = None) -> None:
        self.by_split.setdefault(split, Counter())[reason] += 1
        if error is not None:
            print(f"left out: {error}", file=sys.stderr)

    def of(self, split: str) -> dict[str, int]:
        return dict(self.by_split.get(split, {}))


def hold_out(
    speakers: Iterable[str],
    named: Sequence[str],
    fraction: float,
    seed: int,
    group: Callable[[str], str] = lambda speaker: "",
) -> set[str]:
    """The test speakers: those named, or a random ``fraction`` of each group (of two or more), at least one.

    Raises:
        UserError: a named speaker is not in the corpus, or nobody is left to train on.
    """
    there = sorted(set(speakers))
    if unknown := sorted(set(named) - set(there)):
        raise UserError(
            f"no speaker {few(repr(name) for name in unknown)} in this corpus",
            where="--test-speaker",
            todo=f"choose among {few(there, 80)}",
        )
    held = set(named)
    if not named and fraction > 0:
        groups: dict[str, list[str]] = {}
        for speaker in there:
            groups.setdefault(group(speaker), []).append(speaker)
        for key, members in sorted(groups.items()):
            if len(members) > 1:
                random.Random(f"hold out {seed} {key}").shuffle(members)
                held.update(members[: max(1, round(fraction * len(members)))])
    if held >= set(there):
        raise UserError(
            "every speaker is held out, none is left to train on", where=few(there), todo="hold out fewer speakers"
        )
    return held


def convert(conversions: Sequence[Conversion], what: str) -> list[float | UserError]:
    """Durations in seconds, in order; a file that cannot be read, or is silent, gives its error in place of one."""
    return make_missing(_convert, conversions, what)


def make_missing(work: Callable[[J], float], jobs: Sequence[J], what: str) -> list[float | UserError]:
    """``work`` (which returns a duration) for each job whose target is not there or older than a source of it."""
    results: list[float | UserError | None] = [_made_before(job) for job in jobs]
    missing = [index for index, result in enumerate(results) if result is None]
    if jobs and not missing:
        print(f"{what}: all {len(jobs)} are already there", file=sys.stderr)
    fresh = map_each(work, [jobs[index] for index in missing], what=what, named=lambda job: str(job.sources[0]))
    for index, result in zip(missing, fresh, strict=True):
        results[index] = result
    return [result for result in results if result is not None]


def write_manifest(out: Path, split: str, rows: Iterable[Utterance], left_out: LeftOut) -> Made:
    """``out/split.json``, with what was left out of that split."""
    return replace(manifest.write(out / f"{split}.json", rows), left_out=left_out.of(split))


def _made_before(job: Job) -> float | None:
    try:
        made = job.target.stat().st_mtime
        if any(made < source.stat().st_mtime for source in job.sources):
            return None
        info = soundfile.info(os.fsencode(job.target))
    except (OSError, soundfile.LibsndfileError):
        return None
    return float(info.frames / info.samplerate)


def _convert(conversion: Conversion) -> float:
    waveform = audio.read(conversion.source)
    if audio.is_silent(waveform):
        raise audio.AudioError("recording is silent", where=str(conversion.source), todo="remove it")
    return audio.write(conversion.target, waveform)
