"""NeMo's archives, taken apart and packed anew."""

import io
import tarfile
from pathlib import Path


def members(path: Path) -> dict[str, bytes]:
    with tarfile.open(path) as archive:
        return {one.name: archive.extractfile(one).read() for one in archive if one.isfile()}


def pack(path: Path, content: dict[str, bytes], *others: tarfile.TarInfo, mode: str = "w:") -> Path:
    with tarfile.open(path, mode) as archive:
        for name, data in content.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
        for info in others:
            archive.addfile(info, io.BytesIO(b"\0" * info.size))
    return path


def name_of(honest: dict[str, bytes], suffix: str) -> str:
    return next(name for name in honest if name.endswith(suffix))


def sized(name: str, size: int) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.size = size
    return info
