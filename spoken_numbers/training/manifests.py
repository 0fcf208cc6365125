"""The manifests, and the shards, that a loader section of a config names."""

import itertools
from collections.abc import Sequence
from pathlib import Path

from omegaconf import DictConfig, open_dict

from spoken_numbers import audio, manifest
from spoken_numbers.audio import FloatArray
from spoken_numbers.corpora.shards import ShardError
from spoken_numbers.training.shards import Shards, find_shards, read_shard


def manifest_paths(config: DictConfig) -> list[Path]:
    """``manifest_filepath`` as a list, whether it names one manifest, several by commas, or a list."""
    given = config.manifest_filepath
    return manifest.split_by_commas(given) if isinstance(given, str) else [Path(path) for path in given]


def tar_patterns(config: DictConfig) -> list[str | None]:
    """``tarred_audio_filepaths`` for each manifest; None for shards that lie beside it.

    Raises:
        ShardError: they are not as many as the manifests.
    """
    manifests = manifest_paths(config)
    given = config.get("tarred_audio_filepaths")
    patterns: list[str | None] = [given] if isinstance(given, str) else list(given or [None] * len(manifests))
    if len(patterns) != len(manifests):
        raise ShardError(
            f"{len(patterns)} patterns for {len(manifests)} manifests",
            where="model.train_ds.tarred_audio_filepaths",
            todo="give one for each, such as audio__OP_0..7_CL_.tar, or none for shards beside their manifest",
        )
    return patterns


def shards_of(config: DictConfig) -> Shards:
    """The shards of a section with ``is_tarred``.

    Raises:
        ManifestError, ShardError: a manifest is missing or no manifest of shards, or names shards that are not there.
    """
    return find_shards(manifest_paths(config), tar_patterns(config))


def repeated(config: DictConfig) -> DictConfig:
    """The section, with each manifest (and its shards) named as often as ``repeat`` says, for all or for each.

    NeMo reads a list of manifests through.
    """
    manifests, patterns = manifest_paths(config), tar_patterns(config)
    given = config.get("repeat") or 1
    counts = [given] * len(manifests) if isinstance(given, int) else list(given)
    again = config.copy()
    with open_dict(again):
        again.manifest_filepath = [str(m) for m, count in zip(manifests, counts, strict=True) for _ in range(count)]
        if config.get("tarred_audio_filepaths") is not None:
            again.tarred_audio_filepaths = [p for p, n in zip(patterns, counts, strict=True) for _ in range(n)]
    return again


def names_of(manifests: Sequence[Path]) -> list[str]:
    """A short name for each manifest, unlike the others': its stem, with as many parents as that takes."""
    for depth in range(1, 20):
        names = ["/".join([*m.resolve().parts[-depth:-1], m.stem]) for m in manifests]
        if len(set(names)) == len(set(manifests)):
            return names
    return [str(m) for m in manifests]


def first_utterances(config: DictConfig, each: int) -> list[FloatArray]:
    """The first ``each`` utterances of each manifest, or of its shards, (samples,) at 16 kHz."""
    if config.get("is_tarred"):
        pairs = dict(zip(manifest_paths(config), tar_patterns(config), strict=True))
        return [heard for m, pattern in pairs.items() for heard in _first_of_shards(m, pattern, each)]
    manifests = dict.fromkeys(manifest_paths(config))
    return [audio.read(row.path(m)) for m in manifests for row in itertools.islice(manifest.read(m), each)]


def _first_of_shards(path: Path, pattern: str | None, count: int) -> list[FloatArray]:
    tars = find_shards([path], [pattern]).tars
    recordings = ((tar, name, content) for tar in tars for name, content in read_shard(tar))
    return [audio.read_bytes(content, f"{tar}: {name}") for tar, name, content in itertools.islice(recordings, count)]
