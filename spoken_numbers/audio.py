"""Recordings in any format → mono float32 waveforms, and back to 16-bit WAV."""

import io
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile
import soxr

from spoken_numbers.errors import UserError
from spoken_numbers.files import written_whole

SAMPLE_RATE = 16_000
"""Hz; the rate of every prepared corpus. conf/frontend carries the same number, held equal by a test."""

FloatArray = npt.NDArray[np.float32]


class AudioError(UserError):
    """A recording that cannot be read."""


def read(path: Path, sample_rate: int = SAMPLE_RATE) -> FloatArray:
    """Decode a recording, average its channels and resample it.

    libsndfile reads WAV, FLAC, Ogg, MP3, NIST SPHERE and more; FFmpeg is asked for what it cannot.

    Returns:
        (samples,) float32 in [-1, 1] at ``sample_rate`` Hz.

    Raises:
        AudioError: missing, empty or undecodable file, or samples that are not finite.
    """
    return _mono(*decode(path), str(path), sample_rate)


def read_bytes(content: bytes, where: str, sample_rate: int = SAMPLE_RATE) -> FloatArray:
    """``read`` for the content of a file that libsndfile reads; ``where`` names it in errors."""
    try:
        waveform, rate = soundfile.read(io.BytesIO(content), dtype="float32", always_2d=True)
    except soundfile.LibsndfileError as error:
        raise AudioError(f"cannot decode: {error.error_string}", where=where, todo="make it again") from None
    return _mono(waveform, rate, where, sample_rate)


def _mono(waveform: FloatArray, rate: int, where: str, sample_rate: int) -> FloatArray:
    mono = waveform.mean(axis=1, dtype=np.float32)
    if mono.size == 0:
        raise AudioError("recording has no samples", where=where, todo="remove it or record it again")
    if not np.isfinite(mono).all():
        raise AudioError("recording holds NaN or infinite samples", where=where, todo="export it again")
    return resample(mono, rate, sample_rate)


def decode(path: Path) -> tuple[FloatArray, int]:
    """The recording as stored: (samples, channels) float32 and its sample rate in Hz.

    Raises:
        AudioError: missing or undecodable file.
    """
    if not os.path.isfile(path):  # unlike Path.is_file, False for a name too long or a folder closed to us
        raise AudioError("no such recording", where=str(path), todo="check the path")
    try:
        return soundfile.read(os.fsencode(path), dtype="float32", always_2d=True)
    except soundfile.LibsndfileError as error:
        return _decode_with_ffmpeg(path, str(error))


def resample(waveform: FloatArray, from_rate: int, to_rate: int) -> FloatArray:
    """(samples,) at ``from_rate`` Hz → (samples,) at ``to_rate`` Hz, soxr's high quality."""
    if from_rate == to_rate:
        return waveform
    return soxr.resample(waveform, from_rate, to_rate, quality="HQ")


def padded(waveforms: Sequence[FloatArray], sample_rate: int) -> tuple[FloatArray, npt.NDArray[np.int64]]:
    """A batch (waveforms, samples) padded with zeros, and its lengths in samples.

    What is shorter than 0.1 s counts as 0.1 s: features are normalised over an utterance's frames, which takes several.
    """
    shortest = sample_rate // 10
    lengths = np.array([max(len(waveform), shortest) for waveform in waveforms], np.int64)
    signal = np.zeros((len(waveforms), lengths.max(initial=0)), np.float32)
    for row, waveform in zip(signal, waveforms, strict=True):
        row[: len(waveform)] = waveform
    return signal, lengths


def write(path: Path, waveform: FloatArray, sample_rate: int = SAMPLE_RATE) -> float:
    """Write 16-bit mono WAV, whole or not at all; return its duration in seconds.

    A waveform that leaves [-1, 1] is scaled down to fit instead of clipped.
    """
    peak = float(np.abs(waveform).max(initial=0.0))
    with written_whole(path) as temporary:
        soundfile.write(os.fsencode(temporary), waveform / max(peak, 1.0), sample_rate, subtype="PCM_16", format="WAV")
    return len(waveform) / sample_rate


def flac(waveform: FloatArray, sample_rate: int = SAMPLE_RATE) -> bytes:
    """A FLAC file of 16-bit mono; what was read from 16 bits is read from it again, to the last bit.

    A waveform that leaves [-1, 1] is scaled down to fit instead of clipped.
    """
    peak = float(np.abs(waveform).max(initial=0.0))
    steps = np.rint(waveform / max(peak, 1.0) * 32768).clip(-32768, 32767).astype(np.int16)  # libsndfile takes 32767
    file = io.BytesIO()
    soundfile.write(file, steps, sample_rate, subtype="PCM_16", format="FLAC")
    return file.getvalue()


def duration(path: Path) -> float:
    """Seconds, by the header of a file that libsndfile reads."""
    return soundfile.info(os.fsencode(path)).duration


def is_silent(waveform: FloatArray, floor_db: float = -60.0) -> bool:
    """No 25 ms window reaches ``floor_db`` dB re full scale (root mean square)."""
    window = SAMPLE_RATE // 40
    usable = waveform[: len(waveform) // window * window] if len(waveform) >= window else waveform
    frames = usable.reshape(-1, window) if len(waveform) >= window else usable[None, :]
    loudest = float(np.sqrt(np.square(frames).mean(axis=1)).max(initial=0.0))
    return loudest < 10 ** (floor_db / 20)


def _decode_with_ffmpeg(path: Path, reason: str) -> tuple[FloatArray, int]:
    rate = 48_000
    command = [
        "ffmpeg",
        "-nostdin",
        "-v",
        "error",
        "-i",
        f"file:{path}",
        "-f",
        "f32le",
        "-ac",
        "1",
        "-ar",
        str(rate),
        "-",
    ]
    try:
        done = subprocess.run(command, capture_output=True, check=False)
    except FileNotFoundError:
        raise AudioError(
            f"cannot decode: {reason}", where=str(path), todo="install ffmpeg or convert it to WAV"
        ) from None
    if done.returncode != 0 or not done.stdout:
        lines = done.stderr.decode(errors="replace").strip().splitlines() or [reason]
        raise AudioError(f"cannot decode: {lines[-1]}", where=str(path), todo="convert it to WAV or remove it")
    return np.frombuffer(done.stdout, dtype=np.float32).reshape(-1, 1), rate
