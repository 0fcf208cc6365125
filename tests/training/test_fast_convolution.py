"""The FFT form is the convolution that it stands for."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from spoken_numbers.training.fast_convolution import FFTDepthwiseConv1d, speed_up_depthwise


def pair(channels: int, kernel: int, dilation: int, bias: bool) -> tuple[nn.Sequential, nn.Sequential]:
    reach = dilation * (kernel - 1) // 2
    convolution = nn.Conv1d(channels, channels, kernel, padding=reach, dilation=dilation, groups=channels, bias=bias)
    stock, fast = nn.Sequential(convolution), nn.Sequential(nn.Conv1d(1, 1, 1))
    fast[0] = convolution
    assert speed_up_depthwise(fast) == 1
    assert isinstance(fast[0], FFTDepthwiseConv1d)
    return stock, fast


@settings(max_examples=40)
@given(
    frames=st.integers(1, 300),
    kernel=st.sampled_from([9, 33, 63, 87]),
    dilation=st.sampled_from([1, 2]),
    bias=st.booleans(),
    seed=st.integers(0, 99),
)
def test_output_and_gradients_equal_the_direct_convolution(frames, kernel, dilation, bias, seed):
    torch.manual_seed(seed)
    stock, fast = pair(4, kernel, dilation, bias)
    signal = torch.randn(2, 4, frames, requires_grad=True)
    weights = torch.randn(2, 4, frames)
    grads = []
    for module in (stock, fast):
        output = module(signal)
        parameters = [signal, *module.parameters()]
        grads.append([output, *torch.autograd.grad((output * weights).sum(), parameters)])
    for direct, by_fft in zip(*grads, strict=True):
        torch.testing.assert_close(by_fft, direct, rtol=1e-4, atol=2e-4)


def test_the_state_dict_stays_nemos():
    stock, fast = pair(4, 33, 1, False)
    assert fast.state_dict().keys() == stock.state_dict().keys()
    assert fast[0].weight is stock[0].weight


@pytest.mark.parametrize(
    "other",
    [
        nn.Conv1d(4, 4, 33, padding=16),
        nn.Conv1d(4, 4, 33, padding=16, groups=4, stride=2),
        nn.Conv1d(4, 4, 33, groups=4),
        nn.Conv1d(4, 4, 1),
    ],
)
def test_other_convolutions_are_left_alone(other):
    module = nn.Sequential(other)
    assert speed_up_depthwise(module) == 0
    assert module[0] is other


def test_autocast_gives_the_type_that_autocast_asks_for():
    _, fast = pair(4, 33, 1, False)
    with torch.autocast("cpu", torch.bfloat16):
        assert fast(torch.randn(1, 4, 50)).dtype == torch.bfloat16
