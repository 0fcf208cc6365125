"""A corpus → the same corpus through perturbations, as files: noisy test sets, or augmentation ahead of training."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np

from spoken_numbers import audio, manifest
from spoken_numbers.augmentation.chain import Chain
from spoken_numbers.augmentation.config import chain_of
from spoken_numbers.errors import UserError
from spoken_numbers.manifest import Made, Utterance
from spoken_numbers.parallel import map_each
from spoken_numbers.stamp import stamp

Drawn = tuple[int, int, Utterance]
"""Which copy, of which row."""


def perturb_corpus(source: Path, augment: Mapping[str, Mapping[str, Any]], out: Path, copies: int, seed: int) -> Made:
    """Write ``copies`` of each utterance under ``OUT/wav`` and ``OUT/NAME`` as the source's manifest is named.

    What an utterance becomes depends on the seed, its row and its copy alone. Recordings already there are kept.

    Args:
        augment: as a config has it.

    Raises:
        AugmentationError: a perturbation that cannot be.
        UserError: the folder was made otherwise, a recording cannot be read, or a perturbation fails on one.
    """
    recipe = json.dumps(augment)
    _chain(recipe)  # here, so that a mistake leaves no folder, and local processes share its clips
    rows = list(manifest.read(source))
    stamp(out, {"source": str(source.resolve()), "copies": copies, "seed": seed, "augment": augment})
    return manifest.write(out / source.name, _made(source, rows, recipe, out, copies, seed))


def _made(source: Path, rows: list[Utterance], recipe: str, out: Path, copies: int, seed: int) -> Iterator[Utterance]:
    work = partial(_perturbed, source, recipe, out, seed)
    drawn = ((copy, index, row) for copy in range(copies) for index, row in enumerate(rows))
    total = copies * len(rows)
    for made in map_each(work, drawn, what="perturb", unit="utterance", total=total, named=_name):
        if isinstance(made, UserError):
            raise made
        yield made


def _perturbed(source: Path, recipe: str, out: Path, seed: int, drawn: Drawn) -> Utterance:
    copy, index, row = drawn
    name = f"wav/{source.stem}_{index:06d}_{copy}.wav"
    target = out / name
    if not target.exists():
        chain = _chain(recipe)
        waveform = chain(audio.read(row.path(source)), np.random.default_rng([seed, copy, index]))
        for outcome in chain.tally.outcomes():
            if outcome.failed:
                where = f"{outcome.name}, {row.audio_filepath}"
                raise UserError(f"perturbation failed: {outcome.message}", where=where, todo="leave it out")
        audio.write(target, waveform)
    return replace(row, audio_filepath=name, duration=round(audio.duration(target), 4))


@lru_cache(maxsize=1)
def _chain(recipe: str) -> Chain:
    return chain_of(json.loads(recipe))


def _name(drawn: Drawn) -> str:
    return drawn[2].audio_filepath
