"""Encoder and decoder of a NeMo CTC model → an ONNX graph that masks as training does."""

import copy
import io
import warnings
from types import MethodType

import onnx
import torch
from nemo.collections.asr.models import EncDecCTCModel
from nemo.collections.asr.parts.submodules.jasper import JasperBlock, MaskedConv1d, SqueezeExcite
from nemo.core.classes import typecheck
from torch import nn

from spoken_numbers.training.load import ModelError

OPSET = 18


def network_graph(model: EncDecCTCModel) -> onnx.ModelProto:
    """``audio_signal`` (batch, n_mels, frames), ``length`` (batch,) → ``logprobs``, ``logprobs_length``.

    NeMo's own export drops ``length`` and with it the masks, so that what pads a batch leaks into its utterances.
    Here every convolution wider than a frame sees zeros beyond an utterance's end, as in training; the 1×1
    convolutions between them need no mask, since nothing that they make of the padding is read.

    Raises:
        ModelError: layers that mask in a way of their own, or not at all.
    """
    network = _MaskedNetwork(model).eval()
    frames = 200
    example = torch.zeros(2, model.cfg.encoder.feat_in, frames), torch.tensor([frames, frames // 2])
    exported = io.BytesIO()
    with warnings.catch_warnings(), typecheck.disable_checks(), torch.inference_mode():
        warnings.simplefilter("ignore")  # the TorchScript exporter's deprecation; the other one loses the masks
        torch.onnx.export(
            network,
            example,
            exported,  # type: ignore[arg-type]  # a file-like object will do
            dynamo=False,
            opset_version=OPSET,
            input_names=["audio_signal", "length"],
            output_names=["logprobs", "logprobs_length"],
            dynamic_axes={
                "audio_signal": {0: "batch", 2: "frames"},
                "length": {0: "batch"},
                "logprobs": {0: "batch", 1: "logprobs_frames"},
                "logprobs_length": {0: "batch"},
            },
        )
    return onnx.load_from_string(exported.getvalue())


class _MaskedNetwork(nn.Module):
    def __init__(self, model: EncDecCTCModel) -> None:
        super().__init__()
        self.encoder = copy.deepcopy(model.encoder).float()
        self.decoder = copy.deepcopy(model.decoder).float()
        masks: dict[int, tuple[torch.Tensor, torch.Tensor]] = {}

        def mask_input(conv: MaskedConv1d, x: torch.Tensor, bounds: torch.Tensor) -> torch.Tensor:
            if conv.conv.kernel_size == (1,):
                return x
            if id(bounds) not in masks:  # one mask for each frame rate
                frame = torch.arange(bounds[-1])  # type: ignore[call-overload]  # a tensor, for the trace
                inside = frame.unsqueeze(0) < bounds[:-1].unsqueeze(1)
                masks[id(bounds)] = inside.unsqueeze(1).to(x.dtype), bounds
            return x * masks[id(bounds)][0]

        for layer in self.encoder.modules():
            if isinstance(layer, SqueezeExcite):
                raise ModelError("squeeze-and-excitation cannot be exported", where="encoder", todo="use a QuartzNet")
            if isinstance(layer, JasperBlock) and not layer.conv_mask:  # it hears its padding, and how much there is
                raise ModelError("encoder has no masks", where="encoder", todo="train with conv_mask: true")
            if isinstance(layer, MaskedConv1d):
                layer.mask_input = MethodType(mask_input, layer)
                layer.update_masked_length = lambda *_, **__: None

    def forward(self, audio_signal: torch.Tensor, length: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        # The padded length goes with the others through the arithmetic of strides, so that masks know their width.
        frames = torch.tensor(audio_signal.shape[2]).reshape(1)
        encoded, bounds = self.encoder.encoder(([audio_signal], torch.cat([length, frames])))
        return self.decoder(encoder_output=encoded[-1]), bounds[:-1]
