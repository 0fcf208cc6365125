"""A config's ``augment`` section → a chain, and the proof that each of its perturbations does something."""

import difflib
import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from spoken_numbers.audio import FloatArray
from spoken_numbers.augmentation.chain import Chain, Step
from spoken_numbers.augmentation.channel import BandLimit, Clipping, Equalise, PacketLoss
from spoken_numbers.augmentation.dynamics import Dynamics
from spoken_numbers.augmentation.impulse import Impulse
from spoken_numbers.augmentation.level import Gain, WhiteNoise
from spoken_numbers.augmentation.noise import Babble, Noise
from spoken_numbers.augmentation.perturbation import AugmentationError, Perturbation
from spoken_numbers.augmentation.silence import Pauses, Silence
from spoken_numbers.augmentation.speed import Speed
from spoken_numbers.augmentation.transcode import Transcode
from spoken_numbers.augmentation.voice import Formant, Pitch, Tempo
from spoken_numbers.errors import UserError

PERTURBATIONS: dict[str, Callable[..., Perturbation]] = {
    "speed": Speed,
    "impulse": Impulse,
    "noise": Noise,
    "gain": Gain,
    "white_noise": WhiteNoise,
    "transcode_aug": Transcode,
    "silence": Silence,
    "tempo": Tempo,
    "pitch": Pitch,
    "formant": Formant,
    "pauses": Pauses,
    "babble": Babble,
    "band_limit": BandLimit,
    "equalise": Equalise,
    "dynamics": Dynamics,
    "clip": Clipping,
    "packet_loss": PacketLoss,
}
"""The names of a config; the first seven are NeMo's."""


def chain_of(augment: Mapping[str, Mapping[str, Any]], processes: int = 1, *, before: str | None = None) -> Chain:
    """Build each perturbation, in the config's order.

    Raises:
        AugmentationError: an unknown name or key, or a value, file, package or codec that will not do.
    """
    if before is not None and before not in augment:
        told, todo = f"no '{before}' in augment", f"name one of {', '.join(map(str, augment)) or 'its steps'}"
        raise AugmentationError(told, where="model.train_ds.taught_before", todo=todo)
    steps = [_step(str(name), dict(settings or {})) for name, settings in augment.items()]
    return Chain(steps, processes, before=before)


def prove(chain: Chain, waveforms: Sequence[FloatArray], seed: int = 0) -> None:
    """Run each step of a chain, whatever its probability, on real utterances.

    Args:
        waveforms: (samples,) each, at 16 kHz; left as they are.

    Raises:
        AugmentationError: a step that raises, leaves no usable audio, or changes none of the utterances.
    """
    for step in chain.steps:
        where, todo = f"augment.{step.name}", f"correct it or leave it out with ~augment.{step.name}"
        rng = np.random.default_rng(seed)
        changed = False
        for waveform in waveforms:
            try:
                after = step.perturbation(waveform.copy(), rng)
            except Exception as error:
                reason = f"{type(error).__name__}: {error}".splitlines()[0]
                raise AugmentationError(f"perturbation cannot run: {reason}", where=where, todo=todo) from error
            if after.ndim != 1 or after.dtype != np.float32 or after.size == 0 or not np.isfinite(after).all():
                raise AugmentationError("perturbation leaves no usable audio", where=where, todo=todo)
            changed |= after.shape != waveform.shape or not np.allclose(after, waveform, atol=1e-7)
        if not changed:
            raise AugmentationError("perturbation changes nothing", where=where, todo=todo)


def _step(name: str, settings: dict[str, Any]) -> Step:
    where = f"augment.{name}"
    if name not in PERTURBATIONS:
        todo = _nearest(name, PERTURBATIONS)
        raise AugmentationError(f"no such perturbation '{name}'", where="augment", todo=todo)
    prob = settings.pop("prob", None)
    if isinstance(prob, bool) or not isinstance(prob, int | float) or not 0 <= prob <= 1:
        raise AugmentationError(f"prob is {prob}", where=where, todo="give a probability from 0 to 1")
    kind = PERTURBATIONS[name]
    keys = inspect.signature(kind).parameters
    if settings.pop("rng", None) is not None:
        raise AugmentationError("rng is NeMo's key", where=where, todo="leave it out: seed seeds every perturbation")
    for key in settings:
        if key not in keys:
            raise AugmentationError(f"no such key '{key}'", where=where, todo=_nearest(key, ["prob", *keys]))
    for key, parameter in keys.items():
        if parameter.default is parameter.empty and settings.get(key) is None:
            raise AugmentationError(f"no {key}", where=where, todo=f"give {where}.{key}=…")
    try:
        return Step(name, float(prob), kind(**settings))
    except UserError as error:
        place = f"{where}, {error.where}" if error.where else where
        raise AugmentationError(error.what, where=place, todo=error.todo) from error
    except (ValueError, TypeError) as error:
        raise AugmentationError(str(error), where=where, todo="correct its keys") from error


def _nearest(name: str, known: Sequence[str] | Mapping[str, Any]) -> str:
    near = difflib.get_close_matches(name, list(known), 1, 0.5)
    return f"did you mean '{near[0]}'?" if near else f"known: {', '.join(known)}"
