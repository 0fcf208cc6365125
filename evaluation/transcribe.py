"""``spoken-numbers transcribe``, also of a ``.nemo`` file or a checkpoint, which is exported for the while."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from spoken_numbers.__main__ import main


@contextmanager
def opened(model: Path) -> Iterator[Path]:
    if model.suffix == ".onnx":
        yield model
        return
    from spoken_numbers.deploy.export import as_onnx  # torch and NeMo: seconds

    with as_onnx(model) as exported:
        yield exported


if __name__ == "__main__":  # not in the processes that it starts
    main(["transcribe", *sys.argv[1:]], opened)
