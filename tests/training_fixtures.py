"""A corpus of tones to train on in seconds, and the real training command."""

from pathlib import Path

import numpy as np
import pytest
from commands import run_warm
from nemo_archives import members
from training_command import arguments

from spoken_numbers import audio, manifest
from spoken_numbers.manifest import Utterance


def tones(folder: Path, split: str, count: int, seed: int) -> Path:
    """Utterances in which each digit is a tone of its own; a manifest of them."""
    rng = np.random.default_rng(seed)
    rows = []
    for index in range(count):
        digits = rng.integers(0, 10, rng.integers(2, 6))
        gap = np.zeros(1600)
        beeps = [np.sin(2 * np.pi * (300 + 250 * d) * np.arange(3200) / 16000) * 0.3 for d in digits]
        waveform = np.concatenate([piece for beep in beeps for piece in (gap, beep)] + [gap])
        noisy = (waveform + rng.normal(0, 0.003, len(waveform))).astype(np.float32)
        path = folder / "wav" / f"{split}{index}.wav"
        duration = audio.write(path, noisy)
        rows.append(Utterance(f"wav/{path.name}", duration, "".join(map(str, digits)), speaker=split))
    return manifest.write(folder / f"{split}.json", rows).path


@pytest.fixture(scope="session")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tones")
    tones(folder, "train", 48, 0)
    tones(folder, "validation", 12, 1)
    return folder


@pytest.fixture(scope="session")
def trained(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The experiment folder of a short training by the real command."""
    exp_dir = tmp_path_factory.mktemp("experiments")
    limits = ["trainer.max_epochs=3", "trainer.max_steps=-1", "name=tiny", "exp_manager.checkpoint_every_n_steps=5"]
    done = run_warm(*arguments(corpus, exp_dir, *limits))
    assert done.returncode == 0, done.stderr
    return exp_dir / "tiny"


@pytest.fixture(scope="session")
def honest(trained: Path) -> dict[str, bytes]:
    """The members of its .nemo file."""
    return members(trained / "tiny.nemo")
