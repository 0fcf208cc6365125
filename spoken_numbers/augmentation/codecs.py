"""Waveform → what a codec leaves of it: in memory, as long, as loud and at the same place as before.

G.711 is a table, Vorbis and GSM's encoder are libsndfile's, the others are FFmpeg's through PyAV, without containers.
The codecs themselves take nearly all of the time: of AMR-NB's 15 ms for 3.5 s, Python's part is one.
"""

import io
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, cast

import numpy as np
import scipy.signal
import soundfile
import soxr

from spoken_numbers.audio import SAMPLE_RATE, FloatArray
from spoken_numbers.augmentation import g711
from spoken_numbers.errors import UserError

if TYPE_CHECKING:
    from av import AudioCodecContext, Packet

LOUDEST = 0.9
"""Peak above which a waveform is scaled down before it is coded, since codecs overshoot, and up again after.

Taken at the codec's own rate, behind its filter: resampling alone lifts the peaks of clipped speech by a fifth.
"""

GSM_BLOCK = 65
"""Bytes, two frames of 20 ms, in which WAV packs GSM 06.10 (Microsoft's WAV49)."""

SHORTEST = SAMPLE_RATE // 10
"""Samples that a codec gets at least; shorter utterances are followed by silence for it."""

Coding = Callable[[FloatArray, int], FloatArray]
"""(samples,) at a codec's own rate and bits a second → (samples,) at the same rate, or longer."""


@dataclass(frozen=True, slots=True)
class Codec:
    """One codec at one sampling rate.

    ``bitrates``: bits a second to choose from; empty for one that has no choice. ``delay``: samples at ``sample_rate``
    by which its output comes late, beyond what the decoder itself takes off. ``band``: second-order sections of a
    filter before it.
    """

    sample_rate: int
    coding: Coding
    bitrates: tuple[int, ...] = ()
    delay: int = 0
    band: FloatArray | None = None


def transcode(waveform: FloatArray, codec: str, bitrate: int | None = None) -> FloatArray:
    """(samples,) at 16 kHz → (samples,) at 16 kHz, neither early nor late by more than a millisecond.

    Args:
        codec: a name in ``CODECS``.
        bitrate: bits a second, one of the codec's; its lowest by default.

    Raises:
        UserError: this installation has no such encoder.
    """
    chosen = CODECS[codec]
    if not waveform.any():
        return waveform
    padded = np.pad(waveform, (0, SHORTEST - len(waveform))) if len(waveform) < SHORTEST else waveform
    low = _resample(padded, SAMPLE_RATE, chosen.sample_rate)
    if chosen.band is not None:
        low = scipy.signal.sosfilt(chosen.band, low)
    peak = max(float(low.max()), -float(low.min()))
    scale = np.float32(LOUDEST / peak if peak > LOUDEST else 1)
    softer = low * scale if scale < 1 else low
    late = np.pad(softer, (0, chosen.delay)) if chosen.delay else softer
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


def _law(law: Callable[[FloatArray], FloatArray]) -> Coding:
    return lambda waveform, bitrate: law(waveform)


def _telephone_band() -> FloatArray:
    """300 to 3400 Hz at 8 kHz, in second-order sections, as NeMo's ``g711`` has sox cut it."""
    edges = ((300, "highpass"), (3400, "lowpass"))
    slopes = [scipy.signal.butter(2, hertz, kind, fs=8000, output="sos") for hertz, kind in edges]
    return np.concatenate(slopes).astype(np.float32)


def _vorbis(waveform: FloatArray, bitrate: int) -> FloatArray:
    file = io.BytesIO()
    soundfile.write(file, waveform, 16000, format="OGG", subtype="VORBIS", compression_level=1.0)
    file.seek(0)
    return soundfile.read(file, dtype="float32")[0]


def _gsm(waveform: FloatArray, bitrate: int) -> FloatArray:
    import av

    file = io.BytesIO()
    soundfile.write(file, waveform, 8000, format="WAV", subtype="GSM610")
    written = file.getvalue()
    data = written.index(b"data") + 8
    end = len(written) - GSM_BLOCK + 1  # RIFF pads an odd number of bytes
    blocks = (av.Packet(written[at : at + GSM_BLOCK]) for at in range(data, end, GSM_BLOCK))
    reader = cast("AudioCodecContext", av.CodecContext.create("gsm_ms", "r"))  # bit-exact to libsndfile's, at a third
    reader.sample_rate, reader.layout = 8000, "mono"
    return _decoded(reader, blocks)


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
        decoded = _decoded(reader, [*packets, None])
        # Opus decodes at 48 kHz, what it coded at 16: nothing lies above 8 kHz that could fold.
        return decoded[:: reader.sample_rate // sample_rate]

    return coding


def _decoded(reader: "AudioCodecContext", packets: "Iterable[Packet | None]") -> FloatArray:
    frames = [frame.to_ndarray()[0] for packet in packets for frame in reader.decode(packet)]
    decoded = np.concatenate(frames)
    return decoded.astype(np.float32) / np.float32(32768) if decoded.dtype == np.int16 else decoded


_OPUS = {"compression_level": "0", "frame_duration": "60"}  # encoder's complexity; long frames cost fewer calls
_MP3 = {"compression_level": "9"}

CODECS: dict[str, Codec] = {
    "narrowband": Codec(8000, _plain),
    "alaw": Codec(8000, _law(g711.alaw)),
    "mulaw": Codec(8000, _law(g711.mulaw)),
    "telephone-alaw": Codec(8000, _law(g711.alaw), band=_telephone_band()),
    "telephone-mulaw": Codec(8000, _law(g711.mulaw), band=_telephone_band()),
    "gsm": Codec(8000, _gsm),
    "amr-nb": Codec(8000, _ffmpeg("libopencore_amrnb", "amrnb", 8000), (4750, 5900, 7400, 12200), delay=40),
    "opus": Codec(16000, _ffmpeg("libopus", "opus", 16000, **_OPUS), (8000, 12000, 24000)),
    "vorbis": Codec(16000, _vorbis),
    "mp3": Codec(8000, _ffmpeg("libmp3lame", "mp3float", 8000, "fltp", **_MP3), (8000, 16000)),
}
"""By name. ``narrowband`` is 8 kHz sampling without a codec, ``telephone-…`` G.711 behind a telephone's band-pass."""
