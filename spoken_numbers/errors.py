"""The one exception that is a person's to mend; everything else is a bug and shows its traceback."""

from functools import partial
from typing import Any

CONTROL = {code: repr(chr(code))[1:-1] for code in (*range(32), 127)}


def on_one_line(text: object) -> str:
    """A file's name may hold line breaks and tabs, too; here as escapes."""
    return str(text).translate(CONTROL)


class UserError(Exception):
    """What is wrong, where, and what to do about it; commands print it as one line and exit with status 2."""

    def __init__(self, what: str, *, where: str = "", todo: str = "") -> None:
        super().__init__(what, where, todo)
        self.what, self.where, self.todo = what, where, todo

    def __str__(self) -> str:
        parts = (self.what.replace("\n", " "), self.where, self.todo)
        return " – ".join(on_one_line(part) for part in parts if part)

    def __reduce__(self) -> tuple[Any, ...]:  # without it, keyword arguments do not survive the way out of a process
        return partial(type(self), where=self.where, todo=self.todo), (self.what,)
