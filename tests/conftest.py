"""Recordings and manifests made for a test, and a clock that a busy machine does not trip."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import settings
from manifest_makers import row, write

pytest_plugins = ["training_fixtures"]

settings.register_profile("shared machine", deadline=None)
settings.load_profile("shared machine")


def make_tone(path: Path, seconds: float = 1.0, rate: int = 16_000, channels: int = 1, peak: float = 0.5) -> Path:
    """A 440 Hz tone in the format that the suffix names; ``peak`` 0 makes silence."""
    wave = peak * np.sin(2 * np.pi * 440 / rate * np.arange(round(seconds * rate)))
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, np.repeat(wave[:, None], channels, axis=1), rate)
    return path


@pytest.fixture
def tone() -> Callable[..., Path]:
    return make_tone


@pytest.fixture
def good_manifest(tone, tmp_path):
    """A manifest whose rows are good, in two speakers' voices."""
    rows = [row(f"{name}.wav", speaker=name[0]) for name in ("a1", "a2", "b1")]
    for one in rows:
        tone(tmp_path / one["audio_filepath"])
    return write(tmp_path / "good.json", *rows)
