"""How floats become 8-bit integers: one place for training, which simulates it, and for the exported graph."""

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]
Range = tuple[float, float]
"""Lowest and highest value of a tensor."""

LARGEST = 127
"""Weights are symmetric about zero: -127 to 127."""

SIGNED: Range = (-1.0, 1.0)
RECTIFIED: Range = (0.0, 1.0)
"""Where the activations lie of a model that was trained in 8 bits: before a ReLU, and after one."""


def scale_and_zero(lowest: float, highest: float) -> tuple[np.float32, np.uint8]:
    """The step of uint8 over a range that is widened to hold zero, and the integer that stands for zero."""
    lowest, highest = min(lowest, 0.0), max(highest, 0.0)
    scale = np.float32((highest - lowest) / 255) or np.float32(1.0)
    return scale, np.uint8(np.clip(round(-lowest / float(scale)), 0, 255))


def weight_scales(largest: npt.NDArray[np.floating]) -> npt.NDArray[np.float16]:
    """Each output channel's step, from the channel's largest magnitude.

    In float16, which halves the steps' share of a file, and rounded up, so that no weight is cut off. Weights that are
    multiples of such steps, the largest 127 times, get the same steps again.
    """
    wanted = largest.astype(np.float64) / LARGEST
    scale = wanted.astype(np.float16)
    scale = np.where(scale < wanted, np.nextafter(scale, np.float16(np.inf)), scale)
    return np.where(scale == 0, np.float16(1), scale).astype(np.float16)


def round_weights(weight: FloatArray) -> tuple[npt.NDArray[np.int8], npt.NDArray[np.float16]]:
    """(channels, …) weights → int8 of the same shape, and each channel's step."""
    scale = weight_scales(np.abs(weight).reshape(len(weight), -1).max(axis=1))
    steps = weight / scale.astype(np.float32).reshape(-1, *[1] * (weight.ndim - 1))
    return np.rint(steps).clip(-LARGEST, LARGEST).astype(np.int8), scale
