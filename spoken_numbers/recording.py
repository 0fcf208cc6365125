"""A recording in any form, of any length → mono pieces short enough to be recognised, cut where nobody speaks."""

import io
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt
import soundfile
import soxr

from spoken_numbers import audio
from spoken_numbers.audio import AudioError, FloatArray

Recording = str | os.PathLike[str] | bytes | npt.NDArray[Any]
"""A path, the bytes of an audio file, or samples."""

LONGEST = 12.0
"""Seconds; what is longer is cut. Speech without any pause is cut all the same, at its quietest 0.2 s.

Models hear utterances of some seconds in training, and features are normalised over a piece; but a slow speaker's long
number is better not cut at all. Of 8, 12 and 16 s, 8 misreads slow speech and 16 what is spoken fluently, on the card's
own tests (``benchmarks/longest_piece.py``).
"""

SHORTEST_CUT = 2.0
"""Seconds; no piece of a recording that is cut is shorter."""

_PAUSE = 0.2
"""Seconds; longer than the closure inside "eight" and "six", which is as quiet as a pause."""

_BLOCK = 65_536
"""Samples of one channel that are held before they are resampled."""

_RATES = (1000, 768_000)
"""Hz; nobody's digits are recorded outside."""

_MOST_CHANNELS = 64


def pieces(recording: Recording, sample_rate: float | None, to_rate: int) -> Iterator[FloatArray]:
    """(samples,) float32 at ``to_rate`` Hz, each at most 12 s, which together are the whole recording.

    Channels are averaged. Integers are scaled by their range, unsigned ones about its middle. Only some seconds are
    held at a time, but a format that only FFmpeg reads is decoded whole: 0.7 GB an hour.

    Args:
        recording: an array is (samples,) or (samples, channels), of any float or integer type up to 32 bits.
        sample_rate: Hz, of an array; files carry their own.

    Raises:
        AudioError: missing or undecodable file, no samples, NaN or infinite ones, an array of another shape or type or
            without its rate. It can come after some pieces.
    """
    return _cut(stream(recording, sample_rate, to_rate), to_rate)


def stream(recording: Recording, sample_rate: float | None, to_rate: int) -> Iterator[FloatArray]:
    """The whole recording in uncut blocks (samples,) of any length; otherwise as ``pieces``."""
    rate, blocks, where = _opened(recording, sample_rate)
    if not _RATES[0] <= rate <= _RATES[1]:
        raise AudioError(f"sample rate of {rate:g} Hz", where=where, todo="give the true one, 1000 to 768000 Hz")
    return resampled(_mono(blocks, where), rate, to_rate)


Blocks = Iterator[FloatArray]
"""(samples, channels) each."""


def _opened(recording: Recording, sample_rate: float | None) -> tuple[float, Blocks, str]:
    if isinstance(recording, str | os.PathLike):
        return _opened_file(Path(recording))
    if isinstance(recording, bytes | bytearray | memoryview):
        return _opened_bytes(bytes(recording))
    if not hasattr(recording, "__array__"):
        todo = "give a path, the bytes of a file, or an array"
        raise AudioError(f"a recording cannot be a {type(recording).__name__}", where="recording", todo=todo)
    samples = np.asarray(recording)
    where = f"array of {samples.dtype}, shape {samples.shape}"
    if sample_rate is None:
        raise AudioError("samples without their rate", where=where, todo="give sample_rate=, in Hz")
    if samples.dtype.kind not in "iuf":
        raise AudioError("samples are no real numbers", where=where, todo="give integers or floats")
    if samples.dtype.kind in "iu" and samples.itemsize > 4:
        raise AudioError("64-bit integers have no scale", where=where, todo="give the type that they were recorded in")
    if samples.ndim not in (1, 2) or (samples.ndim == 2 and samples.shape[1] > _MOST_CHANNELS):
        raise AudioError("samples in another shape", where=where, todo="give (samples,) or (samples, channels)")
    columns = samples.reshape(len(samples), -1) if samples.size else samples.reshape(0, 1)
    return float(sample_rate), _array_blocks(columns), where


def _opened_file(path: Path) -> tuple[float, Blocks, str]:
    if not os.path.isfile(path):
        raise AudioError("no such recording", where=str(path), todo="check the path")
    return _opened_source(path, str(path), lambda: audio.decode(path))


def _opened_bytes(content: bytes) -> tuple[float, Blocks, str]:
    where = f"{len(content)} bytes of audio"

    def decode() -> tuple[FloatArray, int]:
        with tempfile.NamedTemporaryFile(prefix="spoken_numbers.") as file:
            file.write(content)
            file.flush()
            try:
                return audio.decode(Path(file.name))
            except AudioError as error:
                raise AudioError(error.what, where=where, todo=error.todo) from None

    return _opened_source(io.BytesIO(content), where, decode)


def _opened_source(
    source: Path | BinaryIO, where: str, decode: Callable[[], tuple[FloatArray, int]]
) -> tuple[float, Blocks, str]:
    """Block by block where libsndfile can; else decoded whole by FFmpeg."""
    try:
        file = soundfile.SoundFile(os.fsencode(source) if isinstance(source, Path) else source)
    except TypeError:  # soundfile takes a name that ends in .raw for samples without a header
        raise AudioError("raw samples without a header", where=where, todo="convert it to WAV") from None
    except soundfile.LibsndfileError:
        whole, rate = decode()
        return rate, _array_blocks(whole), where
    return file.samplerate, _file_blocks(file, where), where


def _file_blocks(file: soundfile.SoundFile, where: str) -> Blocks:
    with file:
        count = max(1, _BLOCK // file.channels)
        while True:
            try:
                block = file.read(count, dtype="float32", always_2d=True)
            except soundfile.LibsndfileError as error:
                raise AudioError(f"cannot decode: {error}", where=where, todo="copy or export it again") from None
            if not len(block):
                return
            yield block


def _array_blocks(samples: npt.NDArray[Any]) -> Blocks:
    count = max(1, _BLOCK // samples.shape[1])
    for start in range(0, len(samples), count):
        yield _scaled(samples[start : start + count])


def _scaled(samples: npt.NDArray[Any]) -> FloatArray:
    if samples.dtype.kind == "f":
        with np.errstate(over="ignore"):  # what float32 cannot hold becomes infinite, which is reported
            return samples.astype(np.float32)
    limits = np.iinfo(samples.dtype)
    middle, half = (limits.max + 1 + limits.min) // 2, (limits.max + 1 - limits.min) // 2
    return ((samples.astype(np.float64) - middle) / half).astype(np.float32)


def _mono(blocks: Blocks, where: str) -> Iterator[FloatArray]:
    empty = True
    for block in blocks:
        empty = False
        if not np.isfinite(block).all():
            raise AudioError("recording holds NaN or infinite samples", where=where, todo="export it again")
        yield block.mean(axis=1, dtype=np.float32)
    if empty:
        raise AudioError("recording has no samples", where=where, todo="remove it or record it again")


def resampled(blocks: Iterator[FloatArray], from_rate: float, to_rate: int) -> Iterator[FloatArray]:
    """Blocks (samples,) of one stream at another rate, in Hz, some milliseconds later."""
    if from_rate == to_rate:
        yield from blocks
        return
    stream = soxr.ResampleStream(from_rate, to_rate, 1, dtype="float32", quality="HQ")
    for block in blocks:
        yield stream.resample_chunk(block)
    yield stream.resample_chunk(np.empty(0, np.float32), last=True)


def _cut(blocks: Iterator[FloatArray], rate: int) -> Iterator[FloatArray]:
    held: list[FloatArray] = []
    longest, count = int(LONGEST * rate), 0
    for block in blocks:
        held.append(block)
        count += len(block)
        if count <= longest:
            continue
        waveform = np.concatenate(held)
        while len(waveform) > longest:
            cut = _quietest(waveform, rate)
            yield waveform[:cut]
            waveform = waveform[cut:]
        held, count = [waveform.copy()], len(waveform)
    if count:
        yield np.concatenate(held)


def _quietest(waveform: FloatArray, rate: int) -> int:
    """The middle of the quietest pause that leaves ``SHORTEST_CUT`` before and after it; the first of equals."""
    step = rate // 100
    first, last = int(SHORTEST_CUT * 100), int((LONGEST - SHORTEST_CUT) * 100)
    steps = waveform[first * step : last * step].reshape(-1, step).astype(np.float64)
    energy = np.concatenate([[0.0], np.cumsum(np.square(steps).sum(axis=1))])
    width = int(_PAUSE * 100)
    return (first + int(np.argmin(energy[width:] - energy[:-width])) + width // 2) * step
