"""Real utterances to compare models on."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from spoken_numbers import audio, manifest
from spoken_numbers.audio import FloatArray


def spread(manifests: Sequence[Path], count: int | None, sample_rate: int) -> Iterator[FloatArray]:
    """The waveforms of ``count`` rows, as many from each manifest and evenly spread over it.

    Of all rows for None; of all that a manifest has where it has fewer than its share.

    Raises:
        ManifestError, AudioError: a row or a recording that cannot be read.
    """
    for path in manifests:
        rows = list(manifest.read(path))
        taken = len(rows) if count is None else min(-(-count // len(manifests)), len(rows))
        for index in np.linspace(0, len(rows) - 1, taken).round().astype(int):
            yield audio.read(rows[index].path(path), sample_rate)
