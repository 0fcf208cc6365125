"""Depthwise convolutions by FFT: the same result, sooner on a CPU.

PyTorch's depthwise ``Conv1d`` costs a pass over the kernel for every output, and QuartzNet's kernels are 17 to 87
long. ``benchmarks/training_step.py`` measures both.
"""

import torch
from scipy.fft import next_fast_len
from torch import nn


class FFTDepthwiseConv1d(nn.Conv1d):
    """A stride-1, "same"-padded depthwise ``Conv1d`` computed as a product of spectra, in float32.

    Parameters and state dict are those of the ``nn.Conv1d`` that it stands for.
    """

    def _conv_forward(self, input: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None) -> torch.Tensor:
        """(batch, channels, frames) → (batch, channels, frames), equal to ``nn.Conv1d`` up to rounding."""
        frames, reach = input.shape[-1], self.dilation[0] * (self.kernel_size[0] - 1) // 2
        # Frames that wrap around stay outside the slice that is kept.
        size = next_fast_len(frames + reach, real=True)
        size = max(size, 2 * reach + 1)
        with torch.autocast(input.device.type, enabled=False):
            kernel = weight.float().squeeze(1).flip(-1)
            if self.dilation[0] > 1:
                spread = kernel.new_zeros(kernel.shape[0], 2 * reach + 1)
                spread[:, :: self.dilation[0]] = kernel
                kernel = spread
            spectrum = torch.fft.rfft(input.float(), n=size) * torch.fft.rfft(kernel, n=size)
            output = torch.fft.irfft(spectrum, n=size)[..., reach : reach + frames]
            if bias is not None:
                output = output + bias.float().unsqueeze(-1)
        if torch.is_autocast_enabled(input.device.type):
            return output.to(torch.get_autocast_dtype(input.device.type))
        return output.to(input.dtype)


def speed_up_depthwise(module: nn.Module) -> int:
    """Replace every convolution that has an FFT form, keeping its parameters; return how many there were."""
    replaced = 0
    for parent in list(module.modules()):
        for name, child in list(parent.named_children()):
            if type(child) is nn.Conv1d and _has_fft_form(child):
                setattr(parent, name, _fft_form(child))
                replaced += 1
    return replaced


def _has_fft_form(conv: nn.Conv1d) -> bool:
    reach = conv.dilation[0] * (conv.kernel_size[0] - 1)
    depthwise = conv.groups == conv.in_channels == conv.out_channels > 1
    same = conv.stride == (1,) and not isinstance(conv.padding, str) and 2 * conv.padding[0] == reach
    return depthwise and same and conv.padding_mode == "zeros" and conv.kernel_size[0] > 8


def _fft_form(conv: nn.Conv1d) -> FFTDepthwiseConv1d:
    twin = FFTDepthwiseConv1d(
        conv.in_channels,
        conv.out_channels,
        conv.kernel_size[0],
        padding="same",
        dilation=conv.dilation[0],
        groups=conv.groups,
        bias=conv.bias is not None,
        device="meta",
    )
    twin.weight, twin.bias = conv.weight, conv.bias
    return twin.train(conv.training)
