"""An exported model → int8 files that read the same digit strings."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import onnx

from spoken_numbers.deploy.calibration import Calibration
from spoken_numbers.deploy.dynamic import dynamic_forms
from spoken_numbers.deploy.match import Attempt, Judge, dynamic_attempts, static_attempts
from spoken_numbers.deploy.network import prepared
from spoken_numbers.deploy.pair import Pair, paths_of, read_pair, written_pair
from spoken_numbers.deploy.run import Features, features_of
from spoken_numbers.deploy.static import activations, trained_ranges
from spoken_numbers.errors import UserError
from spoken_numbers.onnx_model import open_model
from spoken_numbers.utterances import spread

LEAST_CALIBRATED = 32
"""Utterances; ranges from fewer are chance."""
CALIBRATED = 400
"""Utterances calibrated on, spread over the manifests."""
LEAST_CHECKED = 1000
"""Utterances; fewer prove little."""
NOT_SLOWER = 0.95
"""Times as fast as float32: two timings of the same graph differ by as much."""


class QuantizeError(UserError):
    """What cannot be quantised as asked."""


class MismatchError(QuantizeError):
    """No int8 network reads what the float one does."""


@dataclass(frozen=True, slots=True)
class Quantized:
    """What was tried, and what was written."""

    attempts: list[Attempt]
    chosen: Attempt
    compared: int
    """Utterances that the chosen network was compared on."""
    paths: list[Path]


def quantize(
    path: Path,
    out: Path,
    method: str,
    calibration: Sequence[Path],
    check: Sequence[Path],
    match: bool,
    accept_differences: bool,
    told: Callable[[Attempt], None] = lambda _: None,
    largest: int | None = None,
) -> Quantized:
    """Write ``out`` and, from a waveform graph, its features graph and ``tokens.txt`` beside it.

    Args:
        method: ``static`` or ``dynamic``.
        calibration: manifests for the ranges of activations; none where training left them in the file.
        check: manifests whose every utterance must be read as the float model reads it, when ``match``.
        accept_differences: write the best even where some strings differ.
        largest: bytes that the features graph may have, since the search for a match trades them for float32.
        told: hears of each attempt as it is made.

    Raises:
        OnnxModelError: not an exported model.
        QuantizeError: nothing to calibrate or to check on, or a model that is quantised already.
        MismatchError: nothing matches; says how many strings differ at best.
    """
    pair = read_pair(path)
    if pair.metadata.quantization:
        raise QuantizeError("model is quantised already", where=str(path), todo="give the float model")
    if pair.front_end is None and (calibration or match):
        raise QuantizeError(
            "file takes features, not recordings", where=str(path), todo="give the one without _features"
        )
    network = prepared(pair.network)
    features = pair.metadata.trained_feature_range
    trained = None if features is None else trained_ranges(network, features)
    checked = _checked(pair, check) if match else []
    judge = Judge(network, pair.metadata, checked, _timed(pair))
    if method == "dynamic":
        attempts = dynamic_attempts(network, dynamic_forms(), judge)
    else:
        if not calibration and trained is None:
            raise QuantizeError("nothing to calibrate on", where=str(path), todo="give --calibration MANIFEST")
        measured = _calibration(pair, network, calibration) if calibration else None
        attempts = static_attempts(network, trained, measured, judge)
    made: list[Attempt] = []
    for attempt in attempts:
        if largest is not None and attempt.size > largest:
            if method == "static":
                break  # the next ones are larger
            continue
        made.append(attempt)
        told(attempt)
        if attempt.speed >= NOT_SLOWER and not attempt.differing:
            break
    if not made:
        raise QuantizeError("no int8 form is so small", where=str(path), todo="allow a larger one")
    chosen = _chosen(made, accept_differences, path, largest)
    described = {
        "method": method,
        "form": chosen.form,
        "weights": "int8",
        "times_as_fast": round(chosen.speed, 2),
        "compared": len(checked),
        "differing": len(chosen.differing or ()),
        "drift": round(chosen.drift, 5),
    }
    result = Pair(pair.front_end, chosen.network, replace(pair.metadata, quantization=described))
    with written_pair(result, out) as temporaries:
        for temporary in temporaries:
            open_model(temporary)
    return Quantized(made, chosen, len(checked), paths_of(result, out))


def _chosen(made: Sequence[Attempt], accept_differences: bool, path: Path, largest: int | None) -> Attempt:
    fast = [one for one in made if one.speed >= NOT_SLOWER]
    if not fast:
        raise QuantizeError("no int8 form is faster than float32 here", where=str(path), todo="try the other --method")
    chosen = min(fast, key=lambda one: one.distance)
    if not chosen.differing:
        return chosen
    if not accept_differences:
        raise MismatchError(
            f"{len(chosen.differing)} strings differ from float32 at best ({chosen.form})",
            where=str(path),
            todo="fine-tune with quantization=int8, or --accept-differences",
        )
    if largest is not None:  # which says what a match is worth
        return chosen
    smallest = min(one.size for one in fast)  # wider types that bring no match are not worth their bytes
    return min((one for one in fast if one.size < 1.01 * smallest), key=lambda one: one.distance)


def _checked(pair: Pair, manifests: Sequence[Path]) -> list[Features]:
    features = _features(pair, manifests, None)
    if len(features) < LEAST_CHECKED:
        raise QuantizeError(
            f"{len(features)} utterances to check on, {LEAST_CHECKED} are needed",
            where=", ".join(map(str, manifests)) or "--check",
            todo="give more with --check, or --no-match",
        )
    return features


def _calibration(pair: Pair, network: onnx.ModelProto, manifests: Sequence[Path]) -> Calibration:
    features = _features(pair, manifests, CALIBRATED)
    if len(features) < LEAST_CALIBRATED:
        raise QuantizeError(
            f"{len(features)} utterances to calibrate on, {LEAST_CALIBRATED} are needed",
            where=", ".join(map(str, manifests)),
            todo="give a longer manifest",
        )
    return Calibration(network, activations(network), features)


def _features(pair: Pair, manifests: Sequence[Path], count: int | None) -> list[Features]:
    assert pair.front_end is not None
    rate = pair.metadata.sample_rate
    return list(features_of(pair.front_end, spread(manifests, count, rate), rate))


def _timed(pair: Pair) -> Features:
    """3.5 s of noise: latency does not depend on what is said."""
    front = pair.metadata.front_end
    frames = round(3.5 * pair.metadata.sample_rate / front["hop_length"])
    noise = np.random.default_rng(0).standard_normal((1, front["features"], frames), np.float32)
    return noise, np.array([frames])
