"""A model that needs no training: it writes the label whose tone sounds, so that its answers are known exactly."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import numpy_helper, parser

from spoken_numbers.labels import LABELS
from spoken_numbers.onnx_model import Metadata

RATE, FRAME = 16_000, 640
TONES = 300 + 250 * np.arange(len(LABELS))
"""Hz; whole periods in a frame of 40 ms, so that one tone is nothing to the others."""

METADATA = Metadata("waveform", LABELS, RATE, 2, {"hop_length": FRAME // 2})

# Power at each tone (a cosine and a sine), against a threshold for the blank.
GRAPH = """
<ir_version: 8, opset_import: ["": 17]>
tones (float[batch, samples] waveform, int64[batch] length)
    => (float[batch, frames, 12] logprobs, int64[batch] logprobs_length)
{
    signal = Unsqueeze (waveform, channel_axis)
    parts = Conv <strides = [640]> (signal, waves)
    squares = Mul (parts, parts)
    power = Conv (squares, sums)
    loudness = LOUDNESS
    relative = Div (power, loudness)
    scores = Add (relative, thresholds)
    by_frame = Transpose <perm = [0, 2, 1]> (scores)
    logprobs = LogSoftmax <axis = -1> (by_frame)
    logprobs_length = Div (length, frame)
}
"""


def tone_model(path: Path, *, by_loudest: bool = False, **metadata: Any) -> Path:
    """Write the model; ``metadata`` changes what the file says of itself.

    Args:
        by_loudest: power is measured against the loudest in the batch, as the ranges of dynamic quantisation are.
    """
    loudness = "ReduceMax <keepdims = 1> (power)" if by_loudest else "Identity (one)"
    model = parser.parse_model(GRAPH.replace("LOUDNESS", loudness))
    time = np.arange(FRAME) / RATE
    waves = [turn(2 * np.pi * tone * time) / FRAME for tone in TONES for turn in (np.cos, np.sin)]
    sums = np.zeros((12, 22, 1))
    for tone in range(len(TONES)):
        sums[tone, 2 * tone : 2 * tone + 2] = 2000
    thresholds = np.zeros((12, 1))
    thresholds[-1] = 0.3 if by_loudest else 6
    constants = {
        "waves": np.array(waves, np.float32)[:, None],
        "sums": sums.astype(np.float32),
        "thresholds": thresholds.astype(np.float32),
        "channel_axis": np.array([1]),
        "frame": np.array(FRAME),
        "one": np.float32(1),
    }
    model.graph.initializer.extend(numpy_helper.from_array(np.asarray(a), name) for name, a in constants.items())
    onnx.helper.set_model_props(model, replace(METADATA, **metadata).as_properties())
    onnx.save(model, path)
    return path


def played(label: str, rate: int = RATE, gap: float = 0.1, peak: float = 0.3) -> np.ndarray:
    """(samples,) float64: 0.2 s of each character's tone, with gaps between, before and after them."""
    time = np.arange(rate // 5) / rate
    silence = np.zeros(round(gap * rate))
    tones = [peak * np.sin(2 * np.pi * TONES[LABELS.index(character)] * time) for character in label]
    return np.concatenate([silence] + [piece for tone in tones for piece in (tone, silence)])
