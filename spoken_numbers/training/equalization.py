"""A QuartzNet rewritten, function unchanged, so that 8 bits serve all of its channels alike."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import torch
from nemo.collections.asr.models import EncDecCTCModel
from nemo.collections.asr.parts.submodules.jasper import JasperBlock, MaskedConv1d
from torch import nn
from torch.utils.hooks import RemovableHandle

SMALLEST = 1e-4
"""Channels that never reach more are left at their scale."""


@dataclass(frozen=True, slots=True)
class Unit:
    """A depthwise convolution where the block is separable, the convolution after it, and its batch normalisation."""

    depthwise: MaskedConv1d | None
    convolution: MaskedConv1d
    norm: nn.BatchNorm1d
    output: nn.Module | None
    """What gives the unit's output after its activation; None for a block's last, whose output is the block's."""


def is_equalizable(model: EncDecCTCModel) -> bool:
    """A chain of blocks with plain residuals, batch normalisation and ReLU, as QuartzNets are."""
    blocks = list(blocks_of(model))
    known = all(isinstance(block, JasperBlock) for block in model.encoder.encoder) and blocks
    return bool(known) and all(
        not block.dense_residual
        and block.conv_mask
        and all(isinstance(layer, MaskedConv1d | nn.BatchNorm1d | nn.ReLU | nn.Dropout) for layer in block.mconv)
        and isinstance(block.mout[0], nn.ReLU)
        and all(layer.conv.groups in (1, layer.conv.in_channels) for layer in _convolutions(block))
        for block in blocks
    )


def fold_batch_norm(model: EncDecCTCModel) -> None:
    """Move each batch normalisation into the convolution before it; what stays of it adds a bias."""
    for block in blocks_of(model):
        for convolution, norm in _normalised(block):
            mean, variance = norm.running_mean, norm.running_var
            assert mean is not None
            assert variance is not None
            factor = norm.weight.detach() / torch.sqrt(variance + norm.eps)
            convolution.conv.weight.data.mul_(factor[:, None, None])
            norm.bias.data.sub_(mean * factor)
            make_identity(norm)


@torch.no_grad()
def make_identity(norm: nn.BatchNorm1d) -> None:
    """Let a batch normalisation, in evaluation, do no more than add its bias."""
    assert norm.running_mean is not None
    assert norm.running_var is not None
    norm.weight.fill_(1.0)
    norm.running_mean.zero_()
    norm.running_var.fill_(1.0 - norm.eps)


def is_folded(state: Mapping[str, torch.Tensor]) -> bool:
    """Whether ``fold_batch_norm`` was done to the model of a state dict: every channel's statistics are 0 and 1."""
    means = [value for name, value in state.items() if name.endswith(".running_mean")]
    variances = [value for name, value in state.items() if name.endswith(".running_var")]
    untouched = [value for value in variances if (value == 1).any()]  # of a model that was never trained
    return bool(means) and not untouched and not any(value.any() for value in means)


@torch.no_grad()
def unfold_batch_norm(model: EncDecCTCModel, batches: Iterable[tuple[torch.Tensor, torch.Tensor]]) -> None:
    """Give batch normalisations, folded by ``fold_batch_norm``, statistics again, function unchanged in evaluation.

    A training then has what they do for it: steps that may be longer, and weights whose scale does not matter.

    Args:
        batches: features (batch, n_mels, frames) and their lengths, to measure the statistics on.
    """
    sums: dict[nn.Module, torch.Tensor] = {}

    def note(norm: nn.Module, inputs: tuple[torch.Tensor]) -> None:
        value = inputs[0].double()
        counted = torch.stack([torch.ones_like(value), value, value.square()]).sum(dim=(1, 3))
        sums[norm] = sums.get(norm, torch.zeros(())) + counted

    norms = [norm for block in blocks_of(model) for _, norm in _normalised(block)]
    _encode(model, batches, [norm.register_forward_pre_hook(note) for norm in norms])
    for norm in norms:
        count, total, squares = sums[norm]
        mean = total / count
        variance = squares / count - mean.square()
        assert norm.running_mean is not None
        assert norm.running_var is not None
        norm.bias.add_(mean)
        norm.weight.copy_(torch.sqrt(variance + norm.eps))
        norm.running_mean.copy_(mean)
        norm.running_var.copy_(variance)


def freeze_norms(model: EncDecCTCModel) -> None:
    """Keep batch normalisations, folded by then, as they are but for their biases.

    Their statistics are no longer those of what they hear, so training must not go over to a batch's own.
    """
    for block in blocks_of(model):
        for _, norm in _normalised(block):
            _freeze(norm)


def equalize(model: EncDecCTCModel, batches: Iterable[tuple[torch.Tensor, torch.Tensor]]) -> None:
    """Scale every channel of every activation to reach 1, and what reads it to make up for that.

    A channel's scale passes through ReLU, so it can move from the weights that make the channel to those that read it
    (Nagel et al. 2019, arXiv:1906.04721, section 4.1, with measured ranges). Batch normalisations are folded first.

    Args:
        batches: features (batch, n_mels, frames) and their lengths, to measure the channels on.
    """
    fold_batch_norm(model)
    reach = _reaches(model, batches)
    scale = torch.ones(model.cfg.encoder.feat_in)
    with torch.no_grad():
        for block in blocks_of(model):
            taken, out = scale, reach[block]
            for unit in units_of(block):
                weight = unit.convolution.conv.weight
                if unit.depthwise is not None:
                    inner = reach[unit.depthwise]
                    unit.depthwise.conv.weight.mul_((scale / inner)[:, None, None])
                    scale = inner
                weight.mul_(scale[None, :, None])
                scale = out if unit.output is None else reach[unit.output]
                weight.div_(scale[:, None, None])
                unit.norm.bias.div_(scale)
            for convolution, norm in residuals_of(block):
                convolution.conv.weight.mul_(taken[None, :, None]).div_(out[:, None, None])
                norm.bias.div_(out)
        model.decoder.decoder_layers[0].weight.mul_(scale[None, :, None])


def blocks_of(model: EncDecCTCModel) -> Iterator[JasperBlock]:
    return (block for block in model.encoder.encoder if isinstance(block, JasperBlock))


def units_of(block: JasperBlock) -> list[Unit]:
    """The repeats of a block, in order."""
    convolutions: list[MaskedConv1d] = []
    units: list[Unit] = []
    layers = list(block.mconv)
    for index, layer in enumerate(layers):
        if isinstance(layer, MaskedConv1d):
            convolutions.append(layer)
        elif isinstance(layer, nn.BatchNorm1d):
            output = layers[index + 2] if index + 2 < len(layers) else None  # activation, dropout
            depthwise = convolutions[0] if len(convolutions) > 1 else None
            units.append(Unit(depthwise, convolutions[-1], layer, output))
            convolutions = []
    return units


def residuals_of(block: JasperBlock) -> list[tuple[MaskedConv1d, nn.BatchNorm1d]]:
    return [(branch[0], branch[1]) for branch in block.res] if block.res is not None else []


def _normalised(block: JasperBlock) -> list[tuple[MaskedConv1d, nn.BatchNorm1d]]:
    return [(unit.convolution, unit.norm) for unit in units_of(block)] + residuals_of(block)


def _freeze(norm: nn.BatchNorm1d) -> None:
    norm.eval()
    norm.weight.requires_grad_(False)
    norm.train = lambda mode=True: norm  # type: ignore[method-assign]


def _convolutions(block: JasperBlock) -> list[MaskedConv1d]:
    return [layer for layer in block.modules() if isinstance(layer, MaskedConv1d)]


@torch.no_grad()
def _reaches(
    model: EncDecCTCModel, batches: Iterable[tuple[torch.Tensor, torch.Tensor]]
) -> dict[nn.Module, torch.Tensor]:
    """The largest magnitude of each channel."""
    watched: list[nn.Module] = []
    for block in blocks_of(model):
        watched.append(block)
        for unit in units_of(block):
            watched += [layer for layer in (unit.depthwise, unit.output) if layer is not None]
    reach: dict[nn.Module, torch.Tensor] = {}

    def note(layer: nn.Module, _: object, output: object) -> None:
        value = output
        while not isinstance(value, torch.Tensor):  # blocks and masked convolutions give lengths besides
            value = value[0]  # type: ignore[index]
        reach[layer] = torch.maximum(reach.get(layer, torch.zeros(())), value.abs().amax(dim=(0, 2)))

    _encode(model, batches, [layer.register_forward_hook(note) for layer in watched])
    return {layer: torch.where(value < SMALLEST, torch.ones(()), value) for layer, value in reach.items()}


def _encode(
    model: EncDecCTCModel, batches: Iterable[tuple[torch.Tensor, torch.Tensor]], hooks: Iterable[RemovableHandle]
) -> None:
    """Let the encoder hear the batches, for what the hooks note, which are then removed."""
    try:
        for features, lengths in batches:
            model.encoder(audio_signal=features, length=lengths)
    finally:
        for hook in hooks:
            hook.remove()
