"""What a model says before a training, for that training to keep to."""

import copy
import math

import torch
from nemo.collections.asr.models import EncDecCTCModel

SKEW = 0.1


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


def skewed_divergence(taught: torch.Tensor, learnt: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
    """Kullback and Leibler's divergence from a mixture of both, summed over frames, averaged over utterances.

    A tenth of the mixture is what is taught: a frame costs 2.3 nats at most, where a spike of CTC's that comes a frame
    sooner or later costs tens of them (Lee 2001, "On the effectiveness of the skew divergence").

    Args:
        taught, learnt: log-probabilities (batch, frames, labels + 1).
        lengths: (batch,) frames of each utterance.
    """
    mixed = torch.logaddexp(learnt + math.log(1 - SKEW), taught + math.log(SKEW))
    apart = (taught.exp() * (taught - mixed)).sum(dim=-1)
    inside = torch.arange(apart.shape[1], device=apart.device) < lengths[:, None]
    return (apart * inside).sum() / len(lengths)
