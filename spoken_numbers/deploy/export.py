"""A NeMo CTC model → ONNX files that are proved to agree with it."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import numpy.typing as npt
import torch
from nemo.collections.asr.models import EncDecCTCModel
from omegaconf import DictConfig, OmegaConf

from spoken_numbers.audio import FloatArray
from spoken_numbers.decoding.greedy import greedy
from spoken_numbers.deploy.front_end import FrontEnd, front_end_graph, front_end_of
from spoken_numbers.deploy.network_graph import OPSET, network_graph
from spoken_numbers.deploy.pair import Pair, paths_of, written_pair
from spoken_numbers.errors import UserError
from spoken_numbers.onnx_model import Metadata, OnnxModel, open_model
from spoken_numbers.training.equalization import equalize, is_equalizable
from spoken_numbers.training.load import ModelError, features_of_batch, load_model, log_probabilities_of_batch
from spoken_numbers.training.manifests import manifest_paths
from spoken_numbers.training.model import encoder_stride
from spoken_numbers.training.relative_guard import guard
from spoken_numbers.utterances import spread

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
    rounded: int
    """Utterances beyond the tolerance, at most twice as far off float64's result as PyTorch's float32 on the worst."""


def export(
    model_path: Path, out: Path, manifests: Sequence[Path], licence: str, utterances: int = 128
) -> list[Agreement]:
    """Write ``out`` (waveform graph), its features graph beside it, and ``tokens.txt``.

    Each graph is run over real utterances, one by one and in padded batches of eight, and compared with the model in
    PyTorch; nothing is written unless they agree.

    Args:
        manifests: whose utterances to compare on, and to measure the reach of channels on, so they should be like those
            that the model will hear; none for those that it was trained on.

    Raises:
        ModelError: no CTC model, or one whose layers or features cannot be exported.
        DisagreementError: names the utterance and the difference.
    """
    model, front = _exportable(model_path)
    manifests = manifests or _own_manifests(model.cfg, model_path)
    waveforms = list(spread(manifests, utterances, front.sample_rate))
    pair = _pair(_equalized(model_path, model, waveforms), front, licence)
    with written_pair(pair, out) as temporaries:
        return [
            _compare(model, open_model(temporary), final, waveforms)
            for final, temporary in zip(paths_of(pair, out), temporaries, strict=True)
        ]


@contextmanager
def as_onnx(model_path: Path) -> Iterator[Path]:
    """The waveform graph of a ``.nemo`` file or a checkpoint in a temporary file, which was compared with nothing.

    Raises:
        ModelError: no CTC model, or one whose layers or features cannot be exported.
    """
    model, front = _exportable(model_path)
    with (
        TemporaryDirectory(prefix="spoken_numbers.") as folder,
        written_pair(_pair(model, front, ""), Path(folder) / "model.onnx") as (waveform_graph, *_),
    ):
        yield waveform_graph


def _exportable(path: Path) -> tuple[EncDecCTCModel, FrontEnd]:
    model = load_model(path)
    if "jasper" not in model.cfg.encoder:
        raise ModelError("encoder is not made of QuartzNet's blocks", where=str(path), todo="give a QuartzNet")
    if model.cfg.get("preprocessor") is None or not hasattr(model.preprocessor, "featurizer"):
        raise ModelError("model has no log-mel front end", where=str(path), todo="give a QuartzNet")
    return model, front_end_of(model.preprocessor.featurizer)


def _pair(model: EncDecCTCModel, front: FrontEnd, licence: str) -> Pair:
    return Pair(front_end_graph(front, OPSET), network_graph(model), _metadata(model, front, licence))


def _equalized(path: Path, model: EncDecCTCModel, waveforms: Sequence[FloatArray]) -> EncDecCTCModel:
    """The same function with channels of like reach, which rounding to 8 bits then serves alike."""
    if not is_equalizable(model) or model.cfg.get("quantization"):  # trained in 8 bits, it is equalised already
        return model
    twin = load_model(path)  # apart from the model that the export is compared with
    batches = [features_of_batch(model, waveforms[start : start + 8]) for start in range(0, len(waveforms), 8)]
    equalize(twin, [(torch.from_numpy(features), torch.from_numpy(lengths)) for features, lengths in batches])
    return twin


def _metadata(model: EncDecCTCModel, front: FrontEnd, licence: str) -> Metadata:
    provenance = OmegaConf.to_container(model.cfg.get("provenance") or OmegaConf.create())
    assert isinstance(provenance, dict)
    config = OmegaConf.to_container(model.cfg, resolve=True)
    assert isinstance(config, dict)
    config.pop("provenance", None)
    return Metadata(
        graph="",
        labels=tuple(model.decoder.vocabulary),
        sample_rate=front.sample_rate,
        stride=encoder_stride(model.cfg),
        front_end=front.description,
        licence=licence,
        git_revision=provenance.get("git_revision", ""),
        metrics=provenance.get("metrics", {}),
        training_config=provenance.get("training_config", {"model": config}),
        trained_feature_range=OmegaConf.select(model.cfg, "quantization.features"),
    )


def _own_manifests(cfg: DictConfig, where: Path) -> list[Path]:
    training = OmegaConf.select(cfg, "provenance.training_config.model.train_ds") or cfg.get("train_ds")
    if training is not None and training.get("manifest_filepath") is not None:
        manifests = list(dict.fromkeys(manifest_paths(training)))
        if not training.get("is_tarred") and all(manifest.is_file() for manifest in manifests):
            return manifests
    raise UserError("no utterances to compare the export on", where=str(where), todo="give --manifest")


def _compare(model: EncDecCTCModel, exported: OnnxModel, final: Path, waveforms: Sequence[FloatArray]) -> Agreement:
    inputs, outputs = (
        {one.name: one.shape for one in ends}
        for ends in (exported.session.get_inputs(), exported.session.get_outputs())
    )
    takes = exported.metadata.graph
    wanted = {"waveform" if takes == "waveform" else "audio_signal", "length"}
    if set(inputs) != wanted or set(outputs) != {"logprobs", "logprobs_length"}:
        raise DisagreementError(f"inputs {set(inputs)}, outputs {set(outputs)}", where=takes, todo="report this")
    largest, exceeding, exact = 0.0, list[tuple[int, str, float, float]](), _Exact(model)
    for size in (1, 8):
        for index, expected, actual in _side_by_side(model, exported, waveforms, size):
            where = f"utterance {index + 1} of {len(waveforms)}, {takes} graph, batch of {size}"
            if expected.shape != actual.shape:
                raise _disagreement(f"of shape {actual.shape} in place of {expected.shape}", where)
            difference = float(np.abs(expected - actual).max(initial=0.0))
            largest = max(largest, difference)
            if greedy(expected, exported.metadata.labels) != greedy(actual, exported.metadata.labels):
                raise _disagreement(f"differ by {difference:.2g}, and so do labels", where)
            if not difference < TOLERANCE:  # or no number
                truth = exact.log_probabilities(waveforms[index], takes)
                own, its = (float(np.abs(one - truth).max(initial=0.0)) for one in (expected, actual))
                exceeding.append((index, where, own, its))
    allowed = TOLERANCE + 2 * max((own for _, _, own, _ in exceeding), default=0.0)
    for _, where, _, its in exceeding:
        if not its < allowed:
            raise _disagreement(f"are {its:.2g} off those of float64, and PyTorch's at most {allowed / 2:.2g}", where)
    rounded = {index for index, *_ in exceeding}
    return Agreement(final, exported.path.stat().st_size, inputs, outputs, len(waveforms), largest, len(rounded))


def _disagreement(how: str, where: str) -> DisagreementError:
    return DisagreementError(
        f"export does not agree with the model: log-probabilities {how}", where=where, todo="report this"
    )


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


class _Exact:
    """The model in float64.

    Bands without energy, as in recordings of 8 kHz, hold little but rounding, which normalisation then blows up: there
    PyTorch itself has been seen 2.3e-3 off. So it is where long training has taken log-probabilities beyond -1000.
    """

    def __init__(self, model: EncDecCTCModel) -> None:
        self._model, self._twin = model, None

    def log_probabilities(self, waveform: FloatArray, takes: str) -> npt.NDArray[np.float64]:
        """(frames, labels + 1), from what the graph takes."""
        twin = self._twin = self._twin or _in_float64(self._model)
        if takes == "waveform":
            signal, lengths = torch.from_numpy(waveform).double()[None], torch.tensor([len(waveform)])
            given = {"input_signal": signal, "input_signal_length": lengths}
        else:
            features, frames = map(torch.from_numpy, features_of_batch(self._model, [waveform]))
            given = {"processed_signal": features.double(), "processed_signal_length": frames}
        with torch.inference_mode():
            log_probs, frames, _ = twin(**given)
        exact: npt.NDArray[np.float64] = log_probs[0, : frames[0]].numpy()
        return exact


def _in_float64(model: EncDecCTCModel) -> EncDecCTCModel:
    twin = EncDecCTCModel(cfg=model.cfg)
    twin.load_state_dict(model.state_dict())
    guard(twin)
    twin.double().eval()
    featurizer = twin.preprocessor.featurizer

    def stft(signal: torch.Tensor) -> torch.Tensor:
        return torch.stft(
            signal, featurizer.n_fft, featurizer.hop_length, featurizer.win_length, featurizer.window,
            pad_mode="constant", return_complex=True,
        )  # fmt: skip

    featurizer.stft = stft  # NeMo's own has its window in float32
    return twin
