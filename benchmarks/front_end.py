"""The Fourier transform of 3.5 s, in milliseconds on one thread: the exported front end's two steps against other ways.

python3 benchmarks/front_end.py
"""

import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import scipy.fft
from hydra.utils import instantiate
from onnx import numpy_helper, parser

from spoken_numbers.deploy.front_end import FrontEnd, TwoStepTransform, front_end_graph, front_end_of
from spoken_numbers.training.command import composed

SAMPLES, ROUNDS = 56_000, 200
CONFIG = Path(__file__).parents[1] / "conf" / "quickstart.yaml"


def main() -> None:
    settings = composed(CONFIG, ["frontend=nemo80"]).frontend
    front = front_end_of(instantiate(settings).featurizer)
    waveform = np.random.default_rng(0).standard_normal((1, SAMPLES), np.float32)
    ways = {
        "two grouped convolutions (ours)": session(two_steps(front)),
        "one convolution with all waves": session(one_convolution(front)),
        "ONNX's STFT": session(stft(front)),
        "scipy's rfft, outside the graph": by_scipy(front),
        "the whole front end": session(front_end_graph(front, 18)),
    }
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(ROUNDS):
        for name, run in ways.items():
            start = time.perf_counter()
            run(waveform)
            taken[name].append(1e3 * (time.perf_counter() - start))
    ours = statistics.median(next(iter(taken.values())))
    for name, times in taken.items():
        print(f"{name:34} {statistics.median(times):6.2f} ms  {statistics.median(times) / ours:4.1f}x")


def graph(body: str, **constants: np.ndarray) -> onnx.ModelProto:
    ends = "(float[batch, samples] waveform) => (float[batch, bins, frames] power)"
    model = parser.parse_model(f'<ir_version: 8, opset_import: ["": 18]> g {ends} {{ {body} }}')
    model.graph.initializer.extend(numpy_helper.from_array(value, name) for name, value in constants.items())
    return model


def two_steps(front: FrontEnd) -> onnx.ModelProto:
    transform = TwoStepTransform(front)
    text = "axis_2 = Constant <value_ints = [2]> ()\n" + transform.text("waveform", "power")
    return graph(text, **transform.constants)


def one_convolution(front: FrontEnd) -> onnx.ModelProto:
    phase = 2 * np.pi * np.outer(np.arange(front.n_fft // 2 + 1), np.arange(front.win_length)) / front.n_fft
    waves = np.concatenate([np.cos(phase), np.sin(phase)])[:, None] * front.window
    body = f"""axis = Constant <value_ints = [1]> () signal = Unsqueeze (waveform, axis)
      spectrum = Conv <strides = [{front.hop_length}]> (signal, waves)
      real, imaginary = Split <axis = 1, num_outputs = 2> (spectrum)
      a = Mul (real, real) b = Mul (imaginary, imaginary) power = Add (a, b)"""
    return graph(body, waves=waves.astype(np.float32))


def stft(front: FrontEnd) -> onnx.ModelProto:
    window = np.pad(front.window, (0, front.n_fft - front.win_length))
    body = f"""step = Constant <value_int = {front.hop_length}> () axis = Constant <value_ints = [2]> ()
      signal = Unsqueeze (waveform, axis) last = Constant <value_ints = [3]> ()
      spectrum = STFT <onesided = 1> (signal, step, window)
      squared = Mul (spectrum, spectrum) sums = ReduceSum <keepdims = 0> (squared, last)
      power = Transpose <perm = [0, 2, 1]> (sums)"""
    return graph(body, window=window.astype(np.float32))


def session(model: onnx.ModelProto) -> Callable[[np.ndarray], object]:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    loaded = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    lengths = {"length": np.array([SAMPLES])} if len(loaded.get_inputs()) == 2 else {}
    return lambda waveform: loaded.run(None, {"waveform": waveform, **lengths})


def by_scipy(front: FrontEnd) -> Callable[[np.ndarray], object]:
    def run(waveform: np.ndarray) -> np.ndarray:
        frames = np.lib.stride_tricks.sliding_window_view(waveform[0], front.win_length)[:: front.hop_length]
        spectrum = scipy.fft.rfft(frames * front.window, front.n_fft)
        return spectrum.real**2 + spectrum.imag**2

    return run


if __name__ == "__main__":
    main()
