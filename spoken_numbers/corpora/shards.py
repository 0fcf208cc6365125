"""Manifests → NeMo tarred datasets: recordings in a few large files that are read from front to back.

NeMo's layout (https://docs.nvidia.com/nemo-framework/user-guide/latest/nemotoolkit/asr/datasets.html#tarred-datasets):
``audio_0.tar``, ``audio_1.tar``, … of FLAC files, and ``tarred_audio_manifest.json``, whose rows tell their shard as
``shard_id``. NeMo's tarred dataset and its Lhotse loader both read them; Lhotse Shar only the latter reads.
"""

import json
import sys
import tarfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from hashlib import file_digest, sha256
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np

from spoken_numbers import audio
from spoken_numbers.corpora.common import LeftOut
from spoken_numbers.errors import UserError
from spoken_numbers.files import written_whole
from spoken_numbers.manifest import Made, ManifestError, parse_row, rows
from spoken_numbers.manifest_check import FRAME_STRIDE
from spoken_numbers.parallel import map_each
from spoken_numbers.row_check import DURATION_TOLERANCE, Audio, Fault, Kind, inspect
from spoken_numbers.stamp import stamp

MANIFEST = "tarred_audio_manifest.json"
RECORDS = "shards"
"""Folder of a JSON file for each finished shard: what it holds, and of what recordings it was made."""


class ShardError(UserError):
    """Shards that cannot be made or read."""


@dataclass(frozen=True)
class Row:
    """A line of a source manifest; ``index`` counts over all of them, and names the recording in its shard."""

    index: int
    manifest: Path
    number: int
    line: bytes


@dataclass(frozen=True)
class Shard:
    out: Path
    shard_id: int
    rows: list[Row]

    @property
    def tar(self) -> Path:
        return tar_path(self.out, self.shard_id)

    @property
    def record(self) -> Path:
        return self.out / RECORDS / f"{self.shard_id}.json"


@dataclass
class Record:
    """A finished shard. ``made_of`` digests its rows and the size and time of each recording."""

    made_of: str
    bytes: int = 0
    sha256: str = ""
    rows: list[tuple[int, dict[str, Any]]] = field(default_factory=list)
    left_out: list[tuple[str, str, str, str]] = field(default_factory=list)


def tar_path(folder: Path, shard_id: int) -> Path:
    return folder / f"audio_{shard_id}.tar"


def recorded_bytes(folder: Path, shard_id: int) -> int | None:
    """The size that a shard had when it was finished; None for shards of another tool."""
    record = _read_record(folder / RECORDS / f"{shard_id}.json")
    return None if record is None else record.bytes


def prepare(manifests: Sequence[Path], out: Path, per_shard: int, seed: int, jobs: int | None = None) -> Made:
    """Write the recordings of all manifests as 16 kHz mono FLAC into ``OUT/audio_*.tar``, and their manifest.

    Which shard an utterance is in, and where, is drawn from the seed; the manifest's rows keep the order of the
    sources, with all their fields, so that an utterance is perturbed as it is from files. The bytes do not depend on
    the number of processes. Shards that are finished, and whose recordings have not changed, are kept.

    Args:
        per_shard: utterances in each shard but the last.
        jobs: processes; all cores by default.

    Raises:
        ManifestError: a manifest is missing.
        ShardError: no row can be used.
        UserError: ``out`` was made with other options, or cannot be written to.
    """
    lines = [(manifest, number, line) for manifest in manifests for number, line in rows(manifest)]
    order = np.random.default_rng(seed).permutation(len(lines)).tolist()
    parts = [order[start : start + per_shard] for start in range(0, len(order), per_shard)]
    shards = [Shard(out, n, [Row(index, *lines[index]) for index in part]) for n, part in enumerate(parts)]
    named = [str(manifest.resolve()) for manifest in manifests]
    stamp(out, {"corpus": "shards", "manifests": named, "utterances_per_shard": per_shard, "seed": seed})
    left_out, kept, written = LeftOut(), list[tuple[int, dict[str, Any]]](), 0
    for result in map_each(_finish, shards, what="shards", unit="shard", jobs=jobs):
        if isinstance(result, UserError):
            raise result
        fresh, record = result
        written += fresh
        kept += record.rows
        for kind, what, where, todo in record.left_out:
            left_out.add("all", kind, ShardError(what, where=where, todo=todo))
    if not kept:
        where = ", ".join(map(str, manifests))
        raise ShardError("no row can be used", where=where, todo="see the rows named above")
    if not written:
        print(f"shards: all {len(shards)} are already there", file=sys.stderr)
    _remove_others(out, len(shards))
    return _write_manifest(out / MANIFEST, [row for _, row in sorted(kept, key=lambda pair: pair[0])], left_out)


def _finish(shard: Shard) -> tuple[bool, Record]:
    """The shard's record, and whether it had to be made."""
    made_of = _digest(shard)
    before = _read_record(shard.record)
    if before is not None and before.made_of == made_of and _is_whole(shard.tar, before):
        return False, before
    record = Record(made_of)
    with written_whole(shard.tar) as temporary:
        with tarfile.open(temporary, "w", format=tarfile.USTAR_FORMAT) as tar:
            for index, name, row, content in _usable(shard, record):
                entry = tarfile.TarInfo(name)  # of no owner and no time, so that the same rows give the same bytes
                entry.size = len(content)
                tar.addfile(entry, BytesIO(content))
                record.rows.append((index, row))
        record.bytes, record.sha256 = temporary.stat().st_size, _sha256(temporary)
    with written_whole(shard.record) as temporary:
        temporary.write_text(json.dumps(asdict(record)), encoding="utf-8")
    return True, record


def _usable(shard: Shard, record: Record) -> Iterator[tuple[int, str, dict[str, Any], bytes]]:
    for row in shard.rows:
        waveform = _waveform(row)
        if isinstance(waveform, Fault):
            error = waveform.error
            record.left_out.append((waveform.kind, error.what, error.where, error.todo))
            continue
        name = f"{row.index:08d}.flac"
        fields = {**json.loads(row.line), "audio_filepath": name, "shard_id": shard.shard_id}
        yield row.index, name, fields, audio.flac(waveform)


def _waveform(row: Row) -> audio.FloatArray | Fault:
    """By the rules of ``row_check``, but in any format, rate and number of channels."""
    inspected = inspect((row.manifest, row.number, row.line), FRAME_STRIDE, Audio.NONE)
    if inspected.utterance is None or inspected.faults:
        return inspected.faults[0]
    utterance, where = inspected.utterance, f"{row.manifest}:{row.number}"
    name = utterance.audio_filepath
    try:
        waveform = audio.read(utterance.path(row.manifest))
    except audio.AudioError as error:
        return Fault(Kind.UNREADABLE, ManifestError(f"{error.what}: {name}", where=where, todo=error.todo))
    seconds = len(waveform) / audio.SAMPLE_RATE
    if abs(seconds - utterance.duration) > DURATION_TOLERANCE:
        what = f"row says {utterance.duration:g} s, recording lasts {seconds:.3f} s: {name}"
        return Fault(Kind.DURATION, ManifestError(what, where=where, todo="correct the row"))
    if utterance.text and audio.is_silent(waveform):
        what = f"recording is silent: {name}"
        todo = "record it again, or empty its text to teach silence"
        return Fault(Kind.SILENT, ManifestError(what, where=where, todo=todo))
    return waveform


def _digest(shard: Shard) -> str:
    digest = sha256()
    for row in shard.rows:
        digest.update(repr((row.index, row.line, _size_and_time(row))).encode())
    return digest.hexdigest()


def _size_and_time(row: Row) -> tuple[int, int] | None:
    try:
        state = parse_row(row.line, "").path(row.manifest).stat()
    except (ManifestError, OSError):
        return None
    return state.st_size, state.st_mtime_ns


def _read_record(path: Path) -> Record | None:
    try:
        return Record(**json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def _is_whole(tar: Path, record: Record) -> bool:
    try:
        return tar.stat().st_size == record.bytes and _sha256(tar) == record.sha256
    except OSError:
        return False


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


def _remove_others(out: Path, shards: int) -> None:
    """Shards that the manifests, grown shorter, no longer fill."""
    for record in (out / RECORDS).glob("*.json"):
        if record.stem.isdecimal() and int(record.stem) >= shards:
            tar_path(out, int(record.stem)).unlink(missing_ok=True)
            record.unlink()


def _write_manifest(path: Path, kept: list[dict[str, Any]], left_out: LeftOut) -> Made:
    with written_whole(path) as temporary, temporary.open("w", encoding="utf-8", errors="backslashreplace") as file:
        for row in kept:
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
    speakers = {row.get("speaker") for row in kept} - {None, ""}
    return Made(path, len(kept), sum(row["duration"] for row in kept) / 3600, len(speakers), left_out.of("all"))
