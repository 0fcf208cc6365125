"""Shards, found by their manifests and read from front to back."""

import json
import os
import tarfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlparse

import numpy as np
import numpy.typing as npt
from webdataset.gopen import gopen
from webdataset.shardlists import expand_urls
from webdataset.tariterators import tar_file_iterator

from spoken_numbers.corpora.shards import ShardError, recorded_bytes, tar_path
from spoken_numbers.manifest import parse_row, rows


@dataclass(frozen=True)
class Shards:
    """The tar files of some manifests, and for each row of these in turn the index of the one that it is in."""

    tars: list[str]
    of_row: npt.NDArray[np.int64]


def is_sharded(manifest: Path) -> bool:
    """By its first row; a manifest of NeMo's tarred datasets names shards.

    Raises:
        ManifestError: the file cannot be read.
    """
    for _, line in rows(manifest):
        return b'"shard_id"' in line
    return False


def find_shards(manifests: Sequence[Path], patterns: Sequence[str | None]) -> Shards:
    """
    Args:
        patterns: for each manifest a path or URL as NeMo's ``tarred_audio_filepaths`` has it, with the shards as
            ``{0..7}`` or ``_OP_0..7_CL_``; None for ``audio_0.tar``, ``audio_1.tar``, … beside the manifest.

    Raises:
        ManifestError: a manifest is missing, or a row cannot be used.
        ShardError: a row names no shard, or one that the pattern has not.
    """
    tars: list[str] = []
    of_row: list[npt.NDArray[np.int64]] = []
    for manifest, pattern in zip(manifests, patterns, strict=True):
        ids = _shard_ids(manifest)
        count = int(ids.max(initial=-1)) + 1
        if pattern is None:
            found = [str(tar_path(manifest.parent, shard_id)) for shard_id in range(count)]
        else:
            found = expand_urls(pattern.replace("_OP_", "{").replace("_CL_", "}"))
        if len(found) < count:
            what = f"{manifest} names shards 0 to {count - 1}, and there are {len(found)}"
            raise ShardError(what, where=str(pattern), todo="correct model.train_ds.tarred_audio_filepaths")
        of_row.append(ids + len(tars))
        tars += found
    return Shards(tars, np.concatenate(of_row))


def check_shards(shards: Shards) -> None:
    """See that all tar files on this machine are there, and as large as when they were finished.

    Raises:
        ShardError: the first that is not.
    """
    for tar in dict.fromkeys(shards.tars):
        path = Path(tar)
        if urlparse(tar).scheme:
            continue
        if not path.exists():
            raise ShardError("no such shard", where=tar, todo="make the shards again, or correct the path")
        number = path.stem.rpartition("_")[2]
        size = recorded_bytes(path.parent, int(number)) if number.isdecimal() else None
        if size is not None and path.stat().st_size != size:
            what = f"shard is broken: {path.stat().st_size} bytes in place of {size}"
            raise ShardError(what, where=tar, todo="type the same scripts/make_shards.py again")


def read_shard(tar: str, wanted: Callable[[str], bool] = lambda name: True) -> Iterator[tuple[str, bytes]]:
    """Name and content of each recording that is wanted, in the tar file's order, never going back in it.

    Raises:
        ShardError: the tar file cannot be opened, or ends too early.
    """
    try:
        with gopen(tar) as stream:
            for file in tar_file_iterator(stream, select_files=lambda name: wanted(os.path.basename(name))):
                yield os.path.basename(file["fname"]), file["data"]
    except (OSError, EOFError, tarfile.TarError) as error:
        reason = getattr(error, "strerror", None) or str(error).split(" @ ")[0]  # webdataset adds the file object
        raise ShardError(f"cannot read shard: {reason}", where=tar, todo="make or fetch it again") from None


def _shard_ids(manifest: Path) -> npt.NDArray[np.int64]:
    ids = []
    for number, line in rows(manifest):
        parse_row(line, f"{manifest}:{number}")
        shard_id = json.loads(line).get("shard_id")
        if not isinstance(shard_id, int) or shard_id < 0:
            todo = "make shards of it with scripts/make_shards.py, or leave out is_tarred"
            raise ShardError("row names no shard", where=f"{manifest}:{number}", todo=todo)
        ids.append(shard_id)
    return np.array(ids, np.int64)
