"""ru_tts: a man and a woman who speak Russian, of 1990, in 8 bits at 10 kHz. https://github.com/poretsky/ru_tts

By the C library in the Python package ``retro-ru-tts`` (MIT), whose own binding fails from Python 3.10 on for want of
PY_SSIZE_T_CLEAN. Some milliseconds for an utterance.
"""

import ctypes
from collections.abc import Sequence
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec

import numpy as np

from spoken_numbers import audio
from spoken_numbers.audio import FloatArray
from spoken_numbers.synthesis.engine import NOTHING, EngineError, Line, Voice

_PACKAGE = "retro-ru-tts"
_FLAGS = {"male": 0, "female": 4}
RATE = 10_000
"""Hz, of what it speaks."""


class RuTts:
    name = "ru-tts"
    languages: tuple[str, ...] = ("ru",)
    share = 0.15
    install = f"pip install {_PACKAGE}==1.0.7"

    def version(self) -> str | None:
        try:
            return version(_PACKAGE)
        except PackageNotFoundError:
            return None

    def voices(self, language: str) -> list[Voice]:
        if language not in self.languages:
            return []
        return [Voice(self.name, name, f"{self.name}:{name}", gender=name[0].upper()) for name in _FLAGS]

    def render(self, lines: Sequence[Line]) -> list[FloatArray]:
        return [_render(line) for line in lines]


class _Settings(ctypes.Structure):
    """``ru_tts_conf_t``."""

    _fields_ = (
        *((name, ctypes.c_int) for name in ("speech_rate", "voice_pitch", "intonation")),
        ("gap_factors", ctypes.c_int * 8),
        ("flags", ctypes.c_int),
    )


_Consumer = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_void_p)


@cache
def _library() -> ctypes.CDLL:
    found = find_spec("_ru_tts_native")
    if found is None or found.origin is None:
        raise EngineError(f"'{_PACKAGE}' is not installed", todo=RuTts.install)
    return ctypes.CDLL(found.origin)


def _render(line: Line) -> FloatArray:
    library = _library()
    settings = _Settings()
    library.ru_tts_config_init(ctypes.byref(settings))
    settings.speech_rate = round(100 * line.prosody.rate)
    settings.voice_pitch = round(100 * line.prosody.pitch)
    settings.flags = _FLAGS[line.voice.name]
    chunks: list[bytes] = []

    @_Consumer
    def consume(chunk: int | None, size: int, _: int | None) -> int:
        chunks.append(ctypes.string_at(chunk or 0, size))
        return 0

    text = line.text.encode("koi8-r", errors="ignore")
    buffer = ctypes.create_string_buffer(8192)
    library.ru_tts_transfer(ctypes.byref(settings), text, buffer, ctypes.c_size_t(len(buffer)), consume, None)
    samples = np.frombuffer(b"".join(chunks), np.int8).astype(np.float32) / np.float32(128)
    return audio.resample(samples, RATE, audio.SAMPLE_RATE) if len(samples) else NOTHING
