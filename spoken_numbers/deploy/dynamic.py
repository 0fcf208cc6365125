"""A network graph → int8 weights, activations scaled anew for each inference; no data is needed."""

import logging
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper
from onnxruntime.quantization import QuantType, quantize_dynamic

from spoken_numbers.deploy.network import View, bias_of, drop_unread
from spoken_numbers.deploy.static import shorten_names
from spoken_numbers.int8 import round_weights


def dynamic_forms() -> dict[str, Callable[[onnx.ModelProto], onnx.ModelProto]]:
    """Ways to compute with int8 weights, by name; which is fastest depends on the CPU, so they are to be measured."""
    return {
        "integer matrix products for 1x1 convolutions, float32 for the others": integer_products,
        "integer convolutions": integer_convolutions,
        "int8 weights restored when loaded, float32 arithmetic": restored_weights,
    }


def integer_products(network: onnx.ModelProto) -> onnx.ModelProto:
    """1×1 convolutions as DynamicQuantizeLinear and MatMulInteger, which ONNX Runtime fuses."""
    return _Rewriter(network, integers=True).run()


def restored_weights(network: onnx.ModelProto) -> onnx.ModelProto:
    """The float graph on int8 weights, which loading turns into float32 once."""
    return _Rewriter(network, integers=False).run()


def integer_convolutions(network: onnx.ModelProto) -> onnx.ModelProto:
    """ONNX Runtime's own dynamic quantisation; with uint8 weights, since int8 ones take a slow path."""
    with tempfile.TemporaryDirectory() as folder:
        before, after = Path(folder) / "float.onnx", Path(folder) / "int8.onnx"
        onnx.save(network, before)
        logging.disable(logging.WARNING)  # it recommends pre-processing, which ``prepared`` has done
        try:
            quantize_dynamic(before, after, weight_type=QuantType.QUInt8)
        finally:
            logging.disable(logging.NOTSET)
        return onnx.load(after)


class _Rewriter:
    def __init__(self, network: onnx.ModelProto, integers: bool) -> None:
        self.network, self.integers = network, integers
        self.view = View(network)
        self.nodes: list[onnx.NodeProto] = []
        self.tensors = list(network.graph.initializer)

    def run(self) -> onnx.ModelProto:
        for node in self.network.graph.node:
            if node.op_type != "Conv" or node.input[1] not in self.view.constant:
                self.nodes.append(node)
            elif self.integers and self.view.is_pointwise(node):
                self._product(node)
            else:
                self._restored(node)
        old = self.network.graph
        graph = helper.make_graph(self.nodes, old.name, old.input, old.output, self.tensors)
        drop_unread(graph)
        shorten_names(graph)
        return helper.make_model(graph, opset_imports=self.network.opset_import, ir_version=self.network.ir_version)

    def _restored(self, node: onnx.NodeProto) -> None:
        weight = self.view.constant[node.input[1]]
        values, scale = round_weights(weight)
        name = node.input[1]
        self._constant(f"{name}_int8", values)
        self._constant(f"{name}_scale", scale.astype(np.float32).reshape(-1, *[1] * (weight.ndim - 1)))
        self._node("Cast", [f"{name}_int8"], f"{name}_steps", to=onnx.TensorProto.FLOAT)
        self._node("Mul", [f"{name}_steps", f"{name}_scale"], f"{name}_restored")
        copied = onnx.NodeProto()
        copied.CopyFrom(node)
        copied.input[1] = f"{name}_restored"
        self.nodes.append(copied)

    def _product(self, node: onnx.NodeProto) -> None:
        values, scale = round_weights(self.view.constant[node.input[1]])
        name = node.output[0]
        self._constant(f"{name}_int8", np.ascontiguousarray(values[:, :, 0].T))
        self._constant(f"{name}_weight_scale", scale.astype(np.float32))
        self._constant(f"{name}_weight_zero", np.zeros(len(scale), np.int8))
        self._constant(f"{name}_product_bias", bias_of(self.view, node))
        self._node("Transpose", [node.input[0]], f"{name}_frames", perm=[0, 2, 1])
        rounded = [f"{name}_rounded", f"{name}_scale", f"{name}_zero"]
        self.nodes.append(helper.make_node("DynamicQuantizeLinear", [f"{name}_frames"], rounded))
        operands = [rounded[0], f"{name}_int8", rounded[2], f"{name}_weight_zero"]
        self._node("MatMulInteger", operands, f"{name}_integers")
        self._node("Cast", [f"{name}_integers"], f"{name}_steps", to=onnx.TensorProto.FLOAT)
        self._node("Mul", [rounded[1], f"{name}_weight_scale"], f"{name}_scales")
        self._node("Mul", [f"{name}_steps", f"{name}_scales"], f"{name}_product")
        self._node("Add", [f"{name}_product", f"{name}_product_bias"], f"{name}_biased")
        self._node("Transpose", [f"{name}_biased"], name, perm=[0, 2, 1])

    def _constant(self, name: str, value: np.ndarray) -> None:
        self.tensors.append(numpy_helper.from_array(value, name))

    def _node(self, op_type: str, inputs: list[str], output: str, **attributes: Any) -> None:
        self.nodes.append(helper.make_node(op_type, inputs, [output], **attributes))
