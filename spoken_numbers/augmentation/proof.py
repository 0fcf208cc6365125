"""No augmentation is silent: each runs once on a training utterance, and changes it, before the first step."""

import random
from collections.abc import Sequence

import numpy as np
from nemo.collections.asr.parts.preprocessing.perturb import perturbation_types, process_augmentations
from nemo.collections.asr.parts.preprocessing.segment import AudioSegment
from omegaconf import DictConfig, OmegaConf

from spoken_numbers.audio import FloatArray
from spoken_numbers.augmentation import speed
from spoken_numbers.errors import UserError


class AugmentationError(UserError):
    """A perturbation that cannot run or does nothing."""


def prove(augment: DictConfig, waveforms: Sequence[FloatArray], sample_rate: int) -> None:
    """Run each configured perturbation, at probability 1, on real utterances.

    Args:
        augment: name → NeMo's keys, with ``prob``.
        waveforms: (samples,) each, at ``sample_rate`` Hz.

    Raises:
        AugmentationError: an unknown name or key, a file or program that is missing, or unchanged audio.
    """
    speed.register()
    state = random.getstate()
    try:
        for name, settings in augment.items():
            _prove_one(str(name), dict(OmegaConf.to_container(settings, resolve=True)), waveforms, sample_rate)  # type: ignore[arg-type]
    finally:
        random.setstate(state)


def _prove_one(name: str, settings: dict, waveforms: Sequence[FloatArray], sample_rate: int) -> None:
    where = f"augment.{name}"
    if name not in perturbation_types:
        raise AugmentationError(
            "no such perturbation", where=where, todo=f"known: {', '.join(sorted(perturbation_types))}"
        )
    prob = settings.get("prob")
    if not isinstance(prob, int | float) or not 0 <= prob <= 1:
        raise AugmentationError(f"prob is {prob}", where=where, todo="give a probability from 0 to 1")
    try:
        chain = process_augmentations({name: {**settings, "prob": 1.0}})
        changed = False
        for waveform in waveforms:
            segment = AudioSegment(waveform.copy(), sample_rate)
            chain.perturb(segment)
            after = segment._samples
            if after.size == 0 or not np.isfinite(after).all():
                raise AugmentationError("perturbation leaves no usable audio", where=where, todo="correct its keys")
            changed |= after.shape != waveform.shape or not np.allclose(after, waveform, atol=1e-7)
    except UserError:
        raise
    except Exception as error:
        reason = f"{type(error).__name__}: {error}".splitlines()[0]
        todo = f"correct it or leave it out with ~{where}"
        raise AugmentationError(f"perturbation cannot run: {reason}", where=where, todo=todo) from error
    if not changed:
        raise AugmentationError(
            "perturbation changes nothing", where=where, todo=f"correct it or leave it out with ~{where}"
        )
