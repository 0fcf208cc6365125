"""All that is wrong with manifests, before it costs a training run."""

import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from pathlib import Path

from spoken_numbers.batch import DeadProcessError
from spoken_numbers.errors import UserError
from spoken_numbers.files import written_whole
from spoken_numbers.manifest import Made, ManifestError, parse_row, rows, split_by_commas
from spoken_numbers.parallel import map_each
from spoken_numbers.row_check import Audio, Fault, Inspected, Kind, inspect, speaker_hash

FRAME_STRIDE = 0.02
"""Seconds between QuartzNet's output frames: a hop of 10 ms, halved by the prologue's stride."""


@dataclass
class Summary:
    """What one manifest holds: all rows that can be read, good or not; complete when the check's faults are spent."""

    path: Path
    rows: int = 0
    utterances: int = 0
    seconds: float = 0.0
    speakers: set[int] = field(default_factory=set)
    styles: Counter[str] = field(default_factory=Counter)
    label_lengths: Counter[int] = field(default_factory=Counter)
    faults: Counter[Kind] = field(default_factory=Counter)
    left_out: Counter[Kind] = field(default_factory=Counter)
    bad_lines: bytearray = field(default_factory=bytearray)

    @property
    def good(self) -> int:
        return self.rows - self.left_out.total()

    def is_good(self, line: int) -> bool:
        return not (line < len(self.bad_lines) and self.bad_lines[line])

    def _add(self, row: Inspected, faults: Sequence[Fault]) -> None:
        self.rows += 1
        if (utterance := row.utterance) is not None:
            self.utterances += 1
            self.seconds += utterance.duration
            self.styles[utterance.style] += 1
            self.label_lengths[len(utterance.text)] += 1
            if row.speaker:
                self.speakers.add(row.speaker)
        self.faults.update(fault.kind for fault in faults)
        if faults:
            self.left_out[faults[0].kind] += 1
            self.bad_lines.extend(bytes(row.line + 1 - len(self.bad_lines)))
            self.bad_lines[row.line] = 1


class Check:
    """Faults of manifests, found while they are iterated over (once), and then a summary of each."""

    def __init__(self, manifests: Sequence[Path], faults: Iterator[Fault], summaries: list[Summary]) -> None:
        self.manifests, self.summaries, self._faults = manifests, summaries, faults

    def __iter__(self) -> Iterator[Fault]:
        return self._faults


def check(
    manifests: Sequence[Path],
    *,
    frame_stride: float = FRAME_STRIDE,
    audio: Audio = Audio.SAMPLES,
    jobs: int | None = None,
    splits: Sequence[int] | None = None,
    sharded: Sequence[Path] = (),
) -> Check:
    """Every fault of every row, in order, in bounded memory: 164 MB for a million rows, of which none is kept.

    A row is compared with the good rows before it: a recording must appear once, and neither a recording nor a
    speaker (of one corpus) in two splits. The first keeps it, so name the split to protect first.

    Args:
        frame_stride: seconds between the model's output frames, for the shortest utterance that CTC can learn from.
        audio: how far to look into the recordings. They must be what NeMo's AudioSegment loads as training needs it:
            libsndfile decodes it, mono, any rate from 8 kHz. Silence is a fault only under a label.
        jobs: processes; all cores by default. Without audio, and for headers alone by default, this one suffices.
        splits: which split each manifest belongs to; each is its own by default.
        sharded: those of the manifests whose recordings stand in shards; they are not looked at.

    Raises:
        ManifestError: a manifest is missing, unreadable or given twice (before any row is read).
    """
    paths, audio = [Path(manifest) for manifest in manifests], Audio(audio)
    _refuse_twice(paths)
    total = sum(_count_lines(path) for path in paths)
    if audio is Audio.NONE:
        jobs = 1
    elif audio is Audio.HEADERS:
        jobs = jobs or 1
    summaries = [Summary(path) for path in paths]
    lines = ((path, number, line) for path in paths for number, line in rows(path))
    work = partial(_inspect, frame_stride=frame_stride, audio=audio, sharded=frozenset(sharded))
    inspected = map_each(
        work, lines, what="check", unit="row", jobs=jobs, total=total, named=lambda row: f"{row[0]}:{row[1]}"
    )
    by_path = dict(zip(paths, splits or range(len(paths)), strict=True))
    return Check(paths, _faults(inspected, by_path, summaries), summaries)


def _inspect(row: tuple[Path, int, bytes], frame_stride: float, audio: Audio, sharded: frozenset[Path]) -> Inspected:
    return inspect(row, frame_stride, Audio.NONE if row[0] in sharded else audio)


def check_before_training(
    train: Sequence[Path],
    validation: Sequence[Path],
    frame_stride: float = FRAME_STRIDE,
    audio: Audio = Audio.HEADERS,
    jobs: int | None = None,
    sharded: Sequence[Path] = (),
) -> None:
    """Refuse faulty manifests in seconds rather than after hours; 30 000 rows take about three.

    A speaker in training and validation is warned of and no more: whoever records only themselves has no other.

    Raises:
        ManifestError: the first three faults and how many there are.
    """
    manifests, splits = [*train, *validation], [0] * len(train) + [1] * len(validation)
    faults = check(manifests, frame_stride=frame_stride, audio=audio, jobs=jobs, splits=splits, sharded=sharded)
    found = _without_speaker_leaks(faults)
    first = [f"{fault.error.what} ({fault.error.where})" for fault in islice(found, 3)]
    if not first:
        return
    total = len(first) + sum(1 for _ in found)
    given = (",".join(map(str, split)) for split in (train, validation) if split)
    more = f"; and {total - len(first)} more" if total > len(first) else ""
    raise ManifestError(
        f"{total} {'fault' if total == 1 else 'faults'} in the manifests: {'; '.join(first)}{more}",
        todo=f"scripts/check_manifest.py {' '.join(given)} --fix",
    )


def _without_speaker_leaks(faults: Iterable[Fault]) -> Iterator[Fault]:
    leaks = 0
    for fault in faults:
        if fault.kind is Kind.SPEAKER_LEAK:
            leaks += 1
        else:
            yield fault
    if leaks:
        print(f"warning: {leaks} validation rows are of speakers also trained on; they flatter", file=sys.stderr)


def splits_of(arguments: Sequence[str]) -> tuple[list[Path], list[int]]:
    """Manifests and the split of each: one split per argument, its manifests joined by commas as NeMo takes them."""
    pairs = [(path, split) for split, argument in enumerate(arguments) for path in split_by_commas(argument)]
    return [path for path, _ in pairs], [split for _, split in pairs]


def write_good(summary: Summary) -> Made | None:
    """Copy the good rows, byte for byte, to ``NAME.fixed.SUFFIX`` beside the manifest; None when all or none are good.

    The source is never written to, and relative paths stay right because the copy lies in the same folder.
    """
    if not summary.left_out or not summary.good:
        return None
    count, seconds, speakers, target = 0, 0.0, set(), fixed_path(summary.path)
    with written_whole(target) as temporary, temporary.open("wb") as out:
        for number, line in rows(summary.path):
            if summary.is_good(number):
                utterance = parse_row(line, f"{summary.path}:{number}")
                out.write(line if line.endswith(b"\n") else line + b"\n")
                count, seconds = count + 1, seconds + utterance.duration
                speakers.add(speaker_hash(utterance))
    left_out = {str(kind): rows_left_out for kind, rows_left_out in summary.left_out.items()}
    return Made(target, count, seconds / 3600, len(speakers - {0}), left_out)


def fixed_path(manifest: Path) -> Path:
    return manifest.with_name(f"{manifest.stem}.fixed{manifest.suffix or '.json'}")


def refuse_to_overwrite(manifests: Sequence[Path]) -> None:
    """
    Raises:
        ManifestError: fixing one of the manifests would overwrite another of them.
    """
    sources = {manifest.resolve() for manifest in manifests}
    for manifest in manifests:
        if fixed_path(manifest).resolve() in sources:
            todo = "rename it, or fix them one by one"
            raise ManifestError("--fix would overwrite this manifest", where=str(fixed_path(manifest)), todo=todo)


def _faults(
    inspected: Iterable[Inspected | UserError], splits: dict[Path, int], summaries: list[Summary]
) -> Iterator[Fault]:
    summary_of = {summary.path: summary for summary in summaries}
    seen = _Seen(splits)
    for row in inspected:
        if isinstance(row, DeadProcessError):
            row = _unreadable(row)
        if isinstance(row, UserError):  # inspect() reports, it does not raise
            raise row
        faults = row.faults if row.utterance is None else (*row.faults, *seen.faults(row))
        if not faults:
            seen.add(row)
        summary_of[row.manifest]._add(row, faults)
        yield from faults
    for summary in summaries:
        if summary.rows == 0:
            summary.faults[Kind.EMPTY_MANIFEST] += 1
            error = ManifestError("manifest has no rows", where=str(summary.path), todo="prepare its corpus again")
            yield Fault(Kind.EMPTY_MANIFEST, error)


def _unreadable(dead: DeadProcessError) -> Inspected:
    manifest, line, _ = dead.item
    return Inspected(manifest, line, None, 0, 0, (Fault(Kind.UNREADABLE, dead),))


class _Seen:
    """Good rows so far, as 8-byte hashes → place: two of a million collide once in 37 million manifests."""

    def __init__(self, splits: dict[Path, int]) -> None:
        self.splits, self.manifests = splits, list(splits)
        self.index = {path: index for index, path in enumerate(self.manifests)}
        self.recordings: dict[int, int] = {}
        self.speakers: dict[int, int] = {}

    def add(self, row: Inspected) -> None:
        place = row.line * len(self.manifests) + self.index[row.manifest]
        self.recordings[row.recording] = place
        if row.speaker:
            self.speakers.setdefault(row.speaker, place)

    def faults(self, row: Inspected) -> Iterator[Fault]:
        assert row.utterance is not None
        before = self.recordings.get(row.recording)
        if before is not None:
            where, (manifest, place) = f"{row.manifest}:{row.line}", self._place(before)
            leak = self.splits[manifest] != self.splits[row.manifest]
            what = f"recording is in {place} too: {row.utterance.audio_filepath}"
            kind = Kind.RECORDING_LEAK if leak else Kind.DUPLICATE
            yield Fault(kind, ManifestError(what, where=where, todo="keep one of the rows"))
        before = self.speakers.get(row.speaker)
        if before is not None:
            where, (manifest, place) = f"{row.manifest}:{row.line}", self._place(before)
            if self.splits[manifest] != self.splits[row.manifest]:
                what = f"speaker '{row.utterance.speaker}' is in {place} too"
                todo = "keep each speaker in one split"
                yield Fault(Kind.SPEAKER_LEAK, ManifestError(what, where=where, todo=todo))

    def _place(self, place: int) -> tuple[Path, str]:
        line, index = divmod(place, len(self.manifests))
        return self.manifests[index], f"{self.manifests[index]}:{line}"


def _count_lines(path: Path) -> int:
    """Roughly, for the bar; and a missing manifest is found before hours of work on another."""
    for _ in rows(path):
        break
    with path.open("rb") as file:
        return sum(block.count(b"\n") for block in iter(partial(file.read, 1 << 20), b""))


def _refuse_twice(manifests: list[Path]) -> None:
    for path, times in Counter(manifest.resolve() for manifest in manifests).items():
        if times > 1:
            raise ManifestError("manifest is given twice", where=str(path), todo="name it once")
