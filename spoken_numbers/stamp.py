"""A made folder tells how it was made, so that no later run mixes in files of other options."""

import json
from pathlib import Path

from spoken_numbers.errors import UserError
from spoken_numbers.files import written_whole

STAMP = "recipe.json"


def stamp(out: Path, options: dict[str, object], todo: str = "choose another --out, or delete this one") -> None:
    """Leave the options that shaped a folder's files beside them, or see that they are the same as before.

    Raises:
        UserError: the folder was made with other options.
    """
    wanted = json.loads(json.dumps(options))
    file = out / STAMP
    if file.exists():
        try:
            there = json.loads(file.read_text(encoding="utf-8"))
        except ValueError:
            there = {}
        differing = [name for name in {**wanted, **there} if wanted.get(name) != there.get(name)]
        if differing:
            changes = ", ".join(f"{name} was {there.get(name)!r}, now {wanted.get(name)!r}" for name in differing)
            raise UserError(
                f"folder was made with other options: {changes}",
                where=str(out),
                todo=todo,
            )
        return
    with written_whole(file) as temporary:
        temporary.write_text(json.dumps(wanted, indent=2) + "\n", encoding="utf-8")
