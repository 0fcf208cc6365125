"""Files appear whole or not at all."""

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from spoken_numbers.errors import UserError


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """Give a temporary path beside ``path``, renamed onto it when the block ends well and removed when it does not.

    The temporary name keeps the suffix of ``path``, since writers choose a format by it.

    Raises:
        UserError: the folder cannot be made or written to, or the disk is full.
    """
    temporary = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.stem[:80]}.", suffix=path.suffix, dir=path.parent)
        os.close(handle)
        temporary = Path(name)
        temporary.chmod(0o666 & ~_umask())
        yield temporary
        temporary.replace(path)
    except OSError as error:
        if error.filename is not None and Path(error.filename).parent != path.parent and temporary is not None:
            raise
        reason = error.strerror or str(error)
        raise UserError(
            f"cannot write: {reason}", where=str(path), todo="free space or choose another folder"
        ) from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Keep a second process from working in ``folder`` until the block ends or this process does.

    Raises:
        UserError: another process works there, or the folder cannot be made.
    """
    handle = None
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(folder, os.O_RDONLY)
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if handle is not None:
            os.close(handle)
        busy = isinstance(error, BlockingIOError)
        what = "another process works here" if busy else f"cannot open: {error.strerror}"
        raise UserError(what, where=str(folder), todo="wait for it, or choose another folder") from None
    try:
        yield
    finally:
        os.close(handle)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
