"""Clips cut from recordings: each recording is worked on once, leaves a record, and is on one side of the split."""

import json
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol, TypeVar

from spoken_numbers import clip_manifest
from spoken_numbers.clip_manifest import Clip
from spoken_numbers.corpora.common import UNREADABLE, LeftOut, hold_out
from spoken_numbers.corpora.layout import few, need_folder, wrong_layout
from spoken_numbers.errors import UserError
from spoken_numbers.files import written_whole
from spoken_numbers.manifest import Made
from spoken_numbers.parallel import map_each

AUDIO = {".wav", ".flac", ".ogg", ".mp3", ".opus", ".m4a", ".aac", ".aif", ".aiff", ".sph"}


@dataclass(frozen=True, slots=True)
class Pieces:
    """The clips of one recording, and what of it was left out (reason → count)."""

    clips: tuple[Clip, ...]
    left_out: dict[str, int]


class Job(Protocol):
    """A recording to cut, or a room to simulate; ``name`` is its place under ``wav/``, without a suffix."""

    @property
    def name(self) -> str: ...
    @property
    def sources(self) -> tuple[Path, ...]: ...


J = TypeVar("J", bound=Job)


def recordings_in(corpus: Path, out: Path, expected: str) -> list[Path]:
    """Every audio file below ``corpus``, by name, in a fixed order; hidden ones and those below ``out`` are not read.

    Raises:
        LayoutError: no such folder, or none in it.
    """
    need_folder(corpus, ".", expected)
    made, found = os.path.realpath(out), []
    for folder, subfolders, names in os.walk(corpus):
        subfolders[:] = sorted(
            name
            for name in subfolders
            if not name.startswith(".") and os.path.realpath(os.path.join(folder, name)) != made
        )
        found += [
            Path(folder, name)
            for name in names
            if os.path.splitext(name)[1].lower() in AUDIO and not name.startswith(".")
        ]
    if not found:
        raise wrong_layout(corpus, expected)
    return sorted(found)


def names_of(paths: Iterable[Path], corpus: Path) -> dict[Path, str]:
    """A name for each recording: its path below ``corpus`` without the suffix, with it where two would be alike."""
    relative = {path: path.relative_to(corpus) for path in paths}
    plain = {path: short.with_suffix("").as_posix() for path, short in relative.items()}
    count = Counter(plain.values())
    return {path: name if count[name] == 1 else relative[path].as_posix() for path, name in plain.items()}


def held_out(
    there: Iterable[str],
    what: str,
    named: Sequence[str],
    fraction: float,
    seed: int,
    group: Callable[[str], str] = lambda name: "",
) -> set[str]:
    """``hold_out`` for sources and rooms: those named (``--test-{what}``), or a random ``fraction`` of each group."""
    known = sorted(set(there))
    if unknown := sorted(set(named) - set(known)):
        raise UserError(
            f"no {what} {few(repr(name) for name in unknown)} in this corpus",
            where=f"--test-{what}",
            todo=f"choose among {few(known, 40)}",
        )
    if set(named) >= set(known):
        raise UserError(
            f"every {what} is held out, none is left to train on", where=few(known), todo=f"hold out fewer {what}s"
        )
    return hold_out(known, named, fraction, seed, group)


def make_pieces(
    work: Callable[[J], Pieces], jobs: Sequence[J], out: Path, what: str, unit: str = "file"
) -> list[Pieces | UserError]:
    """``work`` for each job, in order; what is already there, and not older than its sources, is not made again.

    ``work`` writes the clips below ``out``; its answer is kept beside them as ``wav/{name}.json``, which appears last.
    """
    results: list[Pieces | UserError | None] = [_made_before(job, out) for job in jobs]
    missing = [index for index, result in enumerate(results) if result is None]
    if jobs and not missing:
        print(f"{what}: all {len(jobs)} are already there", file=sys.stderr)
    todo = [jobs[index] for index in missing]
    fresh = map_each(partial(_make, work, out), todo, what=what, unit=unit, named=lambda job: job.name)
    for index, result in zip(missing, fresh, strict=True):
        results[index] = result
    return [result for result in results if result is not None]


def write_splits(
    out: Path, results: Iterable[tuple[str, Pieces | UserError]], before: Mapping[str, Mapping[str, int]]
) -> list[Made]:
    """``train.json`` and ``test.json`` of (split, pieces); ``before`` is what was left out unread, by split."""
    clips: dict[str, list[Clip]] = {"train": [], "test": []}
    left_out = LeftOut()
    counts = {split: dict(before.get(split, {})) for split in clips}
    for split, result in results:
        if isinstance(result, UserError):
            left_out.add(split, UNREADABLE, result)
            continue
        clips[split] += result.clips
        for reason, count in result.left_out.items():
            counts[split][reason] = counts[split].get(reason, 0) + count
    return [
        clip_manifest.write(out / f"{split}.json", clips[split], {**counts[split], **left_out.of(split)})
        for split in clips
    ]


def _record(name: str, out: Path) -> Path:
    return out / "wav" / f"{name}.json"


def _make(work: Callable[[J], Pieces], out: Path, job: J) -> Pieces:
    pieces = work(job)
    told = {"clips": [clip_manifest.to_row(clip) for clip in pieces.clips], "left_out": pieces.left_out}
    with written_whole(_record(job.name, out)) as temporary:
        temporary.write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8", errors="backslashreplace")
    return pieces


def _made_before(job: Job, out: Path) -> Pieces | None:
    record = _record(job.name, out)
    try:
        made = record.stat().st_mtime
        if any(made < source.stat().st_mtime for source in job.sources):
            return None
        told = json.loads(record.read_text(encoding="utf-8"))
        clips = tuple(clip_manifest.from_row(row) for row in told["clips"])
        whole = all((out / clip.audio_filepath).is_file() for clip in clips)
        return Pieces(clips, dict(told["left_out"])) if whole else None
    except (OSError, ValueError, KeyError, TypeError):
        return None
