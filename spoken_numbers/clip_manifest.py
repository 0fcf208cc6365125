"""Manifest rows of noise clips and impulse responses: what NeMo's perturbations read, and where each comes from."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from spoken_numbers.files import written_whole
from spoken_numbers.manifest import Made


@dataclass(frozen=True, slots=True)
class NoiseClip:
    """``audio_filepath`` is relative to the manifest's folder, ``duration`` in seconds.

    ``source`` is the recording that the clip was cut from, ``class_`` (``class`` in the manifest) what is heard.
    """

    audio_filepath: str
    duration: float
    corpus: str
    source: str
    class_: str = ""


@dataclass(frozen=True, slots=True)
class ImpulseResponse:
    """``direct`` is the index of the direct path's sample; ``t60`` (seconds) is absent where noise hides the decay.

    ``drr`` is the direct-to-reverberant ratio in dB, ``aimed_t60`` what a simulation was asked for, in seconds.
    """

    audio_filepath: str
    duration: float
    corpus: str
    room: str
    source: str
    direct: int
    drr: float
    t60: float | None = None
    aimed_t60: float | None = None


Clip = NoiseClip | ImpulseResponse


def to_row(clip: Clip) -> dict[str, Any]:
    """The row as written: an empty ``text``, since NeMo asks for one, and no unknown fields."""
    known = {field.name: getattr(clip, field.name) for field in fields(clip)}
    named = {name.rstrip("_"): value for name, value in known.items() if value not in ("", None)}
    return {"audio_filepath": clip.audio_filepath, "duration": clip.duration, "text": "", **named}


def from_row(row: Mapping[str, Any]) -> Clip:
    """The inverse of ``to_row``.

    Raises:
        KeyError, TypeError: not a row of a clip.
    """
    kind: type[Clip] = ImpulseResponse if "room" in row else NoiseClip
    values = {field.name: row.get(field.name.rstrip("_")) for field in fields(kind)}
    return kind(**{name: value for name, value in values.items() if value is not None})


def write(path: Path, clips: Iterable[Clip], left_out: dict[str, int]) -> Made:
    """Write a manifest, whole or not at all, and say what it holds."""
    count, seconds = 0, 0.0
    with written_whole(path) as temporary, temporary.open("w", encoding="utf-8", errors="backslashreplace") as out:
        for clip in clips:
            out.write(json.dumps(to_row(clip), ensure_ascii=False) + "\n")
            count, seconds = count + 1, seconds + clip.duration
    return Made(path, count, seconds / 3600, 0, left_out)
