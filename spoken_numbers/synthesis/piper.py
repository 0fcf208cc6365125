"""Piper's voices: recorded people, one in a file or hundreds. https://github.com/OHF-Voice/piper1-gpl

Any of https://huggingface.co/rhasspy/piper-voices will do, ``NAME.onnx`` beside ``NAME.onnx.json`` in ``FOLDER``:
en_US-libritts_r has 904 people. A MODEL_CARD tells each one's licence. They obey tempo, not pitch.
"""

import json
import unicodedata
import zlib
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from spoken_numbers import audio
from spoken_numbers.audio import FloatArray
from spoken_numbers.synthesis.engine import NOTHING, EngineError, Line, Voice, spoken_by
from spoken_numbers.synthesis.espeak import stressed

FOLDER = Path("data/piper")

LONGEST = 400
"""Phonemes."""

_NOISE = 1 << 19
"""Samples of noise that a voice may take for a line, 30 s of the widest voices."""

_PAD, _START, _END = "_^$"


class Piper:
    name = "piper"
    languages: tuple[str, ...] = ("en", "ru")
    share = 1.0
    install = f"put voices of https://huggingface.co/rhasspy/piper-voices into {FOLDER}, .onnx and .onnx.json"

    def version(self) -> str | None:
        return ", ".join(path.name.removesuffix(".onnx.json") for path in _configs()) or None

    def voices(self, language: str) -> list[Voice]:
        """One for each speaker; those that differ in quality alone are one person."""
        voices = []
        for path in _configs():
            config = _config(path)
            accent = config["espeak"]["voice"]
            if accent.split("-")[0] == language:
                model = path.name.removesuffix(".onnx.json")
                for speaker in config.get("speaker_id_map") or [""]:
                    name, person = (f"{kind}/{speaker}".rstrip("/") for kind in (model, model.rpartition("-")[0]))
                    voices.append(Voice(self.name, name, f"{self.name}:{person}", accent))
        return voices

    def render(self, lines: Sequence[Line]) -> list[FloatArray]:
        return [_render(line) for line in lines]


def with_noise_given(model: Any) -> list[str]:
    """Make each noise that an ONNX graph draws, whose shape it alone knows, an input of enough samples, in place.

    Returns:
        The names of those inputs, float32 of one dimension, ``noise_0`` and so on.
    """
    from onnx import TensorProto, helper

    graph, nodes = model.graph, []
    names: list[str] = []
    for node in graph.node:
        if node.op_type != "RandomNormalLike":
            nodes.append(node)
            continue
        name = f"noise_{len(names)}"
        names.append(name)
        nodes += [
            helper.make_node("Shape", [node.input[0]], [f"{name}_shape"]),
            helper.make_node("ReduceProd", [f"{name}_shape"], [f"{name}_size"], keepdims=1),
            helper.make_node("Slice", [name, "noise_start", f"{name}_size"], [f"{name}_taken"]),
            helper.make_node("Reshape", [f"{name}_taken", f"{name}_shape"], list(node.output)),
        ]
    graph.initializer.append(helper.make_tensor("noise_start", TensorProto.INT64, [1], [0]))
    graph.input.extend(helper.make_tensor_value_info(name, TensorProto.FLOAT, [None]) for name in names)
    del graph.node[:]
    graph.node.extend(nodes)
    return names


def phoneme_ids(text: str, config: dict[str, Any]) -> list[int]:
    """As Piper numbers them: eSpeak NG's phonemes one by one, each followed by a pad; those that it lacks left out."""
    ids: dict[str, list[int]] = config["phoneme_id_map"]
    spoken = ", ".join(_phonemes(part, config["espeak"]["voice"]) for part in text.split(", ") if part)
    known = [ids[phoneme] for phoneme in unicodedata.normalize("NFD", spoken) if phoneme in ids]
    return [*ids[_START], *(number for each in known for number in (*each, *ids[_PAD])), *ids[_END]] if known else []


def _render(line: Line) -> FloatArray:
    name, _, speaker = line.voice.name.partition("/")
    session, noises, config = _loaded(FOLDER / f"{name}.onnx")
    ids = phoneme_ids(line.text, config)
    if not 0 < len(ids) <= 2 * LONGEST:
        return NOTHING
    manner = config["inference"]
    scales = [manner["noise_scale"], manner["length_scale"] / line.prosody.rate, manner["noise_w"]]
    feeds: dict[str, Any] = {
        "input": np.array([ids], dtype=np.int64),
        "input_lengths": np.array([len(ids)], dtype=np.int64),
        "scales": np.array(scales, dtype=np.float32),
    }
    if speaker:
        feeds["sid"] = np.array([config["speaker_id_map"][speaker]], dtype=np.int64)
    rng = np.random.default_rng(zlib.crc32(repr(line).encode()))
    feeds |= {noise: rng.standard_normal(_NOISE, dtype=np.float32) for noise in noises}
    return audio.resample(session.run(None, feeds)[0].ravel(), config["audio"]["sample_rate"], audio.SAMPLE_RATE)


@cache
def _phonemes(text: str, voice: str) -> str:
    return " ".join(spoken_by(["espeak-ng", "-q", "--ipa", "-v", voice, "--", stressed(text)]).decode().split())


def _configs() -> list[Path]:
    return [path for path in sorted(FOLDER.glob("*.onnx.json")) if path.with_suffix("").is_file()]


@cache
def _config(path: Path) -> dict[str, Any]:
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
        if config.get("phoneme_type", "espeak") != "espeak":
            raise ValueError(f"phoneme_type is {config['phoneme_type']}, not espeak")
        if missing := {"audio", "espeak", "inference", "phoneme_id_map"} - set(config):
            raise ValueError(f"no {', '.join(sorted(missing))}")
    except ValueError as error:
        raise EngineError(
            f"no voice of Piper's: {error}", where=str(path), todo="fetch it again or remove it"
        ) from None
    return config


@cache
def _loaded(path: Path) -> tuple[Any, list[str], dict[str, Any]]:
    import onnx
    import onnxruntime

    model = onnx.load(path)
    noises = with_noise_given(model)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1  # one process a core
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return session, noises, _config(path.with_name(f"{path.name}.json"))
