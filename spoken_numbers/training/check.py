"""What must be true of a config before the first step."""

import difflib
import inspect
from collections.abc import Iterable
from pathlib import Path

from hydra.utils import get_class
from lightning.pytorch import Trainer
from omegaconf import DictConfig, OmegaConf

from spoken_numbers.augmentation.config import chain_of, prove
from spoken_numbers.labels import LABELS
from spoken_numbers.manifest_check import check_before_training
from spoken_numbers.training.command import ConfigError
from spoken_numbers.training.manifests import first_utterances, manifest_paths, shards_of
from spoken_numbers.training.model import output_stride
from spoken_numbers.training.relative_guard import share_of
from spoken_numbers.training.shards import check_shards, is_sharded

LOADER_KEYS = {
    "manifest_filepath",
    "max_unreadable",
    "sample_rate",
    "labels",
    "batch_size",
    "shuffle",
    "num_workers",
    "min_duration",
    "max_duration",
    "normalize_transcripts",
    "augmentor",
    "seed",
}
TRAINING_KEYS = {"repeat", "micro_batches", "taught_before", "is_tarred", "tarred_audio_filepaths"}
SECTIONS = {
    "name",
    "seed",
    "init_from",
    "unfold_norms",
    "model",
    "trainer",
    "exp_manager",
    "size",
    "frontend",
    "augment",
    "optim",
    "quantization",
}
QUANTIZATION_KEYS = {"features", "consistency", "distil", "utterances"}
EXPERIMENT_KEYS = {"exp_dir", "checkpoint_every_n_steps", "example_utterances", "ema_decay"}


def check_config(cfg: DictConfig) -> None:
    """Everything that can be known to be wrong without training.

    Raises:
        ConfigError: a value still missing, an unknown key (names the nearest real one), other labels.
        ManifestError: a manifest that is missing or cannot be trained on.
        ShardError: a shard that is missing or broken.
    """
    missing = sorted(OmegaConf.missing_keys(cfg))
    if missing:
        raise ConfigError(f"not filled in: {', '.join(missing)}", where="config", todo="give each as key=value")
    _check_keys(cfg)
    if tuple(cfg.model.labels) != LABELS:
        raise ConfigError(
            "labels must be 0–9 and *", where="model.labels", todo="leave them as conf/base.yaml has them"
        )
    repeat = cfg.model.train_ds.repeat
    if not isinstance(repeat, int) and len(repeat) != len(manifest_paths(cfg.model.train_ds)):
        todo = "give one count, or as many as there are manifests"
        raise ConfigError("repeat does not fit the manifests", where="model.train_ds.repeat", todo=todo)
    if not isinstance(parts := cfg.model.train_ds.micro_batches, int) or parts < 1:
        where, todo = "model.train_ds.micro_batches", "give 1, or the parts to compute a batch in"
        raise ConfigError(f"a batch in {parts} parts", where=where, todo=todo)
    try:
        share_of(cfg.model)
    except ValueError as error:
        todo = "give a share of the loudest energy, 3e-7, or null"
        raise ConfigError(str(error), where="model.relative_guard", todo=todo) from None
    train, validation = (
        list(dict.fromkeys(manifest_paths(ds))) for ds in (cfg.model.train_ds, cfg.model.validation_ds)
    )
    if cfg.model.train_ds.taught_before is not None and (cfg.init_from is None or cfg.quantization is not None):
        where, todo = "model.train_ds.taught_before", "give init_from=MODEL.nemo and quantization=none, or null"
        raise ConfigError("init_from teaches, in float32", where=where, todo=todo)
    if cfg.quantization is not None and cfg.init_from is None:
        todo = "give init_from=MODEL.nemo, trained without"
        raise ConfigError("training in 8 bits begins with a trained model", where="quantization", todo=todo)
    _refuse_sharded(validation, "validate on the manifest that they were made of")
    check_before_training(
        train, validation, frame_stride=output_stride(cfg.model), sharded=_sharded(cfg.model.train_ds, train)
    )
    chain = chain_of(cfg.augment, before=cfg.model.train_ds.taught_before)
    prove(chain, first_utterances(cfg.model.train_ds, 3), cfg.seed)


def _sharded(train_ds: DictConfig, manifests: list[Path]) -> list[Path]:
    """Those of the manifests whose recordings stand in shards: all or none."""
    if train_ds.is_tarred:
        check_shards(shards_of(train_ds))
        return manifests
    _refuse_sharded(manifests, "give model.train_ds.is_tarred=true")
    return []


def _refuse_sharded(manifests: list[Path], todo: str) -> None:
    for manifest in manifests:
        if is_sharded(manifest):
            raise ConfigError("manifest is of shards", where=str(manifest), todo=todo)


def _check_keys(cfg: DictConfig) -> None:
    _known("", cfg, SECTIONS)
    _known("trainer.", cfg.trainer, _arguments(Trainer.__init__))
    _known("exp_manager.", cfg.exp_manager, EXPERIMENT_KEYS)
    if cfg.quantization is not None:
        _known("quantization.", cfg.quantization, QUANTIZATION_KEYS)
    _known("model.train_ds.", cfg.model.train_ds, LOADER_KEYS | TRAINING_KEYS)
    _known("model.validation_ds.", cfg.model.validation_ds, LOADER_KEYS)
    for name, node in cfg.model.items():
        if isinstance(node, DictConfig) and "_target_" in node:
            _known(f"model.{name!s}.", node, _arguments(get_class(node._target_)) | {"_target_"})


def _arguments(function: object) -> set[str]:
    return set(inspect.signature(inspect.unwrap(function)).parameters)  # type: ignore[arg-type]


def _known(prefix: str, node: DictConfig, allowed: Iterable[str]) -> None:
    allowed = set(allowed)
    for key in node:
        if key not in allowed and "kwargs" not in allowed:
            near = difflib.get_close_matches(str(key), sorted(allowed), 1, 0.5)
            todo = f"did you mean '{prefix}{near[0]}'?" if near else f"known: {', '.join(sorted(allowed))}"
            raise ConfigError(f"no such key '{prefix}{key!s}'", where="config", todo=todo)
