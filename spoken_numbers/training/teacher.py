"""What a model says before a training, for that training to keep to."""

import copy

import torch
from nemo.collections.asr.models import EncDecCTCModel


class Teacher:
    """A copy of a model's network as it is now. It learns nothing, and no state dict has it."""

    def __init__(self, model: EncDecCTCModel) -> None:
        self._network = [copy.deepcopy(part).eval().requires_grad_(False) for part in (model.encoder, model.decoder)]

    @torch.no_grad()
    def __call__(self, features: torch.Tensor, frames: torch.Tensor) -> torch.Tensor:
        """Features (batch, n_mels, frames) and lengths → log-probabilities (batch, frames, labels + 1)."""
        encoder, decoder = (part.to(features.device) for part in self._network)
        encoded, _ = encoder(audio_signal=features, length=frames)
        log_probs: torch.Tensor = decoder(encoder_output=encoded)
        return log_probs
