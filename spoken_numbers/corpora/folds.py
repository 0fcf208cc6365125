"""Manifests → folds by speaker, for cross-validation."""

import os
import random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from spoken_numbers import manifest
from spoken_numbers.errors import UserError
from spoken_numbers.manifest import Made, Utterance


def split_in_folds(manifests: Sequence[Path], folds: int, out: Path, seed: int = 0) -> list[Made]:
    """Deal the speakers of all manifests into ``folds``, and write for each fold what trains and what tests.

    Writes ``{out}/fold_{number}/train/{corpus}_{name}.json`` without the fold's speakers and ``…/test/…`` with them
    alone, for each manifest ``{corpus}/{name}.json``. Fold numbers begin with 1. Paths of recordings become absolute.

    Raises:
        UserError: a row without a speaker, fewer speakers than folds, or two manifests of one name.
    """
    names = [f"{path.resolve().parent.name}_{path.stem}" for path in manifests]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        todo = "give manifests of different folders or names"
        raise UserError(f"two manifests would be {twice[0]}.json", where=str(out), todo=todo)
    rows = {name: _rows(path) for name, path in zip(names, manifests, strict=True)}
    speakers = sorted({row.speaker for ones in rows.values() for row in ones})
    if len(speakers) < folds:
        todo = "give manifests of more, or make fewer folds"
        raise UserError(f"{len(speakers)} speakers for {folds} folds", where=str(manifests[0]), todo=todo)
    random.Random(f"folds {seed}").shuffle(speakers)
    made: list[Made] = []
    for fold in range(folds):
        held = set(speakers[fold::folds])
        for name, ones in rows.items():
            for split, is_test in (("train", False), ("test", True)):
                chosen = [row for row in ones if (row.speaker in held) is is_test]
                made.append(manifest.write(out / f"fold_{fold + 1}" / split / f"{name}.json", chosen))
    return made


def _rows(path: Path) -> list[Utterance]:
    rows = []
    for number, line in manifest.rows(path):
        row = manifest.parse_row(line, f"{path}:{number}")
        if not row.speaker:
            todo = "name the speakers when preparing the corpus"
            raise UserError("row without a speaker", where=f"{path}:{number}", todo=todo)
        rows.append(replace(row, audio_filepath=os.path.abspath(row.path(path))))
    return rows
