"""The one exception that is a person's to mend; everything else is a bug and shows its traceback."""

from functools import partial
from typing import Any


class UserError(Exception):
    """What is wrong, where, and what to do about it; commands print it as one line and exit with status 2."""

    def __init__(self, what: str, *, where: str = "", todo: str = "") -> None:
        super().__init__(what, where, todo)
        self.what, self.where, self.todo = what, where, todo

    def __str__(self) -> str:
        return " – ".join(part for part in (self.what, self.where, self.todo) if part).replace("\n", " ")

    def __reduce__(self) -> tuple[Any, ...]:  # without it, keyword arguments do not survive the way out of a process
        return partial(type(self), where=self.where, todo=self.todo), (self.what,)
