"""NeMo's CTC model, validated on digit strings and fed in batches of like length."""

import math
from collections.abc import Sequence
from typing import Any

import torch
from lightning.pytorch import Trainer
from nemo.collections.asr.models import EncDecCTCModel
from omegaconf import DictConfig, open_dict
from torch.utils.data import DataLoader

from spoken_numbers.assessment.metrics import ErrorCounts, count_errors
from spoken_numbers.decoding.greedy import collapse
from spoken_numbers.labels import LABELS
from spoken_numbers.training.batching import Drawn, LengthBatchSampler, micro_batches
from spoken_numbers.training.dataset import AugmentedDataset, ShardedDataset, settle_loader
from spoken_numbers.training.divergence import divergence, skewed_divergence
from spoken_numbers.training.equalization import freeze_norms, is_folded
from spoken_numbers.training.fast_convolution import speed_up_depthwise
from spoken_numbers.training.int8_simulation import Int8Simulation
from spoken_numbers.training.manifests import manifest_paths, names_of, repeated
from spoken_numbers.training.relative_guard import guard
from spoken_numbers.training.teacher import Teacher


def encoder_stride(cfg: DictConfig) -> int:
    """Feature frames for each output frame of a model of this config."""
    return math.prod(block.stride[0] ** block.repeat for block in cfg.encoder.jasper)


def output_stride(cfg: DictConfig) -> float:
    """Seconds between output frames of a model of this config."""
    return cfg.preprocessor.window_stride * encoder_stride(cfg)


class SpokenNumberModel(EncDecCTCModel):
    """Trains as ``EncDecCTCModel``; what it saves is one, and plain NeMo restores it.

    Logs ``train/loss`` and, with a teacher or in 8 bits, ``train/teacher_divergence`` or ``train/int8_divergence``,
    ``train/learning_rate`` and, for each validation manifest, ``loss/NAME``,
    ``string_accuracy/NAME`` and ``digit_error_rate/NAME``; ``string_accuracy`` is their mean over manifests,
    by which the best checkpoint is chosen.
    """

    def __init__(self, cfg: DictConfig, trainer: Trainer | None = None) -> None:
        super().__init__(cfg=cfg, trainer=trainer)
        guard(self)
        self.examples: dict[str, list[tuple[str, str]]] = {}
        self._sums: dict[int, tuple[ErrorCounts, float]] = {}
        self._int8: tuple[Int8Simulation, float, Teacher | None] | None = None
        self._teacher: Teacher | None = None
        if trainer is not None and trainer.strategy.root_device.type == "cpu":
            speed_up_depthwise(self.encoder)

    def training_step(self, batch: tuple[torch.Tensor, ...], batch_idx: int) -> torch.Tensor:
        count = self.cfg.train_ds.micro_batches
        parts = micro_batches(batch, count) if count > 1 else [batch]
        terms: dict[str, torch.Tensor] = {}
        for part in parts:
            for name, term in self._training_terms(part).items():
                terms[name] = terms.get(name, 0) + term * (len(part[0]) / len(batch[0]))
        for name, term in terms.items():
            self.log(f"train/{name}", term, prog_bar=name == "loss")
        self.log("train/learning_rate", self._optimizer.param_groups[0]["lr"])
        return terms["loss"]

    def validation_step(self, batch: tuple[torch.Tensor, ...], batch_idx: int, dataloader_idx: int = 0) -> None:
        loss, paths, lengths = self.loss_and_paths(batch)
        _, _, targets, target_lengths = batch
        references, hypotheses = _labels(targets, target_lengths), _readings(paths, lengths)
        counts, total = self._sums.get(dataloader_idx, (ErrorCounts(), 0.0))
        for reference, hypothesis in zip(references, hypotheses, strict=True):
            counts += count_errors(reference, hypothesis)
        self._sums[dataloader_idx] = counts, total + float(loss) * len(references)
        if batch_idx == 0:
            name = self.validation_names[dataloader_idx]
            self.examples[name] = list(zip(references, hypotheses, strict=True))

    def on_validation_epoch_end(self) -> None:
        accuracies = []
        for index, name in enumerate(self.validation_names):
            counts, loss = self._over_ranks(*self._sums.get(index, (ErrorCounts(), 0.0)))
            if not counts.strings:
                continue
            accuracies.append(counts.string_accuracy)
            self.log(f"loss/{name}", loss / counts.strings)
            self.log(f"string_accuracy/{name}", counts.string_accuracy)
            self.log(f"digit_error_rate/{name}", counts.digit_error_rate)
        self._sums.clear()
        if accuracies:
            self.log("string_accuracy", sum(accuracies) / len(accuracies), prog_bar=True)

    def setup_training_data(self, train_data_config: DictConfig) -> None:
        self._update_dataset_config(dataset_name="train", config=train_data_config)
        self._train_dl = self._loader(repeated(train_data_config), train=True)

    def setup_multiple_validation_data(self, val_data_config: DictConfig) -> None:
        self._update_dataset_config(dataset_name="validation", config=val_data_config)
        manifests = manifest_paths(val_data_config)
        self._validation_dl = []
        for manifest in manifests:
            one = val_data_config.copy()
            with open_dict(one):
                one.manifest_filepath = [str(manifest)]
            self._validation_dl.append(self._loader(one, train=False))
        self._validation_names = names_of(manifests)

    @property
    def validation_names(self) -> list[str]:
        return self._validation_names or []

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        super().on_save_checkpoint(checkpoint)
        # Lightning counts a fetched batch as ready; who goes on from here fetches it again.
        loop = checkpoint["loops"]["fit_loop"]
        batches, epochs = loop["epoch_loop.batch_progress"], loop["epoch_progress"]
        for counts in (batches["total"], batches["current"]):
            counts["ready"] = counts["started"] = counts["processed"] = counts["completed"]
        # And an epoch that max_steps cut short as processed; it goes on when max_steps is raised.
        if batches["current"]["completed"] < self.trainer.num_training_batches:
            for counts in (epochs["total"], epochs["current"]):
                counts["processed"] = counts["completed"] = counts["ready"] - 1

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        super().on_load_checkpoint(checkpoint)
        if is_folded(checkpoint["state_dict"]):
            freeze_norms(self)
        for schedule in checkpoint.get("lr_schedulers", ()):
            schedule.pop("max_steps", None)  # those of this run, which may be longer, stay
        sampler = getattr(self._train_dl, "sampler", None)
        loops = checkpoint.get("loops", {}).get("fit_loop")
        if loops and isinstance(sampler, LengthBatchSampler):
            epoch = loops["epoch_progress"]["current"]["processed"]
            sampler.resume(epoch, loops["epoch_loop.batch_progress"]["current"]["completed"])

    def loss_and_paths(self, batch: Sequence[torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        signal, signal_lengths, targets, target_lengths = batch
        log_probs, lengths, paths = self.forward(input_signal=signal, input_signal_length=signal_lengths)
        loss = self.loss(log_probs=log_probs, targets=targets, input_lengths=lengths, target_lengths=target_lengths)
        return loss, paths, lengths

    def train_in_int8(self, feature_range: float, consistency_weight: float, teacher: Teacher | None = None) -> None:
        """From here on compute as the int8 graph does; the model must be equalised.

        With a teacher its log-probabilities are what is learnt, in place of the labels.
        """
        self._int8 = Int8Simulation(self, feature_range), consistency_weight, teacher

    def learn_besides(self, teacher: Teacher) -> None:
        """From here on learn, beside the labels, what a teacher says of less perturbed utterances, if it is right."""
        self._teacher = teacher

    def _training_terms(self, batch: Sequence[torch.Tensor]) -> dict[str, torch.Tensor]:
        """The loss, and what of it TensorBoard shows besides."""
        if self._int8 is not None:
            return self._terms_in_int8(batch)
        return {"loss": self.loss_and_paths(batch)[0]} if self._teacher is None else self._terms_with_teacher(batch)

    def _terms_with_teacher(self, batch: Sequence[torch.Tensor]) -> dict[str, torch.Tensor]:
        """CTC's loss plus the divergence from the teacher, where what that reads is the label."""
        assert self._teacher is not None
        signal, signal_lengths, targets, target_lengths, heard = batch
        log_probs, lengths, _ = self.forward(input_signal=signal, input_signal_length=signal_lengths)
        ctc = self.loss(log_probs=log_probs, targets=targets, input_lengths=lengths, target_lengths=target_lengths)
        taught = self._teacher(*self.preprocessor(input_signal=heard, length=signal_lengths))
        readings, labels = _readings(taught.argmax(dim=-1), lengths), _labels(targets, target_lengths)
        right = [reading == label for reading, label in zip(readings, labels, strict=True)]
        divergence = skewed_divergence(taught, log_probs, lengths * torch.tensor(right, device=lengths.device))
        return {"loss": ctc + divergence, "teacher_divergence": divergence}

    def _terms_in_int8(self, batch: Sequence[torch.Tensor]) -> dict[str, torch.Tensor]:
        """How far the rounded and the float model are from what is to be learnt, and from one another."""
        assert self._int8 is not None
        simulation, weight, teacher = self._int8
        signal, signal_lengths, targets, target_lengths = batch
        features, frames = self.preprocessor(input_signal=signal, length=signal_lengths)
        if self.spec_augmentation is not None:
            features = self.spec_augmentation(input_spec=features, length=frames)
        taught = teacher(features, frames) if teacher is not None else None

        def read() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
            encoded, lengths = self.encoder(audio_signal=features, length=frames)  # forward would mask anew
            log_probs = self.decoder(encoder_output=encoded)
            if taught is not None:
                return log_probs, lengths, divergence(log_probs, taught, lengths)
            ctc = self.loss(log_probs=log_probs, targets=targets, input_lengths=lengths, target_lengths=target_lengths)
            return log_probs, lengths, ctc

        rounded, lengths, loss = read()
        with simulation.off():
            exact, _, float_loss = read()
        apart = divergence(rounded, exact, lengths)
        return {"loss": (loss + float_loss) / 2 + weight * apart, "int8_divergence": apart}

    def _loader(self, config: DictConfig, train: bool) -> DataLoader:
        kind = ShardedDataset if config.get("is_tarred") else AugmentedDataset
        dataset = kind(config, output_stride(self.cfg))
        common = {
            "dataset": dataset,
            "collate_fn": dataset.collate,
            "num_workers": config.num_workers,
            "persistent_workers": config.num_workers > 0,
            "worker_init_fn": settle_loader,
            "pin_memory": torch.cuda.is_available(),
        }
        if not train:
            rows: range = range(self.global_rank, len(dataset), self.world_size) or range(len(dataset))
            starts = range(0, len(rows), config.batch_size)
            batches = [[Drawn(0, row) for row in rows[start : start + config.batch_size]] for start in starts]
            return DataLoader(batch_size=None, sampler=batches, **common)
        sampler = dataset.sampler(config.batch_size, rank=self.global_rank, world_size=self.world_size)
        return DataLoader(batch_size=None, sampler=sampler, **common)

    def _over_ranks(self, counts: ErrorCounts, loss: float) -> tuple[ErrorCounts, float]:
        if self.world_size == 1:
            return counts, loss
        mine = torch.tensor(
            [counts.strings, counts.strings_right, counts.digits, counts.substitutions, counts.insertions,
             counts.deletions, loss], dtype=torch.float64, device=self.device,
        )  # fmt: skip
        *numbers, total = self.all_gather(mine).reshape(-1, len(mine)).sum(0).tolist()
        return ErrorCounts(*(int(n) for n in numbers)), total


def _labels(targets: torch.Tensor, lengths: torch.Tensor) -> list[str]:
    return [
        "".join(LABELS[index] for index in row[:n]) for row, n in zip(targets.tolist(), lengths.tolist(), strict=True)
    ]


def _readings(paths: torch.Tensor, lengths: torch.Tensor) -> list[str]:
    """What the best paths (batch, frames) say."""
    return [collapse(row[:n]) for row, n in zip(paths.tolist(), lengths.tolist(), strict=True)]
