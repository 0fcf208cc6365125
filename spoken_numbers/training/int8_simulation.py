"""Training in the arithmetic of the int8 graph, so that the int8 file is the model that was trained."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch
from nemo.collections.asr.models import EncDecCTCModel
from torch import nn

from spoken_numbers.int8 import LARGEST, RECTIFIED, SIGNED, Range, scale_and_zero, weight_scales
from spoken_numbers.training.equalization import blocks_of, freeze_norms, residuals_of, units_of


class Int8Simulation:
    """Rounds a model's weights and activations as ``deploy.static`` does; gradients pass through the rounding.

    The model must be equalised, so that activations lie within ``SIGNED`` and ``RECTIFIED``. Batch normalisations,
    folded by then, stay as they are but for their biases. Names in the state dict do not change.
    """

    def __init__(self, model: EncDecCTCModel, feature_range: float) -> None:
        self._active = True
        freeze_norms(model)
        for convolutions in rounded_together(model):
            for convolution in convolutions:
                convolution.forward = partial(self._convolve, convolution, convolutions)  # type: ignore[method-assign]
        model.encoder.encoder.register_forward_pre_hook(partial(self._round_features, (-feature_range, feature_range)))
        for block in blocks_of(model):
            for unit in units_of(block):
                if unit.depthwise is not None:
                    unit.depthwise.register_forward_hook(self._round_output)
                if unit.output is not None:
                    unit.output.register_forward_hook(lambda *call: self._rounded(call[2], RECTIFIED))
            for convolution, _ in residuals_of(block):
                convolution.register_forward_pre_hook(self._round_input)
            block.register_forward_hook(self._round_block)

    @contextmanager
    def off(self) -> Iterator[None]:
        """The float model."""
        self._active = False
        try:
            yield
        finally:
            self._active = True

    def _convolve(self, convolution: nn.Conv1d, together: list[nn.Conv1d], signal: torch.Tensor) -> torch.Tensor:
        weight = rounded_weight(convolution, together) if self._active else convolution.weight
        return convolution._conv_forward(signal, weight, convolution.bias)

    def _rounded(self, value: torch.Tensor, within: Range) -> torch.Tensor:
        if not self._active:
            return value
        scale, zero = scale_and_zero(*within)
        return torch.fake_quantize_per_tensor_affine(value, float(scale), int(zero), 0, 255)

    def _round_features(self, within: Range, _: nn.Module, args: tuple[Any, ...]) -> tuple[Any, ...]:
        signals, lengths = args[0]
        return (([self._rounded(signal, within) for signal in signals], lengths),)

    def _round_input(self, _: nn.Module, args: tuple[Any, ...]) -> tuple[Any, ...]:
        return (self._rounded(args[0], SIGNED), *args[1:])

    def _round_output(self, _: nn.Module, args: object, output: tuple[torch.Tensor, Any]) -> tuple[torch.Tensor, Any]:
        return self._rounded(output[0], SIGNED), output[1]

    def _round_block(self, _: nn.Module, args: object, output: tuple[list[torch.Tensor], Any]) -> tuple[Any, Any]:
        return [self._rounded(one, RECTIFIED) for one in output[0]], output[1]


def rounded_together(model: EncDecCTCModel) -> list[list[nn.Conv1d]]:
    """Every convolution; a residual's beside the main one, since the int8 graph makes one product of both."""
    groups: list[list[nn.Conv1d]] = []
    for block in blocks_of(model):
        units = units_of(block)
        groups += [[unit.depthwise.conv] for unit in units if unit.depthwise is not None]
        groups += [[unit.convolution.conv] for unit in units[:-1]]
        groups.append([units[-1].convolution.conv, *(convolution.conv for convolution, _ in residuals_of(block))])
    return [*groups, [model.decoder.decoder_layers[0]]]


def rounded_weight(convolution: nn.Conv1d, together: list[nn.Conv1d]) -> torch.Tensor:
    """The weight in the steps that it shares, channel by channel, with those it is ``together`` with."""
    with torch.no_grad():
        largest = torch.stack([one.weight.abs().amax(dim=(1, 2)) for one in together]).amax(dim=0)
        scale = torch.from_numpy(weight_scales(largest.cpu().numpy()).astype("float32")).to(largest.device)
    zero = torch.zeros_like(scale, dtype=torch.int32)
    return torch.fake_quantize_per_channel_affine(convolution.weight, scale, zero, 0, -LARGEST, LARGEST)


@torch.no_grad()
def settle_weights(model: EncDecCTCModel) -> None:
    """Leave only weights that int8 holds exactly, and biases that float16 does."""
    for together in rounded_together(model):
        for convolution, weight in [(one, rounded_weight(one, together)) for one in together]:
            convolution.weight.copy_(weight)
    for block in blocks_of(model):
        for norm in [unit.norm for unit in units_of(block)[:-1]]:
            norm.bias.copy_(norm.bias.half())
        last, residual = units_of(block)[-1].norm, [norm for _, norm in residuals_of(block)]
        last.bias.copy_(sum((norm.bias for norm in residual), last.bias).half())
        for norm in residual:
            norm.bias.zero_()
