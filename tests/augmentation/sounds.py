"""Speech-like signals, and clips in manifests."""

import json
from pathlib import Path

import numpy as np
import soundfile

from spoken_numbers.audio import SAMPLE_RATE, FloatArray


def speech(seconds: float = 2.0, seed: int = 0, pause: float = 0.25) -> FloatArray:
    """Noise in syllables: 150 ms bursts with silence between, and ``pause`` seconds of silence at both ends."""
    rng = np.random.default_rng(seed)
    samples = int(seconds * SAMPLE_RATE)
    time = np.arange(samples) / SAMPLE_RATE
    syllables = (np.sin(2 * np.pi * 3 * time) > 0) & (time > pause) & (time < seconds - pause)
    return (rng.standard_normal(samples) * syllables * 0.1).astype(np.float32)


def clips(folder: Path, waveforms: dict[str, FloatArray], name: str = "clips.json", **extra: object) -> Path:
    """Recordings as 32-bit WAV, (samples,) or (samples, channels), and a manifest of them."""
    rows = []
    for stem, waveform in waveforms.items():
        soundfile.write(folder / f"{stem}.wav", waveform, SAMPLE_RATE, subtype="FLOAT")
        rows.append({"audio_filepath": f"{stem}.wav", "duration": len(waveform) / SAMPLE_RATE, "text": "", **extra})
    manifest = folder / name
    manifest.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return manifest
