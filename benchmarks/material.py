"""What the benchmarks of augmentation share: utterances, clips, NeMo's own classes, and the keys of six.yaml."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from nemo.collections.asr.parts.preprocessing import perturb

from spoken_numbers import audio, manifest
from spoken_numbers.audio import SAMPLE_RATE, FloatArray
from spoken_numbers.labels import speak
from spoken_numbers.manifest import Utterance
from spoken_numbers.synthesis.engine import Line
from spoken_numbers.synthesis.espeak import Espeak
from spoken_numbers.training.command import CONF, composed

SECONDS = 3.5

STOCK = {
    "speed": perturb.SpeedPerturbation,
    "impulse": perturb.ImpulsePerturbation,
    "noise": perturb.NoisePerturbation,
    "gain": perturb.GainPerturbation,
    "white_noise": perturb.WhiteNoisePerturbation,
    "transcode_aug": perturb.TranscodePerturbation,
}


def six_keys(folder: Path) -> dict[str, dict[str, Any]]:
    """conf/augment/six.yaml as ``quartznet_5x1_aug`` has it, on 50 clips of 2 s of noise and 50 rooms of 1 s."""
    rng = np.random.default_rng(0)
    noise = [rng.standard_normal(2 * SAMPLE_RATE) * 0.1 for _ in range(50)]
    fading = np.exp(-np.arange(SAMPLE_RATE) / 2000)
    rooms = [rng.standard_normal(SAMPLE_RATE) * fading * 0.2 for _ in range(50)]
    manifests = [
        f"augment.noise.manifest_path={write(folder, 'noise', noise)}",
        f"augment.impulse.manifest_path={write(folder, 'rooms', rooms)}",
    ]
    cfg = composed(CONF / "quartznet_5x1_aug.yaml", manifests)
    return {str(name): dict(keys) for name, keys in cfg.augment.items()}


def stock(augment: dict[str, dict[str, Any]]) -> perturb.AudioAugmentor:
    """NeMo's own classes in a row, whatever its registry holds."""
    steps = []
    for name, keys in augment.items():
        given = {key: value for key, value in keys.items() if key != "prob"}
        steps.append((keys["prob"], STOCK[name](**given)))
    return perturb.AudioAugmentor(steps)


def spoken(count: int) -> list[tuple[FloatArray, str]]:
    """Synthetic utterances of six digits, repeated or cut to ``SECONDS``, and their labels."""
    voices = Espeak().voices("en")
    numbers = [f"{104729 * (index + 1) % 10**6:06d}" for index in range(count)]
    lines = [Line(speak(number, "digits").words, voices[i * 7 % len(voices)]) for i, number in enumerate(numbers)]
    return [(fit(heard), number) for heard, number in zip(Espeak().render(lines), numbers, strict=True) if len(heard)]


def fit(waveform: FloatArray) -> FloatArray:
    """The same length for all, so that both sides and all rows have the same work."""
    return np.resize(waveform, int(SECONDS * SAMPLE_RATE)).astype(np.float32)


def write(folder: Path, name: str, waveforms: Sequence[np.ndarray], labels: Sequence[str] | None = None) -> Path:
    """Recordings and a manifest of them."""
    rows = []
    for index, waveform in enumerate(waveforms):
        seconds = audio.write(folder / f"{name}{index}.wav", waveform.astype(np.float32))
        rows.append(Utterance(f"{name}{index}.wav", seconds, labels[index] if labels else ""))
    return manifest.write(folder / f"{name}.json", rows).path
