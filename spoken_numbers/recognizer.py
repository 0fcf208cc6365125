"""The recogniser as an application uses it: recordings in, digit strings out, on ONNX Runtime alone.

from spoken_numbers import Recognizer

recognizer = Recognizer("model.onnx")
recognizer.transcribe("code.wav").digits  # '896867'
"""

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, overload

import numpy as np

from spoken_numbers import audio
from spoken_numbers.audio import FloatArray
from spoken_numbers.decoding.confidence import calibrated
from spoken_numbers.decoding.decoded import Character, Decoder
from spoken_numbers.decoding.greedy import decode_greedy
from spoken_numbers.labels import LABELS, digit_string
from spoken_numbers.onnx_model import OnnxModelError, open_model
from spoken_numbers.recording import Recording, pieces

SHORTEST = 0.1
"""Seconds; no digit is shorter, and features are normalised over an utterance's frames, which takes several."""

SILENCE_DB = -80.0
"""dB re full scale; below, the front end's guard against log 0 hides the speech."""

_WINDOW = 60.0
"""Seconds of audio that are held to be sorted by length."""

_BATCH = 30.0
"""Seconds of audio in a batch, padding counted, unless one piece is longer."""

_LIKE = 1.25
"""The longest in a batch over the shortest."""


@dataclass(frozen=True, slots=True)
class Transcript:
    """What was heard in one recording."""

    label: str
    """As the model wrote it: ``*`` stands for a spoken "thousand" or "million"."""
    confidence: float
    """The share of such answers that are right, where the model was calibrated (``evaluation/calibrate.py``); else the
    product, over the label's characters, of the highest posterior that each reaches on the best path.

    1 for an empty label. It knows nothing of digits that were missed, and falls with the label's length.
    """
    seconds: float
    """Length of the recording."""
    characters: tuple[Character, ...] = ()
    """The label's, with their seconds from the recording's beginning."""

    @property
    def digits(self) -> str:
        """The digit string: the label without ``*``."""
        return digit_string(self.label)


class Recognizer:
    """A model on the CPU. Threads may share it."""

    def __init__(self, model: str | os.PathLike[str], threads: int = 1, decoder: Decoder = decode_greedy) -> None:
        """Load an exported waveform graph.

        Args:
            threads: for one inference; 0 for as many as there are cores.
            decoder: of log-probabilities; it sees each piece of a long recording alone.

        Raises:
            OnnxModelError: missing or broken file, not exported by this project, a features graph, other labels.
        """
        self._model = open_model(Path(model), threads)
        metadata = self._model.metadata
        if metadata.graph != "waveform":
            todo = "use the file without _features"
            raise OnnxModelError("model takes features, not a waveform", where=str(model), todo=todo)
        if metadata.labels != LABELS:
            todo = "use a model trained here"
            raise OnnxModelError("model has other labels than 0–9 and *", where=str(model), todo=todo)
        self.calibration = metadata.confidence
        self._decoder = calibrated(decoder, self.calibration)
        # A dynamic model chooses its steps by the batch, so that an utterance's answer would depend on its neighbours.
        self._batch_seconds = 0.0 if metadata.quantization.get("method") == "dynamic" else _BATCH

    @property
    def sample_rate(self) -> int:
        """Hz, of the waveforms that the model takes."""
        return self._model.metadata.sample_rate

    @overload
    def transcribe(self, recording: Recording, sample_rate: float | None = None) -> Transcript: ...
    @overload
    def transcribe(
        self, recording: list[Any] | tuple[Any, ...], sample_rate: float | None = None
    ) -> list[Transcript]: ...

    def transcribe(
        self, recording: Recording | list[Any] | tuple[Any, ...], sample_rate: float | None = None
    ) -> Transcript | list[Transcript]:
        """Read the number that is spoken in a recording, or in each of a list of them.

        What is longer than 12 s is cut at pauses and its digits are joined, in bounded memory for hours of audio.
        A recording shorter than 0.1 s, or without anything above -80 dB re full scale, gives the empty label. Clipped
        audio is read as it is.

        Args:
            recording: a path, the bytes of an audio file, or samples (samples,) or (samples, channels), which are
                floats in [-1, 1] or integers of up to 32 bits, scaled by their range. Any rate, any channels. A list
                of these is read in batches of like length.
            sample_rate: Hz, of samples; files carry their own.

        Raises:
            OnnxModelError: the graph fails, or gives what no log-probabilities are.
            AudioError: missing or undecodable file, no samples, NaN or infinite ones, an array of another shape or
                type or without its rate; of a list, the first such.
        """
        if isinstance(recording, list | tuple):
            return self._transcribe(recording, sample_rate)
        return self._transcribe([recording], sample_rate)[0]

    def log_probabilities(self, waveforms: Iterable[FloatArray]) -> Iterator[FloatArray]:
        """One (frames, 12) array for each waveform (samples,) at ``sample_rate``, in order."""
        held: list[FloatArray] = []
        for waveform in waveforms:
            held.append(waveform)
            if sum(map(len, held)) >= _WINDOW * self.sample_rate:
                yield from self._in_batches(held)
                held = []
        yield from self._in_batches(held)

    def _transcribe(self, recordings: Sequence[Recording], sample_rate: float | None) -> list[Transcript]:
        labels, confidences, samples = [""] * len(recordings), [1.0] * len(recordings), [0] * len(recordings)
        characters: list[list[Character]] = [[] for _ in recordings]
        owners: list[tuple[int, float]] = []  # of each piece: its recording, and the seconds at which it begins there

        def speech() -> Iterator[FloatArray]:
            for index, recording in enumerate(recordings):
                for piece in pieces(recording, sample_rate, self.sample_rate):
                    start = samples[index] / self.sample_rate
                    samples[index] += len(piece)
                    if len(piece) >= SHORTEST * self.sample_rate and not audio.is_silent(piece, SILENCE_DB):
                        owners.append((index, start))
                        yield piece

        for number, frames in enumerate(self.log_probabilities(speech())):
            decoded = self._decoder(frames, self._model.metadata.frame_seconds)
            owner, start = owners[number]
            labels[owner] += decoded.label
            confidences[owner] *= decoded.confidence
            characters[owner] += (replace(c, start=start + c.start, end=start + c.end) for c in decoded.characters)
        lengths = (count / self.sample_rate for count in samples)
        return [Transcript(*one) for one in zip(labels, confidences, lengths, map(tuple, characters), strict=True)]

    def _in_batches(self, waveforms: Sequence[FloatArray]) -> list[FloatArray]:
        answers: dict[int, FloatArray] = {}
        for batch in _batches([len(one) for one in waveforms], int(self._batch_seconds * self.sample_rate)):
            heard = self._model.log_probabilities([waveforms[i] for i in batch])
            if any(np.isnan(one).any() for one in heard):
                todo = "use another; its training diverged, or its weights are broken"
                raise OnnxModelError("model gives NaN", where=str(self._model.path), todo=todo)
            answers.update(zip(batch, heard, strict=True))
        return [answers[index] for index in range(len(waveforms))]


def _batches(lengths: Sequence[int], most: int) -> Iterator[list[int]]:
    """Indices by rising length; a batch padded to its longest has at most ``most`` samples, unless it is one."""
    batch: list[int] = []
    for index in sorted(range(len(lengths)), key=lengths.__getitem__):
        length = lengths[index]
        if batch and ((len(batch) + 1) * length > most or length > _LIKE * lengths[batch[0]]):
            yield batch
            batch = []
        batch.append(index)
    if batch:
        yield batch
