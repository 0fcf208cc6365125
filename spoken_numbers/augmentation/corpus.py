"""A corpus → the same corpus through perturbations, as files: noisy test sets, or augmentation ahead of training."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from spoken_numbers import audio, manifest
from spoken_numbers.augmentation.chain import Chain
from spoken_numbers.errors import UserError
from spoken_numbers.manifest import Made, Utterance
from spoken_numbers.parallel import progress
from spoken_numbers.stamp import stamp


def perturb_corpus(source: Path, chain: Chain, out: Path, copies: int, seed: int, recipe: dict[str, object]) -> Made:
    """Write ``copies`` of each utterance under ``OUT/wav`` and ``OUT/NAME`` as the source's manifest is named.

    What an utterance becomes depends on the seed, its row and its copy alone. Recordings already there are kept.

    Args:
        recipe: what shaped the chain, for the folder's stamp.

    Raises:
        UserError: the folder was made otherwise, a recording cannot be read, or a perturbation fails on one.
    """
    rows = list(manifest.read(source))
    stamp(out, {"source": str(source.resolve()), "copies": copies, "seed": seed, **recipe})
    return manifest.write(out / source.name, _made(source, rows, chain, out, copies, seed))


def _made(source: Path, rows: list[Utterance], chain: Chain, out: Path, copies: int, seed: int) -> Iterator[Utterance]:
    jobs = ((copy, index, row) for copy in range(copies) for index, row in enumerate(rows))
    for copy, index, row in progress(jobs, copies * len(rows), "perturb", "utterance"):
        name = f"wav/{source.stem}_{index:06d}_{copy}.wav"
        target = out / name
        if not target.exists():
            waveform = chain(audio.read(row.path(source)), np.random.default_rng([seed, copy, index]))
            for outcome in chain.tally.outcomes():
                if outcome.failed:
                    where = f"{outcome.name}, {row.audio_filepath}"
                    raise UserError(f"perturbation failed: {outcome.message}", where=where, todo="leave it out")
            audio.write(target, waveform)
        yield replace(row, audio_filepath=name, duration=round(audio.duration(target), 4))
