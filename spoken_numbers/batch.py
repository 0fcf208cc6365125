"""A batch of items, as whichever process works on it; one that cannot be worked on costs itself alone."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from spoken_numbers.errors import UserError

T = TypeVar("T")
R = TypeVar("R")


class DeadProcessError(UserError):
    """The process that worked on ``item`` was killed, and killed again when it worked on nothing else."""

    def __init__(self, item: Any, name: str) -> None:
        super().__init__("the process died while working on it", where=name, todo="leave it out, or give more memory")
        self.item = item


def each(work: Callable[[T], R], batch: Sequence[T]) -> list[R | UserError]:
    """``work(item)`` for each; a ``UserError`` in the place of its item."""
    return [_guarded(work, item) for item in batch]


def _guarded(work: Callable[[T], R], item: T) -> R | UserError:
    try:
        return work(item)
    except UserError as error:
        return error
