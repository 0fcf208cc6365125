"""Waveform → what a codec leaves of it: in memory, as long, as loud and at the same place as before.

G.711 is a table, GSM and Vorbis are libsndfile's, the others are FFmpeg's through PyAV, without containers. The codecs
themselves take nearly all of the time: of AMR-NB's 17 ms for 3.5 s, the encoder 14 and the decoder 2.
"""

import io
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, cast

import numpy as np
import soundfile
import soxr

from spoken_numbers.audio import SAMPLE_RATE, FloatArray
from spoken_numbers.augmentation import g711
from spoken_numbers.errors import UserError

if TYPE_CHECKING:
    from av import AudioCodecContext

LOUDEST = 0.9
"""Peak above which a waveform is scaled down before it is coded, since codecs overshoot, and up again after."""

SHORTEST = SAMPLE_RATE // 10
"""Samples that a codec gets at least; shorter utterances are followed by silence for it."""

Coding = Callable[[FloatArray, int], FloatArray]
"""(samples,) at a codec's own rate and bits a second → (samples,) at the same rate, or longer."""


@dataclass(frozen=True, slots=True)
class Codec:
    """One codec at one sampling rate.

    ``bitrates``: bits a second to choose from; empty for one that has no choice. ``delay``: samples at ``sample_rate``
    by which its output comes late, beyond what the decoder itself takes off.
    """

    sample_rate: int
    coding: Coding
    bitrates: tuple[int, ...] = ()
    delay: int = 0


def transcode(waveform: FloatArray, codec: str, bitrate: int | None = None) -> FloatArray:
    """(samples,) at 16 kHz → (samples,) at 16 kHz, neither early nor late by more than a millisecond.

    Args:
        codec: a name in ``CODECS``.
        bitrate: bits a second, one of the codec's; its lowest by default.

    Raises:
        UserError: this installation has no such encoder.
    """
    chosen = CODECS[codec]
    peak = max(float(waveform.max(initial=0)), -float(waveform.min(initial=0)))
    if peak == 0:
        return waveform
    scale = np.float32(min(1.0, LOUDEST / peak))
    softer = waveform * scale if scale < 1 else waveform
    padded = np.pad(softer, (0, SHORTEST - len(softer))) if len(softer) < SHORTEST else softer
    low = _resample(padded, SAMPLE_RATE, chosen.sample_rate)
    late = np.pad(low, (0, chosen.delay)) if chosen.delay else low
    coded = chosen.coding(late, bitrate or min(chosen.bitrates, default=0))[chosen.delay : chosen.delay + len(low)]
    high = _resample(coded, chosen.sample_rate, SAMPLE_RATE)
    if len(high) < len(waveform):
        high = np.pad(high, (0, len(waveform) - len(high)))
    out = high[: len(waveform)]
    return out / scale if scale < 1 else out


def check(codec: str) -> None:
    """See that a codec runs here.

    Raises:
        UserError: no such codec, or an installation without its encoder.
    """
    if codec not in CODECS:
        raise UserError(f"no such codec '{codec}'", where="codecs", todo=f"choose among {', '.join(CODECS)}")
    tone = np.sin(np.arange(SAMPLE_RATE // 5) * 0.3).astype(np.float32) * np.float32(0.3)
    try:
        transcode(tone, codec)
    except Exception as error:  # whatever keeps it from running is told
        reason = f"{type(error).__name__}: {error}".splitlines()[0]
        todo = f"leave {codec} out of codecs, or install PyAV and soundfile as requirements.txt has them"
        raise UserError(f"cannot code by {codec}: {reason}", where="codecs", todo=todo) from error


def _resample(waveform: FloatArray, from_rate: int, to_rate: int) -> FloatArray:
    return waveform if from_rate == to_rate else soxr.resample(waveform, from_rate, to_rate, quality="MQ")


def _plain(waveform: FloatArray, bitrate: int) -> FloatArray:
    return waveform


def _telephone(law: Callable[[FloatArray], FloatArray]) -> Coding:
    return lambda waveform, bitrate: law(waveform)


def _sndfile(container: str, subtype: str, sample_rate: int, compression: float | None = None) -> Coding:
    def coding(waveform: FloatArray, bitrate: int) -> FloatArray:
        file = io.BytesIO()
        level = {} if compression is None else {"compression_level": compression}
        soundfile.write(file, waveform, sample_rate, format=container, subtype=subtype, **level)
        file.seek(0)
        return soundfile.read(file, dtype="float32")[0]

    return coding


def _ffmpeg(encoder: str, decoder: str, sample_rate: int, sample_format: str = "s16", **options: str) -> Coding:
    def coding(waveform: FloatArray, bitrate: int) -> FloatArray:
        import av  # here, so that what is missing is named by check, and only where it is wanted

        writer = cast("AudioCodecContext", av.CodecContext.create(encoder, "w"))
        writer.sample_rate, writer.layout, writer.format = sample_rate, "mono", sample_format
        writer.bit_rate, writer.time_base, writer.options = bitrate, Fraction(1, sample_rate), options
        samples = np.rint(waveform * np.float32(32767)).astype(np.int16) if sample_format == "s16" else waveform
        whole = av.AudioFrame.from_ndarray(samples[None], format=sample_format, layout="mono")
        whole.sample_rate, whole.pts = sample_rate, 0
        packets = [*writer.encode(whole), *writer.encode(None)]
        reader = cast("AudioCodecContext", av.CodecContext.create(decoder, "r"))
        reader.sample_rate, reader.layout = sample_rate, "mono"
        if writer.extradata:
            reader.extradata = writer.extradata
        frames = [frame for packet in [*packets, None] for frame in reader.decode(packet)]
        decoded = np.concatenate([frame.to_ndarray()[0] for frame in frames])
        floats = decoded.astype(np.float32) / np.float32(32768) if decoded.dtype == np.int16 else decoded
        return _resample(floats, reader.sample_rate, sample_rate)

    return coding


_OPUS = {"compression_level": "0", "frame_duration": "60"}  # encoder's complexity; long frames cost fewer calls
_MP3 = {"compression_level": "9"}

CODECS: dict[str, Codec] = {
    "narrowband": Codec(8000, _plain),
    "alaw": Codec(8000, _telephone(g711.alaw)),
    "mulaw": Codec(8000, _telephone(g711.mulaw)),
    "gsm": Codec(8000, _sndfile("WAV", "GSM610", 8000)),
    "amr-nb": Codec(8000, _ffmpeg("libopencore_amrnb", "amrnb", 8000), (4750, 5900, 7400, 12200), delay=40),
    "opus": Codec(16000, _ffmpeg("libopus", "opus", 16000, **_OPUS), (8000, 12000, 24000)),
    "vorbis": Codec(16000, _sndfile("OGG", "VORBIS", 16000, 1.0)),
    "mp3": Codec(8000, _ffmpeg("libmp3lame", "mp3float", 8000, "fltp", **_MP3), (8000, 16000)),
}
"""By name. ``narrowband`` is 8 kHz sampling without a codec."""
