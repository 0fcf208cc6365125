"""Several trained models of one size → one with the average of their weights."""

from collections.abc import Sequence
from pathlib import Path

import torch
from omegaconf import OmegaConf, open_dict

from spoken_numbers.files import written_whole
from spoken_numbers.training.equalization import fold_batch_norm, is_folded
from spoken_numbers.training.load import ModelError, load_model


@torch.no_grad()
def average_models(paths: Sequence[Path], out: Path) -> None:
    """Write a ``.nemo`` file with the mean of the models' weights and statistics.

    Of use for models whose trainings began with the same weights, most of all for one and what it began with, which
    keeps more of what that knew of other speakers (Wortsman et al. 2022, arXiv:2109.01903). Where some have their batch
    normalisations folded for 8 bits, those of the others are folded, too.

    Raises:
        ModelError: a file that cannot be used, or models of different sizes, labels or features.
    """
    first, *others = models = [load_model(path) for path in paths]
    states = [model.state_dict() for model in models]
    for path, model, state in zip(paths[1:], others, states[1:], strict=True):
        shapes = [{name: value.shape for name, value in one.items()} for one in (states[0], state)]
        same = shapes[0] == shapes[1] and model.decoder.vocabulary == first.decoder.vocabulary
        if not same or model.cfg.preprocessor != first.cfg.preprocessor:
            todo = "average models of one size, frontend and vocabulary"
            raise ModelError(f"not of the kind of {paths[0]}", where=str(path), todo=todo)
    folded = [is_folded(state) for state in states]
    for model, done in zip(models, folded, strict=True):
        if any(folded) and not done:
            fold_batch_norm(model)  # in place, so in the state, too
    mean = {
        name: torch.stack([state[name] for state in states]).mean(dim=0) if value.is_floating_point() else value
        for name, value in states[0].items()
    }
    first.load_state_dict(mean)
    with open_dict(first.cfg):
        first.cfg.provenance = OmegaConf.merge(
            first.cfg.get("provenance") or {}, {"averaged": [str(path) for path in paths]}
        )
        first.cfg.quantization = None  # an average of multiples of steps is none
    with written_whole(out) as temporary:
        first.save_to(str(temporary))
