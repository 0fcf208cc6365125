"""Is this folder the corpus that the recipe knows? If not, say what was expected and what is there."""

from collections.abc import Iterable
from pathlib import Path

from spoken_numbers.errors import UserError


class LayoutError(UserError):
    """A corpus folder that is not laid out as its publisher has it."""


def need_folder(corpus: Path, inside: str, expected: str) -> Path:
    """``corpus/inside``, or a ``LayoutError`` that names what lies in ``corpus`` instead."""
    if not corpus.is_dir():
        what = "no such folder" if not corpus.exists() else "not a folder"
        raise LayoutError(f"{what}, expected {expected}", where=str(corpus), todo="check the path")
    folder = corpus / inside
    if not folder.is_dir():
        raise wrong_layout(corpus, expected)
    return folder


def need_file(corpus: Path, inside: str, expected: str) -> Path:
    """``corpus/inside``, or a ``LayoutError`` that names what lies beside it."""
    file = corpus / inside
    if not file.is_file():
        raise wrong_layout(file.parent if file.parent.is_dir() else corpus, expected)
    return file


def wrong_layout(folder: Path, expected: str) -> LayoutError:
    return LayoutError(
        f"expected {expected}, found {some_names(folder)}",
        where=str(folder),
        todo="give the folder as it was unpacked, see scripts/readme.md",
    )


def refuse_twice(names: Iterable[str], where: str) -> None:
    """Raise a ``LayoutError`` when a recording is listed more than once: it could land on both sides of the split."""
    seen: set[str] = set()
    twice = sorted({name for name in names if name in seen or seen.add(name)})  # type: ignore[func-returns-value]
    if twice:
        raise LayoutError(
            f"{len(twice)} recordings are listed twice ({few(twice)})", where=where, todo="remove the second entries"
        )


def some_names(folder: Path) -> str:
    """A few of the names in a folder, folders marked with ``/``."""
    names = sorted(path.name + "/" * path.is_dir() for path in folder.iterdir() if not path.name.startswith("."))
    return few(names) if names else "an empty folder"


def few(names: Iterable[str], count: int = 4) -> str:
    """``a, b, c, d and 12 more``"""
    listed = list(names)
    more = f" and {len(listed) - count} more" if len(listed) > count else ""
    return ", ".join(listed[:count]) + more
