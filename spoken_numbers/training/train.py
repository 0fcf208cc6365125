"""A composed config → a trained model in its experiment folder."""

import importlib.metadata
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import torch
from lightning.pytorch import Trainer, seed_everything
from lightning.pytorch.callbacks import ModelCheckpoint
from lightning.pytorch.loggers import TensorBoardLogger
from lightning.pytorch.utilities import rank_zero_only
from lightning.pytorch.utilities.exceptions import MisconfigurationException
from omegaconf import DictConfig, OmegaConf, open_dict

from spoken_numbers.errors import UserError
from spoken_numbers.files import held, written_whole
from spoken_numbers.training.averaging import WeightAverage
from spoken_numbers.training.check import ConfigError, check_config
from spoken_numbers.training.checkpoints import (
    METRIC,
    LastCheckpoint,
    WholeCheckpoints,
    best_checkpoint,
    newest_usable,
)
from spoken_numbers.training.command import leaves
from spoken_numbers.training.equalization import equalize, freeze_norms, is_equalizable, is_folded, unfold_batch_norm
from spoken_numbers.training.int8_simulation import settle_weights
from spoken_numbers.training.int8_weights import load_int8_weights
from spoken_numbers.training.interruption import Interruption
from spoken_numbers.training.load import features_of_batch, load_model, load_weights
from spoken_numbers.training.loader_watch import LoaderWatch
from spoken_numbers.training.manifests import first_utterances, manifest_paths
from spoken_numbers.training.model import SpokenNumberModel
from spoken_numbers.training.progress import TrainingProgress
from spoken_numbers.training.showcase import Showcase
from spoken_numbers.training.step_seed import StepSeed
from spoken_numbers.training.teacher import Teacher
from spoken_numbers.utterances import spread


def train(cfg: DictConfig) -> Path:
    """Check, train or go on training, and write the best model; return the experiment folder.

    The folder ``exp_manager.exp_dir/name`` gets TensorBoard's event files, ``checkpoints/``, ``config.yaml``,
    ``results.json`` and ``NAME.nemo``, which plain NeMo restores.

    Raises:
        ConfigError: missing or misspelt keys, or an experiment folder that holds another model.
        ManifestError: manifests that cannot be trained on; names their faults.
        ShardError: a shard that is missing or broken, also in mid-training.
    """
    check_config(cfg)
    folder = Path(cfg.exp_manager.exp_dir) / cfg.name
    _check_same_experiment(cfg, folder)
    if _is_finished(cfg, folder):
        print(f"{folder}: already trained; raise trainer.max_epochs or max_steps, or choose another name")
        return folder

    is_main = getattr(rank_zero_only, "rank", 0) == 0
    with held(folder) if is_main else nullcontext():
        if is_main:
            _write_text(folder / "config.yaml", OmegaConf.to_yaml(cfg, resolve=True))
        trainer = _fit(cfg, folder)
        if trainer.is_global_zero:
            _finish(cfg, folder, trainer)
    return folder


def _fit(cfg: DictConfig, folder: Path) -> Trainer:
    """Train to the end, again from the last checkpoint when a loader process dies."""
    step = -1
    while True:
        resume = newest_usable(folder / "checkpoints")
        if resume is not None:
            print(f"going on from {resume}", flush=True)
        seed_everything(cfg.seed, workers=True, verbose=False)
        trainer = _trainer(cfg, folder)
        try:
            trainer.fit(_model(cfg, trainer, resume), ckpt_path=resume)
            return trainer
        except SystemExit as end:  # Lightning's answer to a KeyboardInterrupt
            raise (end.__context__ if isinstance(end.__context__, KeyboardInterrupt) else end) from None
        except (RuntimeError, ConnectionResetError, ConnectionRefusedError, EOFError) as error:
            if isinstance(error.__context__, UserError):  # Lightning tears down and fails when the first batch did
                raise error.__context__ from None
            # The others are a loader that died while a batch was fetched from it, before torch saw it dead.
            if isinstance(error, RuntimeError) and "DataLoader worker" not in str(error):
                raise
            if trainer.global_step <= step:
                todo = "give it more memory or fewer model.train_ds.num_workers, and type the same command to go on"
                raise ConfigError("loader processes die again and again", where=str(folder), todo=todo) from error
            step = trainer.global_step
            print(f"warning: a loader process died after step {step} – {error}".split("\n")[0], file=sys.stderr)
        except OSError as error:
            where, todo = str(error.filename or folder), "mend that and type the same command to go on"
            raise ConfigError(error.strerror or str(error), where=where, todo=todo) from error


def _model(cfg: DictConfig, trainer: Trainer, resume: Path | None) -> SpokenNumberModel:
    model = SpokenNumberModel(_model_config(cfg), trainer)
    start = Path(cfg.init_from) if cfg.init_from is not None else None
    from_int8 = start is not None and start.suffix == ".onnx"
    distils = cfg.quantization is not None and cfg.quantization.distil
    teaches = distils or cfg.model.train_ds.taught_before is not None
    teacher = None
    if start is not None and (resume is None or teaches):
        (load_int8_weights if from_int8 else load_weights)(model, start)
        teacher = Teacher(model) if teaches else None
        if is_folded(model.state_dict()):
            if cfg.unfold_norms and cfg.quantization is None:  # 8 bits would fold them again
                unfold_batch_norm(model, _features(model, cfg))
            else:
                freeze_norms(model)
    if cfg.quantization is not None:
        if resume is None and not from_int8:  # whose channels are equalised
            _equalize(model, cfg)
        model.train_in_int8(cfg.quantization.features, cfg.quantization.consistency, teacher)
    elif teacher is not None:
        model.learn_besides(teacher)
    if resume is None and cfg.model.train_ds.micro_batches > 1 and not is_folded(model.state_dict()):
        todo = "leave it at 1, or go on from a model that was folded for 8 bits"
        told = "a batch normalisation would learn by the statistics of parts of one length"
        raise ConfigError(told, where="model.train_ds.micro_batches", todo=todo)
    return model


def _equalize(model: SpokenNumberModel, cfg: DictConfig) -> None:
    if not is_equalizable(model):
        raise ConfigError("only plain QuartzNets train in 8 bits", where="quantization", todo="use quantization=none")
    equalize(model, _features(model, cfg, cfg.quantization.utterances))


def _features(
    model: SpokenNumberModel, cfg: DictConfig, utterances: int = 256
) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Batches of features and lengths of training utterances; the model evaluates while they are gone through."""
    manifests = list(dict.fromkeys(manifest_paths(cfg.model.train_ds)))
    if cfg.model.train_ds.is_tarred:  # shuffled, so the first are as good as any
        waveforms = first_utterances(cfg.model.train_ds, -(-utterances // len(manifests)))
    else:
        waveforms = list(spread(manifests, utterances, cfg.frontend.sample_rate))
    model.eval()
    for start in range(0, len(waveforms), 16):
        features, lengths = features_of_batch(model, waveforms[start : start + 16])
        yield torch.from_numpy(features), torch.from_numpy(lengths)
    model.train()


def _trainer(cfg: DictConfig, folder: Path) -> Trainer:
    settings: dict[str, Any] = OmegaConf.to_container(cfg.trainer, resolve=True)  # type: ignore[assignment]
    settings["precision"] = precision(str(settings["precision"]))
    callbacks = [
        best_checkpoint(folder / "checkpoints"),
        LastCheckpoint(folder / "checkpoints", cfg.exp_manager.checkpoint_every_n_steps),
        Interruption(),
        StepSeed(cfg.seed),
        TrainingProgress(),
        LoaderWatch(cfg.model.train_ds.max_unreadable),
        Showcase(cfg.exp_manager.example_utterances),
    ]
    if cfg.exp_manager.ema_decay is not None:  # first, so that checkpoints have the step's average
        callbacks.insert(0, WeightAverage(cfg.exp_manager.ema_decay))
    logger = TensorBoardLogger(folder, name="", version="", default_hp_metric=False)
    try:
        return Trainer(
            **settings,
            logger=logger,
            callbacks=callbacks,
            plugins=[WholeCheckpoints()],
            enable_model_summary=False,
            use_distributed_sampler=False,
        )
    except (MisconfigurationException, ValueError, TypeError) as error:
        raise ConfigError(str(error).splitlines()[0], where="trainer", todo="correct the trainer's keys") from None


def precision(asked: str) -> str:
    if asked != "auto":
        return asked
    if torch.cuda.is_available():
        return "bf16-mixed" if torch.cuda.is_bf16_supported() else "16-mixed"
    return "bf16-mixed" if torch.backends.mkldnn.is_available() and torch.cpu._is_avx512_bf16_supported() else "32-true"


def _model_config(cfg: DictConfig) -> DictConfig:
    model = OmegaConf.create({"model": OmegaConf.to_container(cfg, resolve=True)["model"]}).model  # type: ignore[index,call-overload]
    with open_dict(model):
        model.train_ds.seed = cfg.seed
    return model


def _finish(cfg: DictConfig, folder: Path, trainer: Trainer) -> None:
    chosen = trainer.checkpoint_callback
    assert isinstance(chosen, ModelCheckpoint)
    best = Path(chosen.best_model_path or newest_usable(folder / "checkpoints") or "")
    score = None if chosen.best_model_score is None else float(chosen.best_model_score)
    plain = load_model(best)
    artefact = _artefact(folder)
    metrics = {name: float(value) for name, value in trainer.callback_metrics.items() if name != "train/loss"}
    if cfg.quantization is not None:
        settle_weights(plain)
    with open_dict(plain.cfg):  # travels on into the exported files
        plain.cfg.provenance = {
            "training_config": OmegaConf.to_container(cfg, resolve=True),
            "git_revision": git_revision(),
            "metrics": {f"best_{METRIC}": score} if score is not None else {},
        }
        plain.cfg.quantization = cfg.quantization
    with written_whole(artefact) as temporary:
        plain.save_to(str(temporary))
    results = {
        "best_checkpoint": best.name,
        f"best_{METRIC}": score,
        "steps": trainer.global_step,
        "parameters": sum(p.numel() for p in plain.parameters()),
        "last_validation": metrics,
        "git_revision": git_revision(),
        "versions": {name: importlib.metadata.version(name) for name in ("torch", "nemo_toolkit", "lightning")},
    }
    _write_text(folder / "results.json", json.dumps(results, indent=2) + "\n")
    if isinstance(trainer.logger, TensorBoardLogger):
        trainer.logger.log_hyperparams(leaves(cfg), {f"final/{name}": value for name, value in metrics.items()})
        trainer.logger.finalize("success")
    told = "never validated" if score is None else f"best string accuracy {100 * score:.1f} % on validation"
    print(f"{artefact}: {told} ({best.name})")


def best_score(folder: Path) -> float | None:
    """The best string accuracy on validation of a training that ended; None without one."""
    path = folder / "results.json"
    return json.loads(path.read_text(encoding="utf-8"))[f"best_{METRIC}"] if path.is_file() else None


def _artefact(folder: Path) -> Path:
    return folder / f"{folder.name}.nemo"


def _check_same_experiment(cfg: DictConfig, folder: Path) -> None:
    if not any((folder / "checkpoints").glob("*.ckpt")) or not (folder / "config.yaml").is_file():
        return
    different = _changed_since(cfg, folder, "size.", "frontend.", "model.encoder.", "model.decoder.")
    if different:
        raise ConfigError(
            f"the experiment holds another model (differs in {', '.join(different[:3])})",
            where=str(folder),
            todo="choose another name=… or remove the folder",
        )


def _is_finished(cfg: DictConfig, folder: Path) -> bool:
    if not (folder / "results.json").is_file() or not _artefact(folder).is_file():
        return False
    if _changed_since(cfg, folder, "trainer."):
        return False
    if different := _changed_since(cfg, folder, ""):
        raise ConfigError(
            f"already trained with another config (differs in {', '.join(different[:3])})",
            where=str(folder),
            todo="choose another name=… or remove the folder",
        )
    return True


def _changed_since(cfg: DictConfig, folder: Path, *prefixes: str) -> list[str]:
    """Keys below ``prefixes`` whose values differ from those that the folder was trained with."""
    before, now = leaves(OmegaConf.load(folder / "config.yaml")), leaves(cfg)  # type: ignore[arg-type]
    keys = (key for key in before | now if key.startswith(prefixes))
    return sorted(key for key in keys if str(before.get(key)) != str(now.get(key)))


def git_revision() -> str:
    """The commit of this checkout, with a + where files differ from it; empty outside git."""
    done = subprocess.run(
        ["git", "describe", "--always", "--dirty=+", "--abbrev=12", "--exclude=*"],
        cwd=Path(__file__).parent, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return done.stdout.strip()


def _write_text(path: Path, text: str) -> None:
    with written_whole(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
