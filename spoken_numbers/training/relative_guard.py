"""The log-mel guard as a share of an utterance's loudest energy, so that its level changes no feature.

NeMo's guard is a constant: of speech at full scale it hides little, of speech 30 dB below much. NeMo instantiates no
front end but its own, so the share stands in the model's config, and whoever makes a model here calls ``guard``; plain
NeMo, and others who compute features for themselves, go by the constant.
"""

from dataclasses import dataclass

import torch
from nemo.collections.asr.models import EncDecCTCModel
from omegaconf import DictConfig

LEAST = 2.0**-34
"""For digital silence; 30 dB below NeMo's constant, so that hiss on its own is not made loud."""


@dataclass(frozen=True, slots=True)
class RelativeGuard:
    """(batch, n_mels, frames) energies → (batch, 1, 1) guards, each ``share`` of an utterance's loudest."""

    share: float

    def __call__(self, energies: torch.Tensor) -> torch.Tensor:
        return self.share * energies.amax(dim=(1, 2), keepdim=True) + LEAST


def share_of(cfg: DictConfig) -> float | None:
    """A model config's ``relative_guard``.

    Raises:
        ValueError: something there that is no share.
    """
    share = cfg.get("relative_guard")
    if share is None or (isinstance(share, float) and 0 < share < 1):
        return share
    raise ValueError(f"its relative_guard is {share}, which is no share of an energy")


def guard(model: EncDecCTCModel) -> None:
    """Compute features as the model's config says: with ``relative_guard``, or as NeMo does where it has none.

    Raises:
        ValueError: something there that is no share.
    """
    if (share := share_of(model.cfg)) is not None:
        model.preprocessor.featurizer.log_zero_guard_value_fn = RelativeGuard(share)
