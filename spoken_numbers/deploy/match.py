"""The search for the fastest and smallest int8 network that reads what the float network reads."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import onnx

from spoken_numbers.audio import FloatArray
from spoken_numbers.decoding.greedy import greedy
from spoken_numbers.deploy.calibration import METHODS, Calibration, bias_corrected
from spoken_numbers.deploy.run import Features, latencies, log_probabilities_of
from spoken_numbers.deploy.static import quantize_static
from spoken_numbers.int8 import Range
from spoken_numbers.labels import digit_string
from spoken_numbers.onnx_model import Metadata

RIVALS = 6
"""Convolutions tried for each that is computed in float32: those first whose rounding alone does most."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One way to quantise, and what came of it."""

    form: str
    network: onnx.ModelProto
    size: int
    """Bytes."""
    speed: float
    """How many times as fast as the float network, on one thread."""
    differing: tuple[int, ...] | None
    """Indices of the utterances that it reads differently; None where none were compared."""
    drift: float
    """Root mean square of what its probabilities differ by."""

    @property
    def distance(self) -> tuple[int, float]:
        """From the float network: the least is the nearest."""
        return len(self.differing or ()), self.drift


class Judge:
    """Compares int8 networks with the float network that they stand for."""

    def __init__(self, network: onnx.ModelProto, metadata: Metadata, features: Sequence[Features], timed: Features):
        self.network, self.metadata, self.features, self.timed = network, metadata, features, timed
        self.expected = list(log_probabilities_of(network, features))

    def judged(self, form: str, network: onnx.ModelProto) -> Attempt:
        float_seconds, seconds = latencies([self.network, network], self.timed)
        differing, squares, count = [], 0.0, 0
        read = log_probabilities_of(network, self.features)
        for index, (expected, actual) in enumerate(zip(self.expected, read, strict=True)):
            if self._string(expected) != self._string(actual):
                differing.append(index)
            squares += float(np.square(np.exp(expected) - np.exp(actual)).sum())
            count += expected.size
        compared = tuple(differing) if self.features else None
        return Attempt(
            form, network, network.ByteSize(), float_seconds / seconds, compared, (squares / max(count, 1)) ** 0.5
        )

    def _string(self, log_probs: FloatArray) -> str:
        return digit_string(greedy(log_probs, self.metadata.labels))


def static_attempts(
    network: onnx.ModelProto,
    trained_ranges: Mapping[str, Range] | None,
    calibration: Calibration | None,
    judge: Judge,
) -> Iterator[Attempt]:
    """Ways to quantise statically, the cheapest first; stop when one will do.

    Ranges from training where there are any, then each calibration, the best of them with corrected biases, and then
    with more and more convolutions in float32: each time, of those whose rounding changes the probabilities most, the
    one without which most strings match.
    """
    tried: list[tuple[Attempt, _Form]] = []

    def attempt(form: _Form) -> Attempt:
        tried.append((judge.judged(form.name, form.quantized(network, calibration)), form))
        return tried[-1][0]

    def best() -> _Form:
        return min(tried, key=lambda one: one[0].distance)[1]

    if trained_ranges is not None:
        yield attempt(_Form("trained ranges", trained_ranges))
    if calibration is not None:
        for method in METHODS:
            yield attempt(_Form(method, calibration.ranges(method)))
        yield attempt(replace(best(), corrected=True))
    if not judge.features:
        return
    base = best()
    nodes = [node.name for node in network.graph.node if node.op_type == "Conv"][:-1]
    alone = {name: replace(base, in_float=(name,)).quantized(network, calibration) for name in nodes}
    order = sorted(nodes, key=lambda name: judge.judged(name, alone[name]).drift)
    chosen: tuple[str, ...] = ()
    while left := [name for name in order if name not in chosen]:
        rivals = [attempt(replace(base, in_float=(*chosen, name))) for name in left[:RIVALS]]
        first = min(rivals, key=lambda one: one.distance)
        chosen = (*chosen, left[rivals.index(first)])
        yield first


@dataclass(frozen=True, slots=True)
class _Form:
    method: str
    ranges: Mapping[str, Range]
    corrected: bool = False
    in_float: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        parts = [self.method, "biases corrected" if self.corrected else ""]
        if self.in_float:
            parts.append(f"{len(self.in_float)} convolutions in float32, the last {self.in_float[-1]}")
        return ", ".join(part for part in parts if part)

    def quantized(self, network: onnx.ModelProto, calibration: Calibration | None) -> onnx.ModelProto:
        if self.corrected and calibration is not None:
            network = bias_corrected(network, calibration, self.in_float)
        return quantize_static(network, self.ranges, self.in_float)


def dynamic_attempts(
    network: onnx.ModelProto, forms: Mapping[str, Callable[[onnx.ModelProto], onnx.ModelProto]], judge: Judge
) -> Iterator[Attempt]:
    """Every form, the fastest first."""
    made = [judge.judged(name, form(network)) for name, form in forms.items()]
    yield from sorted(made, key=lambda one: -one.speed)
