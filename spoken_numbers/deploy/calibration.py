"""What a float network's tensors hold over real utterances, and the ranges to quantise them by."""

import contextlib
import io
from collections.abc import Collection, Iterable, Mapping

import numpy as np
import numpy.typing as npt
import onnx
from onnxruntime.quantization.calibrate import HistogramCollector

from spoken_numbers.audio import FloatArray
from spoken_numbers.deploy.network import View, bias_of
from spoken_numbers.deploy.run import Features, session_of
from spoken_numbers.int8 import Range, round_weights

METHODS = ("minmax", "percentile 99.999", "percentile 99.99", "entropy")
"""In the order in which they are tried."""


class Calibration:
    """Histograms of some tensors, and the mean of each of their channels, from running a network once."""

    def __init__(self, network: onnx.ModelProto, tensors: Iterable[str], features: Iterable[Features]) -> None:
        tensors = list(tensors)
        inner = [name for name in tensors if name != "audio_signal"]
        session = session_of(with_outputs(network, inner))
        self._extremes: dict[str, Range] = {}
        self._sums: dict[str, npt.NDArray[np.float64]] = {}
        self._frames = dict.fromkeys(tensors, 0)
        self._collector = HistogramCollector("entropy", False, 2048, 256, 99.99, "same")
        for signal, length in features:
            values = session.run(inner, {"audio_signal": signal, "length": length})
            read = dict(zip(inner, values, strict=True)) | {"audio_signal": signal}
            self._add({name: read[name] for name in tensors})

    def ranges(self, method: str) -> dict[str, Range]:
        """Each tensor's range by one of ``METHODS``; percentiles leave out the same share at either end."""
        if method == "minmax":
            return dict(self._extremes)
        kind, *percentile = method.split()
        self._collector.method = kind
        self._collector.percentile = float(percentile[0]) if percentile else None
        with contextlib.redirect_stdout(io.StringIO()):
            found = self._collector.compute_collection_result()
        within = {}
        for name, (lowest, highest) in self._extremes.items():
            within[name] = max(float(found[name][0]), lowest), min(float(found[name][1]), highest)
        return within

    def knows(self, tensor: str) -> bool:
        return tensor in self._sums

    def channel_means(self, tensor: str) -> FloatArray:
        """(channels,)"""
        return (self._sums[tensor] / self._frames[tensor]).astype(np.float32)

    def _add(self, values: Mapping[str, FloatArray]) -> None:
        for name, value in values.items():
            lowest, highest = self._extremes.get(name, (0.0, 0.0))
            self._extremes[name] = min(lowest, float(value.min())), max(highest, float(value.max()))
            self._sums[name] = self._sums.get(name, 0.0) + value.sum(axis=(0, 2), dtype=np.float64)
            self._frames[name] += value.shape[0] * value.shape[2]
        with contextlib.redirect_stdout(io.StringIO()):
            self._collector.collect(dict(values))


def with_outputs(network: onnx.ModelProto, tensors: Iterable[str]) -> onnx.ModelProto:
    """The network with further tensors, float32 (batch, channels, frames), among its outputs."""
    model = onnx.ModelProto()
    model.CopyFrom(network)
    for name in tensors:
        model.graph.output.append(onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [None] * 3))
    return model


def bias_corrected(
    network: onnx.ModelProto, calibration: Calibration, in_float: Collection[str] = ()
) -> onnx.ModelProto:
    """The network with biases that make up for what rounding the weights does to the mean of each output channel.

    Nagel et al. 2019 (arXiv:1906.04721), section 4.2, with measured means. The convolutions ``in_float`` keep theirs.
    """
    model = onnx.ModelProto()
    model.CopyFrom(network)
    view = View(model)
    for node in model.graph.node:
        if node.op_type != "Conv" or node.name in in_float or not calibration.knows(node.input[0]):
            continue
        weight = view.constant[node.input[1]]
        values, scale = round_weights(weight)
        error = (values * scale.astype(np.float32)[:, None, None] - weight).sum(axis=2)  # (out, in per group)
        means = calibration.channel_means(node.input[0])
        drift = error[:, 0] * means if error.shape[1] == 1 < len(means) else error @ means
        name = f"{node.name}_corrected_bias"
        corrected = onnx.numpy_helper.from_array((bias_of(view, node) - drift).astype(np.float32), name)
        model.graph.initializer.append(corrected)
        node.input[:] = [*node.input[:2], name]
    return model
