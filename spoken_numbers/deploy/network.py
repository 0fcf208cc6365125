"""A network graph in the form that quantisation works on, and views of it."""

import numpy as np
import numpy.typing as npt
import onnx
from onnx import helper, numpy_helper


def prepared(network: onnx.ModelProto) -> onnx.ModelProto:
    """The same function with constants as initialisers, and a residual's 1×1 convolution joined to the main one.

    ``W x + V y`` is ``[W V] [x; y]``: one product in place of two and a sum, which an int8 graph rounds once in place
    of three times.
    """
    model = onnx.ModelProto()
    model.CopyFrom(network)
    graph = model.graph
    for node in [node for node in graph.node if node.op_type == "Constant"]:
        tensor = onnx.TensorProto()
        tensor.CopyFrom(node.attribute[0].t)
        tensor.name = node.output[0]
        graph.initializer.append(tensor)
        graph.node.remove(node)
    same = {node.output[0]: node.input[0] for node in graph.node if node.op_type == "Identity"}
    for node in graph.node:  # the exporter gives equal weights one name
        node.input[:] = [same.get(name, name) for name in node.input]
    view = View(model)
    for node in [node for node in graph.node if node.op_type == "Add"]:
        main, residual = (view.producer.get(name) for name in node.input)
        if main is not None and residual is not None and view.is_pointwise(main) and view.is_pointwise(residual):
            _join(graph, view, node, main, residual)
    drop_unread(graph)
    return model


class View:
    """Who makes and who reads each tensor of a graph, and the values of its constants."""

    def __init__(self, model: onnx.ModelProto) -> None:
        graph = model.graph
        self.constant = {one.name: numpy_helper.to_array(one) for one in graph.initializer}
        self.producer = {name: node for node in graph.node for name in node.output}
        self.readers: dict[str, list[onnx.NodeProto]] = {}
        for node in graph.node:
            for name in node.input:
                self.readers.setdefault(name, []).append(node)
        self.outputs = {one.name for one in graph.output}

    def is_pointwise(self, node: onnx.NodeProto) -> bool:
        """A 1×1 convolution of stride 1 over all channels whose output one node reads."""
        if node.op_type != "Conv" or len(self.readers.get(node.output[0], [])) != 1:
            return False
        weight = self.constant.get(node.input[1])
        strides = attribute(node, "strides", [1])
        return weight is not None and weight.shape[2:] == (1,) and strides == [1] and attribute(node, "group", 1) == 1

    def only_reader(self, name: str, op_type: str) -> onnx.NodeProto | None:
        readers = self.readers.get(name, [])
        if len(readers) == 1 and readers[0].op_type == op_type and name not in self.outputs:
            return readers[0]
        return None


def attribute(node: onnx.NodeProto, name: str, default: object) -> object:
    found = [helper.get_attribute_value(one) for one in node.attribute if one.name == name]
    return found[0] if found else default


def bias_of(view: View, node: onnx.NodeProto) -> npt.NDArray[np.float32]:
    weight = view.constant[node.input[1]]
    return view.constant[node.input[2]] if len(node.input) > 2 else np.zeros(len(weight), np.float32)


def drop_unread(graph: onnx.GraphProto) -> None:
    """Remove nodes, initialisers that nothing reads."""
    read = {one.name for one in graph.output}
    for node in reversed(list(graph.node)):
        if read.isdisjoint(node.output):
            graph.node.remove(node)
        else:
            read.update(node.input)
    for tensor in list(graph.initializer):
        if tensor.name not in read:
            graph.initializer.remove(tensor)


def _join(
    graph: onnx.GraphProto, view: View, add: onnx.NodeProto, main: onnx.NodeProto, residual: onnx.NodeProto
) -> None:
    out = add.output[0]
    weights = [view.constant[node.input[1]] for node in (main, residual)]
    biases = [bias_of(view, node) for node in (main, residual)]
    graph.initializer.append(numpy_helper.from_array(np.concatenate(weights, axis=1), f"{out}_weight"))
    graph.initializer.append(numpy_helper.from_array(biases[0] + biases[1], f"{out}_bias"))
    both = f"{out}_inputs"
    joined = [
        helper.make_node("Concat", [main.input[0], residual.input[0]], [both], name=f"{main.name}/inputs", axis=1),
        helper.make_node("Conv", [both, f"{out}_weight", f"{out}_bias"], [out], name=main.name, kernel_shape=[1]),
    ]
    at = list(graph.node).index(add)
    for node in reversed(joined):
        graph.node.insert(at, node)
    graph.node.remove(add)
