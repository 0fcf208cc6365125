"""A NeMo CTC model → ONNX files that are proved to agree with it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from nemo.collections.asr.models import EncDecCTCModel
from omegaconf import DictConfig, OmegaConf

from spoken_numbers.audio import FloatArray
from spoken_numbers.decoding.greedy import greedy
from spoken_numbers.deploy.front_end import FrontEnd, front_end_graph, front_end_of
from spoken_numbers.deploy.network_graph import OPSET, network_graph
from spoken_numbers.deploy.pair import Pair, paths_of, written_pair
from spoken_numbers.deploy.utterances import spread
from spoken_numbers.errors import UserError
from spoken_numbers.onnx_model import Metadata, OnnxModel, open_model
from spoken_numbers.training.load import ModelError, features_of_batch, load_model, log_probabilities_of_batch

TOLERANCE = 1e-3
"""The largest difference from torch in log-probability that an export may have."""


class DisagreementError(UserError):
    """An export that does not read as the model does."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """How an exported file compares with the model that it was made of."""

    path: Path
    size: int
    inputs: dict[str, list[int | str]]
    outputs: dict[str, list[int | str]]
    utterances: int
    largest_difference: float
    """In log-probability, over every frame of every utterance, alone and in batches."""


def export(model_path: Path, out: Path, manifest: Path | None, licence: str, utterances: int = 64) -> list[Agreement]:
    """Write ``out`` (waveform graph), its features graph beside it, and ``tokens.txt``.

    Each graph is run over real utterances, one by one and in padded batches of eight, and compared with the model in
    PyTorch; nothing is written unless they agree.

    Args:
        manifest: whose utterances to compare on; by default, those that the model was validated on.

    Raises:
        ModelError: no CTC model, or one whose layers or features cannot be exported.
        DisagreementError: names the utterance and the difference.
    """
    model = load_model(model_path)
    if model.cfg.get("preprocessor") is None or not hasattr(model.preprocessor, "featurizer"):
        raise ModelError("model has no log-mel front end", where=str(model_path), todo="give a QuartzNet")
    manifest = manifest or _own_manifest(model.cfg, model_path)
    front = front_end_of(model.preprocessor.featurizer)
    pair = Pair(front_end_graph(front, OPSET), network_graph(model), _metadata(model, front, licence))
    waveforms = list(spread(manifest, utterances, front.sample_rate))
    with written_pair(pair, out) as temporaries:
        return [
            _compare(model, open_model(temporary), final, waveforms, manifest)
            for final, temporary in zip(paths_of(pair, out), temporaries, strict=True)
        ]


def _metadata(model: EncDecCTCModel, front: FrontEnd, licence: str) -> Metadata:
    provenance = OmegaConf.to_container(model.cfg.get("provenance") or OmegaConf.create())
    assert isinstance(provenance, dict)
    config = OmegaConf.to_container(model.cfg, resolve=True)
    assert isinstance(config, dict)
    config.pop("provenance", None)
    stride = int(np.prod([block["stride"][0] ** block["repeat"] for block in config["encoder"]["jasper"]]))
    return Metadata(
        graph="",
        labels=tuple(model.decoder.vocabulary),
        sample_rate=front.sample_rate,
        stride=stride,
        front_end=front.description,
        licence=licence,
        git_revision=provenance.get("git_revision", ""),
        metrics=provenance.get("metrics", {}),
        training_config=provenance.get("training_config", {"model": config}),
    )


def _own_manifest(cfg: DictConfig, where: Path) -> Path:
    named = OmegaConf.select(cfg, "validation_ds.manifest_filepath")
    manifest = named if isinstance(named, str) or named is None else named[0]
    if manifest is None or not Path(manifest).is_file():
        raise UserError("no utterances to compare the export on", where=str(where), todo="give --manifest")
    return Path(manifest)


def _compare(
    model: EncDecCTCModel, exported: OnnxModel, final: Path, waveforms: Sequence[FloatArray], manifest: Path
) -> Agreement:
    inputs, outputs = (
        {one.name: one.shape for one in ends}
        for ends in (exported.session.get_inputs(), exported.session.get_outputs())
    )
    takes = exported.metadata.graph
    wanted = {"waveform" if takes == "waveform" else "audio_signal", "length"}
    if set(inputs) != wanted or set(outputs) != {"logprobs", "logprobs_length"}:
        raise DisagreementError(f"inputs {set(inputs)}, outputs {set(outputs)}", where=takes, todo="report this")
    largest = 0.0
    for size in (1, 8):
        for index, expected, actual in _side_by_side(model, exported, waveforms, size):
            if expected.shape != actual.shape:
                problem = f"log-probabilities of shape {actual.shape} in place of {expected.shape}"
            else:
                difference = float(np.abs(expected - actual).max(initial=0.0))
                largest = max(largest, difference)
                same = greedy(expected, exported.metadata.labels) == greedy(actual, exported.metadata.labels)
                if same and difference < TOLERANCE:
                    continue
                problem = f"log-probabilities differ by {difference:.2g}" + ("" if same else ", and so do labels")
            where = f"{manifest}, utterance {index + 1}, {takes} graph, batch of {size}"
            raise DisagreementError(f"export does not agree with the model: {problem}", where=where, todo="report this")
    return Agreement(final, exported.path.stat().st_size, inputs, outputs, len(waveforms), largest)


def _side_by_side(
    model: EncDecCTCModel, exported: OnnxModel, waveforms: Sequence[FloatArray], size: int
) -> Iterator[tuple[int, FloatArray, FloatArray]]:
    """Each utterance's index and log-probabilities from PyTorch and from ONNX Runtime, in batches of ``size``."""
    for start in range(0, len(waveforms), size):
        batch = waveforms[start : start + size]
        expected = log_probabilities_of_batch(model, batch)
        if exported.metadata.graph == "waveform":
            actual = exported.log_probabilities(batch)
        else:
            actual = exported.run(*features_of_batch(model, batch))
        for index, (one, other) in enumerate(zip(expected, actual, strict=True), start):
            yield index, one, other
