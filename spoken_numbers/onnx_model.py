"""An exported model: its file, what its metadata says of it, and ONNX Runtime's session for it."""

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import onnxruntime

from spoken_numbers.audio import FloatArray, padded
from spoken_numbers.decoding.confidence import Calibration
from spoken_numbers.errors import UserError

onnxruntime.set_default_logger_severity(3)  # errors only: optimisations that do not apply are no news


AGAIN = "copy or export it again"

MOST_BYTES = 256_000_000
"""Of a file; the largest published config takes 26 MB in float32."""


class OnnxModelError(UserError):
    """An ONNX file that cannot be used."""


@dataclass(frozen=True, slots=True)
class Metadata:
    """What a runtime must know of a model, as it travels in the ONNX file."""

    graph: str
    """``waveform`` or ``features``: what the graph takes."""
    labels: tuple[str, ...]
    """Without the blank, whose index is ``len(labels)``."""
    sample_rate: int
    """Hz"""
    stride: int
    """Feature frames for each frame of log-probabilities."""
    front_end: dict[str, Any]
    """Feature settings by NeMo's names, lengths in samples."""
    licence: str = ""
    git_revision: str = ""
    metrics: dict[str, float] = field(default_factory=dict)
    training_config: dict[str, Any] = field(default_factory=dict)
    quantization: dict[str, Any] = field(default_factory=dict)
    confidence: Calibration | None = None
    """Of its answers, once it was calibrated."""
    trained_feature_range: float | None = None
    """Of a model that was trained in 8 bits: the magnitude at which its features are cut off."""

    @property
    def frame_seconds(self) -> float:
        """Seconds from one frame of log-probabilities to the next."""
        return self.stride * self.front_end["hop_length"] / self.sample_rate

    def as_properties(self) -> dict[str, str]:
        """The ONNX file's ``metadata_props``; those that sherpa-onnx reads have its names."""
        return {
            "graph": self.graph,
            "labels": json.dumps(self.labels, ensure_ascii=False),
            "blank": str(len(self.labels)),
            "sample_rate": str(self.sample_rate),
            "front_end": json.dumps(self.front_end),
            "license": self.licence,
            "git_revision": self.git_revision,
            "metrics": json.dumps(self.metrics),
            "training_config": json.dumps(self.training_config, ensure_ascii=False, separators=(",", ":")),
            "quantization": json.dumps(self.quantization),
            "confidence": json.dumps(asdict(self.confidence) if self.confidence else {}),
            "trained_feature_range": json.dumps(self.trained_feature_range),
            "model_type": "EncDecCTCModel",
            "normalize_type": "per_feature",
            "subsampling_factor": str(self.stride),
            "vocab_size": str(len(self.labels)),
            "url": "https://arxiv.org/abs/1910.10261",
        }

    @classmethod
    def from_properties(cls, properties: dict[str, str], where: str) -> Self:
        """Raises OnnxModelError when they are missing or broken, as in files from other exporters."""
        try:
            labels = json.loads(properties["labels"])
            calibration = json.loads(properties.get("confidence", "{}"))
            reach = json.loads(properties.get("trained_feature_range", "null"))
            if not all(isinstance(label, str) for label in labels):
                raise ValueError("labels")
            return cls(
                graph=properties["graph"],
                labels=tuple(labels),
                sample_rate=int(properties["sample_rate"]),
                stride=int(properties["subsampling_factor"]),
                front_end=dict(json.loads(properties["front_end"])),
                licence=properties.get("license", ""),
                git_revision=properties.get("git_revision", ""),
                metrics=dict(json.loads(properties.get("metrics", "{}"))),
                training_config=dict(json.loads(properties.get("training_config", "{}"))),
                quantization=dict(json.loads(properties.get("quantization", "{}"))),
                confidence=Calibration(**calibration) if calibration else None,
                trained_feature_range=None if reach is None else float(reach),
            )
        except KeyError as missing:
            raise OnnxModelError(
                f"metadata says nothing of {missing}", where=where, todo="export it with quantization/export_onnx.py"
            ) from None
        except (ValueError, TypeError, OverflowError, RecursionError) as error:
            raise OnnxModelError(
                f"metadata cannot be read: {error}",
                where=where,
                todo="export it again with quantization/export_onnx.py",
            ) from None


@dataclass(frozen=True, slots=True)
class OnnxModel:
    """A loaded model."""

    path: Path
    session: onnxruntime.InferenceSession
    metadata: Metadata

    @property
    def taken(self) -> str:
        """The graph's first input."""
        return "waveform" if self.metadata.graph == "waveform" else "audio_signal"

    def log_probabilities(self, waveforms: Sequence[FloatArray]) -> list[FloatArray]:
        """One (frames, labels + 1) array for each waveform at ``metadata.sample_rate`` Hz, run as one padded batch.

        Raises:
            OnnxModelError: a features graph, or one that fails.
        """
        if self.metadata.graph != "waveform":
            todo = "use the file without _features, or one of the runtimes that compute features"
            raise OnnxModelError("model takes features, not a waveform", where=str(self.path), todo=todo)
        return self.run(*padded(waveforms, self.metadata.sample_rate)) if waveforms else []

    def run(self, signal: FloatArray, lengths: npt.NDArray[np.int64]) -> list[FloatArray]:
        """A padded batch of what the graph takes, and its lengths → (frames, labels + 1) log-probabilities of each.

        Raises:
            OnnxModelError: a graph that fails or answers something else.
        """
        fed = {self.taken: signal, "length": lengths}
        try:
            log_probs, frames = self.session.run(["logprobs", "logprobs_length"], fed)
        except Exception as error:
            raise OnnxModelError(f"cannot run model: {reason_of(error)}", where=str(self.path), todo=AGAIN) from None
        if not self._fit(len(lengths), log_probs, frames):
            raise OnnxModelError("model answers no log-probabilities", where=str(self.path), todo=AGAIN)
        return [one[:count] for one, count in zip(log_probs, frames, strict=True)]

    def _fit(self, batch: int, log_probs: Any, frames: Any) -> bool:
        return (
            isinstance(log_probs, np.ndarray)
            and isinstance(frames, np.ndarray)
            and (log_probs.dtype, frames.dtype) == (np.float32, np.int64)
            and log_probs.ndim == 3
            and log_probs.shape[::2] == (batch, len(self.metadata.labels) + 1)
            and frames.shape == (batch,)
            and bool(((frames >= 0) & (frames <= log_probs.shape[1])).all())
        )


def open_model(path: Path, threads: int = 1) -> OnnxModel:
    """Load an exported model for the CPU.

    Args:
        threads: for one inference; 0 for as many as there are cores.

    Raises:
        OnnxModelError: no such file, not ONNX, or not exported by this project.
    """
    if not path.is_file():
        raise OnnxModelError("no such model", where=str(path), todo="check the path, or export one with quantization/")
    if path.stat().st_size > MOST_BYTES:
        what, todo = f"{path.stat().st_size / 1e6:.0f} MB are no small recogniser", "give a model exported here"
        raise OnnxModelError(what, where=str(path), todo=todo)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 4  # none: what fails is raised
    # Weights are in the file itself: a folder that holds nothing, so that a stranger's model reads no other file.
    options.add_session_config_entry("session.model_external_initializers_file_folder_path", os.devnull)
    try:
        session = onnxruntime.InferenceSession(
            path.read_bytes(),  # a path need not be text
            options,
            providers=["CPUExecutionProvider"],
            enable_fallback=0,  # which prints, and tries the same
        )
        said = session.get_modelmeta().custom_metadata_map  # which need not be UTF-8
    except Exception as error:
        raise OnnxModelError(f"cannot load model: {reason_of(error)}", where=str(path), todo=AGAIN) from None
    metadata = Metadata.from_properties(said, str(path))
    model = OnnxModel(path, session, metadata)
    if reason := _untrue(model):
        todo = "export it again with quantization/export_onnx.py"
        raise OnnxModelError(f"metadata is not the graph's: {reason}", where=str(path), todo=todo)
    return model


def reason_of(error: Exception) -> str:
    """The first line of any error, since ONNX Runtime's classes have no common base of their own."""
    return (str(error).strip() or type(error).__name__).splitlines()[0][:200]


def _untrue(model: OnnxModel) -> str:
    """What the metadata says that cannot be so; empty where all may be."""
    said, session = model.metadata, model.session
    if not 4_000 <= said.sample_rate <= 192_000:
        return f"a sample rate of {said.sample_rate} Hz"
    hop = said.front_end.get("hop_length")
    if not isinstance(hop, int) or not 0 < said.stride * hop <= said.sample_rate:
        return f"a frame of {said.stride} times {hop} samples"
    inputs = {one.name for one in session.get_inputs()}
    outputs = {one.name: one.shape for one in session.get_outputs()}
    if inputs != {model.taken, "length"} or not {"logprobs", "logprobs_length"} <= outputs.keys():
        return f"inputs {', '.join(sorted(inputs))} and outputs {', '.join(sorted(outputs))}"
    labels = outputs["logprobs"][-1] if outputs["logprobs"] else None
    if isinstance(labels, int) and labels != len(said.labels) + 1:
        return f"{len(said.labels)} labels and a blank for {labels} outputs"
    return ""
