"""Real utterances to compare models on."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from spoken_numbers import audio, manifest
from spoken_numbers.audio import FloatArray


def spread(path: Path, count: int, sample_rate: int) -> Iterator[FloatArray]:
    """The waveforms of ``count`` rows evenly spread over a manifest, or of all where it has fewer.

    Raises:
        ManifestError, AudioError: a row or a recording that cannot be read.
    """
    rows = list(manifest.read(path))
    for index in np.unique(np.linspace(0, len(rows) - 1, min(count, len(rows))).round().astype(int)):
        yield audio.read(rows[index].path(path), sample_rate)
