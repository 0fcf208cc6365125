"""A decoder's confidence → the share of such answers that are right."""

import math
from dataclasses import dataclass, replace

from spoken_numbers.decoding.decoded import Decoded, Decoder, FloatArray


@dataclass(frozen=True, slots=True)
class Calibration:
    """Platt's sigmoid over the logarithm of the confidence (Platt, Probabilistic Outputs for SVMs, 1999)."""

    slope: float
    intercept: float

    def __post_init__(self) -> None:
        """Raises ValueError, TypeError or OverflowError when they are no finite numbers, as in a broken file."""
        if not (math.isfinite(self.slope) and math.isfinite(self.intercept)):
            raise ValueError(f"a calibration of slope {self.slope} and intercept {self.intercept}")

    def __call__(self, confidence: float) -> float:
        """0 to 1 → 0 to 1, rising."""
        if confidence <= 0:
            return 0.0
        return 1 / (1 + math.exp(min(700.0, -self.slope * math.log(confidence) - self.intercept)))


def calibrated(decoder: Decoder, calibration: Calibration | None) -> Decoder:
    """The decoder with its answers' confidences put through ``calibration``; an empty label keeps its own."""
    if calibration is None:
        return decoder

    def decode(log_probabilities: FloatArray, frame_seconds: float) -> Decoded:
        decoded = decoder(log_probabilities, frame_seconds)
        return replace(decoded, confidence=calibration(decoded.confidence)) if decoded.label else decoded

    return decode
