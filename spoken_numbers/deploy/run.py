"""Networks at work: features in, log-probabilities and latencies out."""

import time
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime

from spoken_numbers.audio import FloatArray, padded

Features = tuple[FloatArray, npt.NDArray[np.int64]]
"""``audio_signal`` (1, features, frames) and ``length`` (1,) of one utterance."""


def session_of(model: onnx.ModelProto, threads: int = 0) -> onnxruntime.InferenceSession:
    """ONNX Runtime's session on the CPU; as many threads as cores by default."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 4  # none: what fails is raised
    return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])


def features_of(front_end: onnx.ModelProto, waveforms: Iterable[FloatArray], sample_rate: int) -> Iterator[Features]:
    session = session_of(front_end)
    for waveform in waveforms:
        signal, length = padded([waveform], sample_rate)
        yield tuple(session.run(["audio_signal", "audio_length"], {"waveform": signal, "length": length}))


def log_probabilities_of(network: onnx.ModelProto, features: Iterable[Features]) -> Iterator[FloatArray]:
    """(frames, labels + 1) of each utterance."""
    session = session_of(network)
    for signal, length in features:
        log_probs, frames = session.run(["logprobs", "logprobs_length"], {"audio_signal": signal, "length": length})
        yield log_probs[0, : frames[0]]


def latencies(networks: Sequence[onnx.ModelProto], features: Features, rounds: int = 30) -> list[float]:
    """The least seconds that each network takes for one utterance on one thread, measured in turns.

    The least of many: what else the machine does can only add to it.
    """
    sessions = [session_of(network, threads=1) for network in networks]
    taken: list[list[float]] = [[] for _ in networks]
    fed = {"audio_signal": features[0], "length": features[1]}
    for _ in range(rounds):
        for session, times in zip(sessions, taken, strict=True):
            start = time.perf_counter()
            session.run(None, fed)
            times.append(time.perf_counter() - start)
    return [min(times) for times in taken]
