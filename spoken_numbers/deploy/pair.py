"""The two files of a model: one that takes a waveform, and one that takes features, for runtimes that compute them."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import onnx
from onnx import compose

from spoken_numbers.deploy.front_end import FRONT_END
from spoken_numbers.deploy.run import features_of, log_probabilities_of
from spoken_numbers.errors import UserError
from spoken_numbers.files import written_whole
from spoken_numbers.onnx_model import AGAIN, Metadata, OnnxModelError, open_model, reason_of

MOST_BANDS = 512
"""Of a front end; the released model has 80."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A model in two parts.

    ``front_end``: ``waveform``, ``length`` → ``audio_signal``, ``audio_length``; absent from a model that was read from
    a features graph. ``network``: ``audio_signal``, ``length`` → ``logprobs``, ``logprobs_length``.
    """

    front_end: onnx.ModelProto | None
    network: onnx.ModelProto
    metadata: Metadata

    def graphs(self) -> dict[str, onnx.ModelProto]:
        """The files' contents by what they take: ``waveform``, where there is a front end, and ``features``."""
        features = onnx.ModelProto()
        features.CopyFrom(self.network)
        graphs = {"features": features}
        if self.front_end is not None:
            joints = [("audio_signal", "audio_signal"), ("audio_length", "length")]
            waveform = compose.merge_models(self.front_end, self.network, io_map=joints)
            del waveform.opset_import[:]  # it has the default domain twice
            waveform.opset_import.extend(self.network.opset_import)
            graphs = {"waveform": waveform, **graphs}
        for takes, graph in graphs.items():
            graph.producer_name, graph.producer_version, graph.doc_string = "spoken-numbers", "", ""
            onnx.helper.set_model_props(graph, replace(self.metadata, graph=takes).as_properties())
        return graphs


def paths_of(pair: Pair, path: Path) -> list[Path]:
    """``NAME.onnx``, and beside it ``NAME_features.onnx``; a pair without a front end has only ``NAME.onnx``."""
    return [path] if pair.front_end is None else [path, path.with_name(f"{path.stem}_features{path.suffix}")]


def read_pair(path: Path) -> Pair:
    """Read either file of an exported model.

    Raises:
        OnnxModelError: missing, not ONNX, or not exported by this project.
    """
    metadata = open_model(path).metadata
    bands = metadata.front_end.get("features")
    if not isinstance(bands, int) or not 0 < bands <= MOST_BANDS:
        raise OnnxModelError(f"metadata is not the graph's: {bands} mel bands", where=str(path), todo=AGAIN)
    try:
        model = onnx.load(path, load_external_data=False)
        pair = Pair(None, model, metadata) if metadata.graph == "features" else _apart(model, metadata, bands)
        _run(pair, bands)
    except Exception as error:
        raise OnnxModelError(f"cannot run model: {reason_of(error)}", where=str(path), todo=AGAIN) from None
    return pair


def _apart(model: onnx.ModelProto, metadata: Metadata, bands: int) -> Pair:
    front = [node for node in model.graph.node if node.name.startswith(FRONT_END)]
    network = [node for node in model.graph.node if not node.name.startswith(FRONT_END)]
    for node in network:
        node.input[:] = ["length" if name == "audio_length" else name for name in node.input]
    signal = _tensor("audio_signal", onnx.TensorProto.FLOAT, ["batch", bands, "frames"])
    lengths = {name: _tensor(name, onnx.TensorProto.INT64, ["batch"]) for name in ("length", "audio_length")}
    return Pair(
        _part(model, front, list(model.graph.input), [signal, lengths["audio_length"]]),
        _part(model, network, [signal, lengths["length"]], list(model.graph.output)),
        metadata,
    )


def _run(pair: Pair, bands: int) -> None:
    """A second of silence, and as many features as the metadata promise."""
    if pair.front_end is not None:
        rate = pair.metadata.sample_rate
        ((features, _),) = features_of(pair.front_end, [np.zeros(rate, np.float32)], rate)
        if features.shape[1] != bands:
            raise ValueError(f"{features.shape[1]} mel bands in place of {bands}")
    frames = 100
    list(log_probabilities_of(pair.network, [(np.zeros((1, bands, frames), np.float32), np.array([frames]))]))


@contextmanager
def written_pair(pair: Pair, path: Path) -> Iterator[list[Path]]:
    """Write ``path``, its features graph beside it, and ``tokens.txt``; none of them stays when the block fails.

    A pair without a front end is written to ``path`` alone. Gives the temporary paths of the graphs, to be examined.

    Raises:
        UserError: a ``tokens.txt`` of other labels lies there.
    """
    graphs = list(pair.graphs().values())
    finals = paths_of(pair, path)
    tokens = path.parent / "tokens.txt"
    text = tokens_text(pair.metadata.labels)
    if tokens.exists() and tokens.read_text(encoding="utf-8") != text:
        raise UserError("tokens.txt is another model's", where=str(tokens), todo="write to a folder of its own")
    with ExitStack() as stack:
        temporaries = [stack.enter_context(written_whole(final)) for final in finals]
        for graph, temporary in zip(graphs, temporaries, strict=True):
            onnx.save(graph, temporary)
        stack.enter_context(written_whole(tokens)).write_text(text, encoding="utf-8")
        yield temporaries


def tokens_text(labels: Sequence[str]) -> str:
    """sherpa-onnx's and onnx-asr's table: a label (▁ for a space) and its index on each line, the blank last."""
    return "".join(f"{label.replace(' ', '▁')} {index}\n" for index, label in enumerate([*labels, "<blk>"]))


def _tensor(name: str, kind: int, shape: list[str | int]) -> onnx.ValueInfoProto:
    return onnx.helper.make_tensor_value_info(name, kind, shape)


def _part(
    model: onnx.ModelProto,
    nodes: list[onnx.NodeProto],
    inputs: list[onnx.ValueInfoProto],
    outputs: list[onnx.ValueInfoProto],
) -> onnx.ModelProto:
    read = {name for node in nodes for name in node.input}
    weights = [weight for weight in model.graph.initializer if weight.name in read]
    graph = onnx.helper.make_graph(nodes, model.graph.name, inputs, outputs, weights)
    return onnx.helper.make_model(graph, opset_imports=model.opset_import, ir_version=model.ir_version)
