"""The manifests that a loader section of a config names."""

import itertools
from collections.abc import Sequence
from pathlib import Path

from omegaconf import DictConfig

from spoken_numbers import audio, manifest
from spoken_numbers.audio import FloatArray


def manifest_paths(config: DictConfig) -> list[Path]:
    """``manifest_filepath`` as a list, whether it names one manifest, several by commas, or a list."""
    given = config.manifest_filepath
    paths = given.split(",") if isinstance(given, str) else list(given)
    return [Path(path) for path in paths]


def repeated_manifests(config: DictConfig) -> list[str]:
    """Each manifest as often as ``repeat`` says (a count for all or one for each): NeMo reads a list through."""
    manifests = manifest_paths(config)
    given = config.get("repeat") or 1
    counts = [given] * len(manifests) if isinstance(given, int) else list(given)
    return [str(path) for path, count in zip(manifests, counts, strict=True) for _ in range(count)]


def names_of(manifests: Sequence[Path]) -> list[str]:
    """A short name for each manifest, unlike the others': its stem, with as many parents as that takes."""
    for depth in range(1, 20):
        names = ["/".join([*m.resolve().parts[-depth:-1], m.stem]) for m in manifests]
        if len(set(names)) == len(set(manifests)):
            return names
    return [str(m) for m in manifests]


def first_utterances(config: DictConfig, each: int) -> list[FloatArray]:
    """The first ``each`` utterances of each manifest, (samples,) at 16 kHz."""
    manifests = dict.fromkeys(manifest_paths(config))
    return [audio.read(row.path(m)) for m in manifests for row in itertools.islice(manifest.read(m), each)]
