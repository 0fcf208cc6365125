"""A stream of audio → its utterances, by silero-vad's network on ONNX Runtime, without the torch of its package."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import onnxruntime

from spoken_numbers.audio import FloatArray
from spoken_numbers.errors import UserError

RATE = 16_000
"""Hz; of the stream and of its utterances."""

WINDOW, CONTEXT = 512, 64
"""Samples that the network judges at a time, and samples before them that it sees again."""

LONGEST = 30.0
"""Seconds; speech without a pause is cut there, so that memory stays bounded."""


@dataclass(frozen=True, slots=True)
class Utterance:
    """Speech between two pauses."""

    start: float
    """Seconds from the stream's beginning."""
    waveform: FloatArray
    """(samples,) at 16 kHz."""


class VoiceActivity:
    """Silero's speech detector for one stream at a time."""

    def __init__(self) -> None:
        """Raises UserError where silero-vad is not installed."""
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(_model_file(), options, ["CPUExecutionProvider"])

    def probabilities(self, windows: Iterable[FloatArray]) -> Iterator[float]:
        """The probability of speech in each window of 512 samples."""
        state, context = np.zeros((2, 1, 128), np.float32), np.zeros(CONTEXT, np.float32)
        for window in windows:
            taken = {"input": np.concatenate([context, window])[None], "state": state, "sr": np.array(RATE)}
            speech, state = self._session.run(None, taken)
            context = window[-CONTEXT:]
            yield float(speech.item())

    def utterances(
        self,
        blocks: Iterable[FloatArray],
        *,
        threshold: float = 0.5,
        shortest: float = 0.25,
        pause: float = 0.5,
        pad: float = 0.15,
    ) -> Iterator[Utterance]:
        """Each utterance as soon as it ends, by the hysteresis of silero's ``get_speech_timestamps``.

        Args:
            blocks: (samples,) each, of any length, at 16 kHz.
            threshold: the probability at which speech begins; it ends 0.15 below.
            shortest: seconds of speech, without padding; less is left out.
            pause: seconds that end an utterance, at least twice ``pad``.
            pad: seconds kept before and after the speech.
        """
        margin = round(pad * RATE)
        held, first = np.empty(0, np.float32), 0  # samples that may still be needed, and where they begin
        start: int | None = None
        quiet: int | None = None
        now = 0
        windows: list[FloatArray] = []

        def kept() -> Iterator[FloatArray]:
            for window in _windows(blocks):
                windows.append(window)
                yield window

        def spoken(end: int) -> Utterance | None:
            assert start is not None
            if end - start <= shortest * RATE:
                return None
            begin = max(start - margin, first)
            return Utterance(begin / RATE, held[begin - first : end + margin - first].copy())

        for probability in self.probabilities(kept()):
            held = np.concatenate([held, windows.pop()])
            if probability >= threshold:
                quiet = None
                start = now if start is None else start
            elif start is not None and probability < threshold - 0.15:
                quiet = now if quiet is None else quiet
            done: Utterance | None = None
            if start is not None and quiet is not None and now - quiet >= pause * RATE:
                done, start, quiet = spoken(quiet), None, None
            elif start is not None and now + WINDOW - start >= LONGEST * RATE:
                done, start, quiet = spoken(now + WINDOW - margin), None, None
                first, held = now + WINDOW, held[:0]
            if done is not None:
                yield done
            now += WINDOW
            if start is None and len(held) > margin:
                first, held = first + len(held) - margin, held[-margin:]
        if start is not None and (last := spoken(now if quiet is None else quiet)) is not None:
            yield last


def _windows(blocks: Iterable[FloatArray]) -> Iterator[FloatArray]:
    rest = np.empty(0, np.float32)
    for block in blocks:
        rest = np.concatenate([rest, block])
        whole = len(rest) // WINDOW * WINDOW
        yield from rest[:whole].reshape(-1, WINDOW)
        rest = rest[whole:]
    if len(rest):
        yield np.pad(rest, (0, WINDOW - len(rest)))


def _model_file() -> str:
    package = find_spec("silero_vad")  # found, not imported: it would load torch
    for folder in (package.submodule_search_locations or []) if package else []:
        path = Path(folder) / "data" / "silero_vad.onnx"
        if path.is_file():
            return str(path)
    todo = "pip install --no-deps silero-vad==6.2.3"
    raise UserError("no voice-activity detector", where="silero-vad", todo=todo)
