"""A network graph → the same in 8-bit integers, activations scaled by ranges that are known beforehand (QDQ form)."""

from collections.abc import Collection, Mapping

import numpy as np
import numpy.typing as npt
import onnx
from onnx import helper, numpy_helper

from spoken_numbers.deploy.network import View, bias_of, drop_unread
from spoken_numbers.int8 import RECTIFIED, SIGNED, Range, round_weights, scale_and_zero


def quantize_static(
    network: onnx.ModelProto, ranges: Mapping[str, Range], in_float: Collection[str] = ()
) -> onnx.ModelProto:
    """Weights in int8 per channel, activations in uint8 per tensor.

    ONNX Runtime makes integer convolutions of it. The last convolution computes in float32 on int8 weights, since
    log-probabilities in 256 steps would tie. Masks become minima with 0 or 255, which cost a fifth of a product.

    Args:
        network: as ``prepared`` leaves it.
        ranges: of the tensors that ``activations`` names.
        in_float: names of further convolutions to compute in float32, on float16 weights.
    """
    return _Quantizer(network, ranges, in_float).run()


def activations(network: onnx.ModelProto) -> list[str]:
    """The tensors that a quantised graph of this network rounds to 8 bits."""
    asked = _Asked()
    _Quantizer(network, asked, ()).run()
    return list(asked)


def trained_ranges(network: onnx.ModelProto, feature_range: float) -> dict[str, Range]:
    """The ranges of a network that was trained in 8 bits, which are the same for all of its tensors of a kind."""
    view = View(network)

    def within(name: str) -> Range:
        node = view.producer.get(name)
        while node is not None and node.op_type == "Mul":  # a mask
            name = node.input[0]
            node = view.producer.get(name)
        if name == "audio_signal":
            return -feature_range, feature_range
        return RECTIFIED if node is not None and node.op_type == "Relu" else SIGNED

    return {name: within(name) for name in activations(network)}


class _Asked(dict[str, Range]):
    """Any range that is asked for, remembered."""

    def __missing__(self, name: str) -> Range:
        return self.setdefault(name, (0.0, 1.0))


class _Quantizer:
    def __init__(self, network: onnx.ModelProto, ranges: Mapping[str, Range], in_float: Collection[str]) -> None:
        self.network, self.ranges, self.in_float = network, ranges, set(in_float)
        self.view = View(network)
        self.nodes: list[onnx.NodeProto] = []
        self.constants: dict[str, npt.NDArray[np.generic]] = {}
        self.rounded: dict[str, str] = {}  # float tensor → the name of its uint8 form
        self.steps: dict[str, tuple[str, str, np.float32, np.uint8]] = {}  # uint8 tensor → scale, zero and their names
        self.restored: dict[str, str] = {}  # float tensor → the name of its value after rounding

    def run(self) -> onnx.ModelProto:
        last = [node.name for node in self.network.graph.node if node.op_type == "Conv"][-1]
        for node in self.network.graph.node:
            if node.op_type == "Conv" and node.input[1] in self.view.constant:
                if node.name == last:
                    self._float_convolution(node, self._weight(node.input[1]))
                elif node.name in self.in_float:
                    self._float_convolution(node, self._half_weight(node.input[1]))
                    self._round_after(node)
                else:
                    self._integer_convolution(node)
            elif node.op_type == "Mul" and self._mask_of(node):
                self._mask(node)
            elif node.op_type in ("Concat", "Add") and all(name in self.rounded for name in node.input):
                self._round_output(node, [self._restore(name) for name in node.input])
            elif node.op_type == "Relu" and node.output[0] in self.rounded:
                continue
            else:
                self._copy(node, [self._restore(name) for name in node.input])
        return self._model()

    def _integer_convolution(self, node: onnx.NodeProto) -> None:
        signal = self._restore(self._round(node.input[0]))
        bias = bias_of(self.view, node)
        added = [self._half(f"{node.name}_bias", bias.astype(np.float16))] if bias.any() else []
        self._round_output(node, [signal, self._weight(node.input[1]), *added])

    def _float_convolution(self, node: onnx.NodeProto, weight: str) -> None:
        # The sum apart from the product keeps ONNX Runtime from making an integer convolution of it.
        product = f"{node.output[0]}_product"
        without = helper.make_node("Conv", [], [product], name=node.name)
        without.attribute.extend(node.attribute)
        self._copy(without, [self._restore(node.input[0]), weight])
        bias = self._constant(f"{node.name}_bias_column", bias_of(self.view, node)[:, None])
        self.nodes.append(helper.make_node("Add", [product, bias], [node.output[0]]))

    def _round_output(self, node: onnx.NodeProto, inputs: list[str]) -> None:
        self._copy(node, inputs)
        self._round_after(node)

    def _round_after(self, node: onnx.NodeProto) -> None:
        output = node.output[0]
        relu = self.view.only_reader(output, "Relu")
        if relu is not None:
            self._copy(relu, list(relu.input))
            output = relu.output[0]
        self._round(output)

    def _mask_of(self, node: onnx.NodeProto) -> str:
        """The boolean tensor that a product masks by, or nothing."""
        cast = self.view.producer.get(node.input[1])
        return cast.input[0] if cast is not None and cast.op_type == "Cast" else ""

    def _mask(self, node: onnx.NodeProto) -> None:
        signal, inside = node.input[0], self._mask_of(node)
        rounded = self.rounded.get(signal)
        if rounded is None or self.steps[rounded][3] != 0:
            self._copy(node, [self._restore(signal), node.input[1]])
            return
        keep = f"{inside}_keep"
        if all(keep not in one.output for one in self.nodes):
            full, none = self._constant("full", np.uint8(255)), self._constant("none", np.uint8(0))
            self.nodes.append(helper.make_node("Where", [inside, full, none], [keep]))
        masked = f"{node.output[0]}_rounded"
        self.nodes.append(helper.make_node("Min", [rounded, keep], [masked]))
        self.rounded[node.output[0]] = masked
        self.steps[masked] = self.steps[rounded]

    def _round(self, name: str) -> str:
        if name not in self.rounded:
            scale, zero = scale_and_zero(*self.ranges[name])
            names = self._constant(f"{name}_scale", scale), self._constant(f"{name}_zero", zero)
            self.rounded[name] = f"{name}_rounded"
            self.steps[self.rounded[name]] = (*names, scale, zero)
            self.nodes.append(helper.make_node("QuantizeLinear", [name, *names], [self.rounded[name]]))
        return name

    def _restore(self, name: str) -> str:
        if name not in self.rounded:
            return name
        if name not in self.restored:
            self.restored[name] = f"{name}_restored"
            scale, zero, _, _ = self.steps[self.rounded[name]]
            self.nodes.append(
                helper.make_node("DequantizeLinear", [self.rounded[name], scale, zero], [self.restored[name]])
            )
        return self.restored[name]

    def _weight(self, name: str) -> str:
        values, scale = round_weights(self.view.constant[name])
        inputs = [self._constant(f"{name}_int8", values), self._half(f"{name}_scale", scale)]
        self.nodes.append(helper.make_node("DequantizeLinear", inputs, [f"{name}_restored"], axis=0))
        return f"{name}_restored"

    def _half_weight(self, name: str) -> str:
        return self._half(f"{name}_float", self.view.constant[name].astype(np.float16))

    def _half(self, name: str, values: npt.NDArray[np.float16]) -> str:
        half = self._constant(f"{name}_half", values)
        self.nodes.append(helper.make_node("Cast", [half], [name], to=onnx.TensorProto.FLOAT))
        return name

    def _constant(self, name: str, value: npt.NDArray[np.generic] | np.generic) -> str:
        self.constants[name] = np.asarray(value)
        return name

    def _copy(self, node: onnx.NodeProto, inputs: list[str]) -> None:
        copied = onnx.NodeProto()
        copied.CopyFrom(node)
        copied.input[:] = inputs
        self.nodes.append(copied)

    def _model(self) -> onnx.ModelProto:
        old = self.network.graph
        tensors = [numpy_helper.from_array(value, name) for name, value in self.constants.items()]
        graph = helper.make_graph(self.nodes, old.name, old.input, old.output, [*old.initializer, *tensors])
        drop_unread(graph)
        shorten_names(graph)
        opsets = self.network.opset_import
        return helper.make_model(graph, opset_imports=opsets, ir_version=self.network.ir_version)


def shorten_names(graph: onnx.GraphProto) -> None:
    """Name inner tensors by numbers, which keeps 50 kB out of the file."""
    ends = {one.name for one in [*graph.input, *graph.output]}
    short: dict[str, str] = {name: name for name in ends | {""}}

    def rename(name: str) -> str:
        return short.setdefault(name, str(len(short)))

    for node in graph.node:
        node.input[:] = [rename(name) for name in node.input]
        node.output[:] = [rename(name) for name in node.output]
        node.name = ""
    for tensor in graph.initializer:
        tensor.name = rename(tensor.name)
