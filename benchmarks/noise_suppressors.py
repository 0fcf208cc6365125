"""What noise suppressors, which browsers and calls put between a microphone and a recogniser, cost in strings.

WebRTC's own suppressor, at its second and its highest of four levels, and RNNoise hear every utterance alone:
python3 benchmarks/noise_suppressors.py MODEL.onnx --manifest data/fsdd/test.json
"""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Annotated

import numpy as np
import numpy.typing as npt
import soxr
import typer
from pyrnnoise import RNNoise
from webrtc_noise_gain import AudioProcessor

from spoken_numbers.acoustic import open_acoustic
from spoken_numbers.assessment.evaluation import Acoustic, evaluate
from spoken_numbers.assessment.outputs import ManifestsOption
from spoken_numbers.audio import SAMPLE_RATE, FloatArray
from spoken_numbers.cli import run

RNNOISE_RATE = 48_000
FRAME = SAMPLE_RATE // 100
"""Samples, 10 ms, that WebRTC takes at once."""

Suppressor = Callable[[FloatArray], FloatArray]


def main(
    model: Annotated[list[Path], typer.Argument(exists=True, dir_okay=False, help=".onnx, .nemo or .ckpt files")],
    manifest: ManifestsOption,
) -> None:
    """Print the strings right as recorded and through each suppressor."""
    suppressors: dict[str, Suppressor] = {
        "as recorded": lambda waveform: waveform,
        "WebRTC, level 2": lambda waveform: webrtc(waveform, 2),
        "WebRTC, level 4": lambda waveform: webrtc(waveform, 4),
        "RNNoise": rnnoise,
    }
    print("| model | manifest | " + " | ".join(suppressors) + " |")
    print("|" + "---|" * (2 + len(suppressors)))
    for path in model:
        acoustic = open_acoustic(path)
        for one in manifest:
            heard = [evaluate(_behind(suppress, acoustic), [one]).overall for suppress in suppressors.values()]
            cells = [f"{counts.strings_right}/{counts.strings}" for counts in heard]
            print(f"| {path.stem} | {one} | " + " | ".join(cells) + " |", flush=True)


def webrtc(waveform: FloatArray, level: int) -> FloatArray:
    processor = AudioProcessor(0, level)  # without gain control
    frames = np.pad(_integers(waveform), (0, -len(waveform) % FRAME)).reshape(-1, FRAME)
    heard = b"".join(processor.Process10ms(frame.tobytes()).audio for frame in frames)
    return _floats(np.frombuffer(heard, np.int16))


def rnnoise(waveform: FloatArray) -> FloatArray:
    chunk = _integers(soxr.resample(waveform, SAMPLE_RATE, RNNOISE_RATE))
    frames = [frame[0] for _, frame in RNNoise(RNNOISE_RATE).denoise_chunk(chunk, partial=True)]
    return soxr.resample(_floats(np.concatenate(frames)), RNNOISE_RATE, SAMPLE_RATE)


def _integers(waveform: FloatArray) -> npt.NDArray[np.int16]:
    return np.clip(32768 * waveform, -32768, 32767).astype(np.int16)


def _floats(samples: npt.NDArray[np.int16]) -> FloatArray:
    return samples.astype(np.float32) / np.float32(32768)


def _behind(suppress: Suppressor, acoustic: Acoustic) -> Acoustic:
    def listen(waveforms: Iterable[FloatArray]) -> Iterator[FloatArray]:
        return acoustic(suppress(waveform) for waveform in waveforms)

    return listen


run(main)
