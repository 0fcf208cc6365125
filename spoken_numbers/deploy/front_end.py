"""NeMo's log-mel front end as an ONNX graph: waveform → normalised log-mel energies."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import numpy_helper, parser

from spoken_numbers.errors import UserError
from spoken_numbers.training.relative_guard import LEAST, RelativeGuard

FRONT_END = "front_end/"
"""Prefix of the names of the graph's nodes, by which they are known once a network follows them."""

LARGEST_STEP = 16
"""Points of the transform's second step; 8 to 16 measured fastest for 512."""


class FrontEndError(UserError):
    """Feature settings that the graph does not compute."""


@dataclass(frozen=True, slots=True)
class FrontEnd:
    """Feature settings by NeMo's names, lengths in samples, with the window and mel filters as arrays."""

    sample_rate: int
    win_length: int
    hop_length: int
    n_fft: int
    preemph: float | None
    mag_power: float
    log_zero_guard_type: str
    log_zero_guard_value: float
    relative_guard: float
    """Share of the utterance's loudest energy that the guard has besides."""
    window: npt.NDArray[np.float32]
    mel_filters: npt.NDArray[np.float32]
    """(features, n_fft // 2 + 1)"""

    @property
    def features(self) -> int:
        return len(self.mel_filters)

    @property
    def description(self) -> dict[str, Any]:
        """What a runtime must know to compute the features itself."""
        plain = {name: getattr(self, name) for name in self.__slots__ if name not in ("window", "mel_filters")}
        return plain | {"features": self.features, "normalize": "per_feature"}


def front_end_of(featurizer: Any) -> FrontEnd:
    """Read the settings off a NeMo ``FilterbankFeatures``.

    Raises:
        FrontEndError: settings that QuartzNets are not trained with.
    """
    wanted = {"normalize": "per_feature", "log": True, "frame_splicing": 1, "exact_pad": False}
    for name, supported in wanted.items():
        if (value := getattr(featurizer, name)) != supported:
            raise FrontEndError(
                f"{name}={value} cannot be exported", where="preprocessor", todo=f"train with {name}={supported}"
            )
    if featurizer.n_fft % 2:
        raise FrontEndError(
            f"n_fft={featurizer.n_fft} cannot be exported", where="preprocessor", todo="train with an even n_fft"
        )
    window, guard = featurizer.window, featurizer.log_zero_guard_value_fn
    relative = isinstance(guard, RelativeGuard)
    return FrontEnd(
        sample_rate=featurizer.sample_rate,
        win_length=featurizer.win_length,
        hop_length=featurizer.hop_length,
        n_fft=featurizer.n_fft,
        preemph=featurizer.preemph,
        mag_power=featurizer.mag_power,
        log_zero_guard_type=featurizer.log_zero_guard_type,
        log_zero_guard_value=LEAST if relative else float(guard(featurizer.fb)),
        relative_guard=guard.share if relative else 0.0,
        window=np.ones(featurizer.win_length, np.float32) if window is None else window.numpy().astype(np.float32),
        mel_filters=featurizer.fb[0].numpy().astype(np.float32),
    )


def front_end_graph(front: FrontEnd, opset: int) -> onnx.ModelProto:
    """``waveform`` (batch, samples), ``length`` → ``audio_signal`` (batch, features, frames), ``audio_length``.

    As NeMo computes them in evaluation: no dither, pre-emphasis, zeros beyond an utterance's end, centred frames, and
    frames = samples // hop_length. Levels are counted from the first frame's: in a silent band the mean of large equal
    numbers would be off by a rounding, and the division by nearly nothing would make much of it.
    """
    transform = TwoStepTransform(front)
    before = front.n_fft // 2 - (front.n_fft - front.win_length) // 2
    after = transform.taps * transform.step - front.hop_length - before
    text = f"""
    <ir_version: 8, opset_import: ["": {opset}]>
    front_end (float[batch, samples] waveform, int64[batch] length)
           => (float[batch, {front.features}, frames] audio_signal, int64[batch] audio_length)
    {{
      zero = Constant <value_int = 0> ()
      one = Constant <value_int = 1> ()
      axis_0 = Constant <value_ints = [0]> ()
      axis_1 = Constant <value_ints = [1]> ()
      axis_2 = Constant <value_ints = [2]> ()
      axes_12 = Constant <value_ints = [1, 2]> ()
      silence = Constant <value_float = 0.0> ()
      hop = Constant <value_int = {front.hop_length}> ()

      end = Unsqueeze (length, axis_1)
      sample_shape = Shape <start = 1, end = 2> (waveform)
      samples = Squeeze (sample_shape)
      time = Range (zero, samples, one)
      spoken = Less (time, end)
      {_pre_emphasis(front.preemph)}
      signal = Where (spoken, emphasised, silence)

      whole_hops = Div (samples, hop)
      frame_count = Max (whole_hops, one)
      covered = Mul (frame_count, hop)
      missing = Sub (covered, samples)
      after_last = Constant <value_int = {after}> ()
      padding = Add (missing, after_last)
      padding_1 = Unsqueeze (padding, axis_0)
      pad_before = Constant <value_ints = [0, {before}, 0]> ()
      pads = Concat <axis = 0> (pad_before, padding_1)
      padded = Pad (signal, pads, silence)
      {transform.text("padded", "squared")}
      {_power(front.mag_power)}
      energy = MatMul (mel_filters, power)
      {_guard(front.log_zero_guard_value, front.relative_guard)}
      guarded = {"Add" if front.log_zero_guard_type == "add" else "Max"} (energy, guard)
      level = Log (guarded)
      first_level = Slice (level, axis_0, axis_1, axis_2)
      log_energy = Sub (level, first_level)

      audio_length = Div (length, hop)
      frame = Range (zero, frame_count, one)
      last = Unsqueeze (audio_length, axes_12)
      inside = Less (frame, last)
      float_count = Cast <to = 1> (last)
      unit = Constant <value_float = 1.0> ()
      count = Max (float_count, unit)
      inside_energy = Where (inside, log_energy, silence)
      total = ReduceSum (inside_energy, axis_2)
      mean = Div (total, count)
      centred = Sub (log_energy, mean)
      deviation = Where (inside, centred, silence)
      deviation_squared = Mul (deviation, deviation)
      sum_of_squares = ReduceSum (deviation_squared, axis_2)
      count_less_one = Sub (count, unit)
      freedom = Max (count_less_one, unit)
      variance = Div (sum_of_squares, freedom)
      spread = Sqrt (variance)
      least_spread = Constant <value_float = 0.00001> ()
      scale = Add (spread, least_spread)
      audio_signal = Div (deviation, scale)
    }}
    """
    model = parser.parse_model(text)
    constants = {**transform.constants, "mel_filters": front.mel_filters[:, transform.bins]}
    duplicates = np.bincount(transform.bins)[transform.bins]
    constants["mel_filters"] = constants["mel_filters"] / duplicates.astype(np.float32)
    model.graph.initializer.extend(numpy_helper.from_array(value, name) for name, value in constants.items())
    for node in model.graph.node:
        node.name = FRONT_END + node.output[0]
    onnx.checker.check_model(model)
    return model


class TwoStepTransform:
    """The squared magnitudes of a windowed Fourier transform, as two small grouped convolutions.

    Cooley and Tukey's first factorisation (1965): n_fft = rows × step. For each residue of the sample index modulo
    ``step``, a strided convolution over every ``step``-th sample gives ``rows`` bins, window and twiddle factors in
    its weights; transforms of ``step`` points then combine the residues. Samples being real, half of the rows hold
    every bin, some twice. A quarter of the time of one convolution with all cosines and sines
    (``benchmarks/front_end.py``), and a sixth of its weights.
    """

    def __init__(self, front: FrontEnd) -> None:
        self.step = math.gcd(front.hop_length, front.n_fft // 2, LARGEST_STEP)
        rows = front.n_fft // self.step
        self.kept_rows = rows // 2 + 1
        self.taps = -(-front.win_length // self.step)
        self.stride = front.hop_length // self.step

        window = np.zeros(self.taps * self.step)
        window[: front.win_length] = front.window
        row = np.arange(self.kept_rows)
        first = _waves(row, np.arange(len(window)), front.n_fft) * window  # (kept_rows, 2, samples)
        first = first.reshape(self.kept_rows, 2, self.taps, self.step).transpose(3, 0, 1, 2)

        residue = np.arange(self.step)
        cosine, minus_sine = _waves(residue, residue, self.step).swapaxes(0, 1)
        second = np.array([[cosine, -minus_sine], [minus_sine, cosine]])  # (2 out, 2 in, column, residue)
        second = second.transpose(0, 2, 3, 1).reshape(2 * self.step, 2 * self.step)

        self.constants = {
            "row_waves": first.reshape(-1, 1, self.taps).astype(np.float32),
            "column_waves": second[None, :, :, None].astype(np.float32),
        }
        bins = (row[:, None] + rows * residue) % front.n_fft
        self.bins = np.minimum(bins, front.n_fft - bins).ravel()
        """The bin of each output channel."""

    def text(self, signal: str, squared: str) -> str:
        """ONNX: (batch, samples) ``signal`` → (batch, len(bins), frames) ``squared``."""
        return f"""by_residue_shape = Constant <value_ints = [0, -1, {self.step}]> ()
      by_residue = Reshape ({signal}, by_residue_shape)
      residues = Transpose <perm = [0, 2, 1]> (by_residue)
      rows = Conv <strides = [{self.stride}], group = {self.step}> (residues, row_waves)
      apart_shape = Constant <value_ints = [0, {self.step}, {self.kept_rows}, 2, -1]> ()
      rows_apart = Reshape (rows, apart_shape)
      rows_first = Transpose <perm = [0, 2, 1, 3, 4]> (rows_apart)
      together_shape = Constant <value_ints = [0, {self.kept_rows * self.step * 2}, -1]> ()
      rows_together = Reshape (rows_first, together_shape)
      copies = Constant <value_ints = [{self.kept_rows}, 1, 1, 1]> ()
      all_column_waves = Expand (column_waves, copies)
      column_kernel_shape = Constant <value_ints = [{self.kept_rows * self.step * 2}, {2 * self.step}, 1]> ()
      column_kernel = Reshape (all_column_waves, column_kernel_shape)
      spectrum = Conv <group = {self.kept_rows}> (rows_together, column_kernel)
      parts_squared = Mul (spectrum, spectrum)
      parts_shape = Constant <value_ints = [0, {self.kept_rows}, 2, {self.step}, -1]> ()
      parts = Reshape (parts_squared, parts_shape)
      part_sums = ReduceSum <keepdims = 0> (parts, axis_2)
      bins_shape = Constant <value_ints = [0, {len(self.bins)}, -1]> ()
      {squared} = Reshape (part_sums, bins_shape)"""


def _waves(frequency: npt.NDArray[np.int64], time: npt.NDArray[np.int64], period: int) -> npt.NDArray[np.float64]:
    """Real and imaginary part of exp(-2πi·frequency·time / period): (frequencies, 2, times)."""
    phase = 2 * np.pi * (np.outer(frequency, time) % period) / period
    return np.stack([np.cos(phase), -np.sin(phase)], axis=1)


def _power(mag_power: float) -> str:
    if mag_power == 2.0:
        return "power = Identity (squared)"
    return f"""half_power = Constant <value_float = {mag_power / 2}> ()
      power = Pow (squared, half_power)"""


def _guard(value: float, share: float) -> str:
    if not share:
        return f"guard = Constant <value_float = {value!r}> ()"
    return f"""share = Constant <value_float = {share!r}> ()
      least_guard = Constant <value_float = {value!r}> ()
      loudest = ReduceMax (energy, axes_12)
      part = Mul (loudest, share)
      guard = Add (part, least_guard)"""


def _pre_emphasis(preemph: float | None) -> str:
    if preemph is None:
        return "emphasised = Identity (waveform)"
    return f"""later = Constant <value_ints = [0, 1, 0, -1]> ()
      previous = Pad (waveform, later, silence)
      preemph = Constant <value_float = {preemph}> ()
      carried = Mul (previous, preemph)
      emphasised = Sub (waveform, carried)"""
