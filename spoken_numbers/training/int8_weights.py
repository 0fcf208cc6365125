"""An int8 file that was trained in 8 bits → a model whose training goes on from it."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime
import torch
from nemo.collections.asr.models import EncDecCTCModel
from onnx import numpy_helper
from torch import nn

from spoken_numbers.onnx_model import open_model, reason_of
from spoken_numbers.training.equalization import blocks_of, is_equalizable, make_identity, residuals_of, units_of
from spoken_numbers.training.load import ModelError

FloatArray = npt.NDArray[np.float32]
TODO = "give the .nemo file that it was exported from"


@torch.no_grad()
def load_int8_weights(model: EncDecCTCModel, path: Path) -> None:
    """Give a QuartzNet the weights of ``quantization/quantize.py``'s file, so that it computes what the file does.

    Batch normalisations come folded into their convolutions, so training has to leave them as they are
    (``freeze_norms``); channels come equalised.

    Raises:
        OnnxModelError: no usable ONNX file.
        ModelError: a file that was not trained in 8 bits, or of a network of another size.
    """
    if open_model(path).metadata.trained_feature_range is None:
        raise ModelError("model was not trained in 8 bits", where=str(path), todo=TODO)
    if not is_equalizable(model):
        raise ModelError("only plain QuartzNets train in 8 bits", where="model.encoder", todo="choose a size of conf/")
    try:
        convolutions = _convolutions(onnx.load(path, load_external_data=False))
    except Exception as error:  # a stranger's graph may fail anywhere
        raise ModelError(f"cannot read its weights: {reason_of(error)}", where=str(path), todo=TODO) from None
    places = list(_places(model))
    network = convolutions[-len(places) :]  # what comes before is the front end's
    for index, (joined, _) in enumerate(places):
        wanted = (joined[0].out_channels, sum(one.weight.shape[1] for one in joined), *joined[0].kernel_size)
        if index >= len(network) or network[index][0].shape != wanted:
            todo = "choose the size and frontend configs that it was trained with"
            raise ModelError("network of another size", where=str(path), todo=todo)
    for (joined, norms), (weight, bias) in zip(places, network, strict=True):
        parts = torch.from_numpy(weight).split([one.weight.shape[1] for one in joined], dim=1)
        for one, part in zip(joined, parts, strict=True):
            one.weight.copy_(part)
        if joined[0].bias is not None:
            joined[0].bias.copy_(torch.from_numpy(bias))
        for place, norm in enumerate(norms):
            make_identity(norm)
            norm.bias.copy_(torch.from_numpy(bias) if place == 0 else torch.zeros(()))


def _places(model: EncDecCTCModel) -> Iterator[tuple[list[nn.Conv1d], list[nn.BatchNorm1d]]]:
    """Convolutions in the graph's order, a residual's beside the main one, and the normalisations after them."""
    for block in blocks_of(model):
        units, residuals = units_of(block), residuals_of(block)
        for unit in units:
            if unit.depthwise is not None:
                yield [unit.depthwise.conv], []
            beside = residuals if unit is units[-1] else []
            convolutions = [unit.convolution.conv, *(convolution.conv for convolution, _ in beside)]
            yield convolutions, [unit.norm, *(norm for _, norm in beside)]
    yield [model.decoder.decoder_layers[0]], []


def _convolutions(model: onnx.ModelProto) -> list[tuple[FloatArray, FloatArray]]:
    """Weight (out, in, kernel) and bias (out,) of each 1-D convolution, in order, as the graph restores them."""
    initialisers = {one.name: numpy_helper.to_array(one) for one in model.graph.initializer}
    sums = {name: node for node in model.graph.node if node.op_type == "Add" for name in node.input}
    nodes = [node for node in model.graph.node if node.op_type == "Conv"]
    made = {name for node in nodes for name in node.input[1:] if name not in initialisers}
    constant = initialisers | _computed(model, sorted(made))
    found = []
    for node in nodes:
        weight = constant[node.input[1]]
        bias = constant[node.input[2]] if len(node.input) > 2 else np.zeros(len(weight), np.float32)
        after = sums.get(node.output[0])
        if after is not None and after.input[1] in initialisers:  # the decoder's, which is kept apart from its product
            bias = initialisers[after.input[1]].reshape(-1)
        found.append((weight.astype(np.float32), bias.astype(np.float32)))
    return found


def _computed(model: onnx.ModelProto, names: list[str]) -> dict[str, FloatArray]:
    """Tensors that the graph computes of constants alone."""
    part = onnx.utils.Extractor(onnx.shape_inference.infer_shapes(model)).extract_model([], names)
    session = onnxruntime.InferenceSession(part.SerializeToString(), providers=["CPUExecutionProvider"])
    return dict(zip(names, session.run(names, {}), strict=True))
