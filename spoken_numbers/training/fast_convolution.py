"""Depthwise convolutions by FFT: the same result, sooner on a CPU.

PyTorch's depthwise ``Conv1d`` costs a pass over the kernel for every output, and QuartzNet's kernels are 17 to 87
long. ``benchmarks/training_step.py`` measures both.
"""

from typing import Any

import torch
from scipy.fft import next_fast_len
from torch import nn


class FFTDepthwiseConv1d(nn.Conv1d):
    """A stride-1, "same"-padded depthwise ``Conv1d`` computed as a product of spectra, in float32.

    Parameters and state dict are those of the ``nn.Conv1d`` that it stands for.
    """

    def _conv_forward(self, input: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None) -> torch.Tensor:
        """(batch, channels, frames) → (batch, channels, frames), equal to ``nn.Conv1d`` up to rounding."""
        with torch.autocast(input.device.type, enabled=False):
            kernel = weight.float().squeeze(1).flip(-1)
            if self.dilation[0] > 1:
                spread = kernel.new_zeros(kernel.shape[0], self.dilation[0] * (kernel.shape[1] - 1) + 1)
                spread[:, :: self.dilation[0]] = kernel
                kernel = spread
            output: torch.Tensor = _SpectralProduct.apply(input.float(), kernel)
            if bias is not None:
                output = output + bias.float().unsqueeze(-1)
        if torch.is_autocast_enabled(input.device.type):
            return output.to(torch.get_autocast_dtype(input.device.type))
        return output.to(input.dtype)


class _SpectralProduct(torch.autograd.Function):
    """(batch, channels, frames) and kernels (channels, taps), taps odd → (batch, channels, frames).

    Autograd's own way back through real transforms goes over complex ones of twice the size.
    """

    @staticmethod
    def forward(ctx: Any, signal: torch.Tensor, kernel: torch.Tensor) -> torch.Tensor:
        frames, taps = signal.shape[-1], kernel.shape[-1]
        reach = taps // 2
        # Frames that wrap around stay outside the slice that is kept.
        size = next_fast_len(max(frames + reach, taps), real=True)
        spectra = torch.fft.rfft(signal, n=size), torch.fft.rfft(kernel, n=size)
        ctx.save_for_backward(*spectra)
        ctx.sizes = frames, taps, size
        return torch.fft.irfft(spectra[0] * spectra[1], n=size)[..., reach : reach + frames]

    @staticmethod
    def backward(ctx: Any, *grads: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        signal, kernel = ctx.saved_tensors
        frames, taps, size = ctx.sizes
        reach = taps // 2
        grad = torch.fft.rfft(nn.functional.pad(grads[0], (reach, size - reach - frames)))
        to_signal = torch.fft.irfft(grad * kernel.conj(), n=size)[..., :frames]
        to_kernel = torch.fft.irfft((grad * signal.conj()).sum(0), n=size)[..., :taps]
        return to_signal, to_kernel


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
