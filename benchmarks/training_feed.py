"""Utterances a second from two loader processes, and how long the model waits for them: NeMo's stock feed against ours.

    python3 benchmarks/training_feed.py

``quartznet_5x1_aug``'s model, batches and augmentation, on utterances of 3.5 s. Stock is NeMo's dataset with NeMo's
classes. The share is the time in which a training step waits for its batch, over the whole time of the steps.
"""

import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any

import torch
import typer
from material import SECONDS, six_keys, spoken, stock, write
from nemo.collections.asr.data.audio_to_text import AudioToCharDataset
from omegaconf import DictConfig, OmegaConf
from torch.utils.data import DataLoader

from spoken_numbers.cli import run
from spoken_numbers.training.batching import Drawn, LengthBatchSampler
from spoken_numbers.training.command import CONF, composed
from spoken_numbers.training.dataset import AugmentedDataset, settle_loader
from spoken_numbers.training.fast_convolution import speed_up_depthwise
from spoken_numbers.training.model import SpokenNumberModel, output_stride
from spoken_numbers.training.train import precision

WORKERS = 2


def main(
    steps: Annotated[int, typer.Option(min=2, help="training steps of each side")] = 20,
    utterances: Annotated[int, typer.Option(min=64)] = 256,
) -> None:
    """Print both sides, with the config's probabilities and with every perturbation at probability 1."""
    cfg = composed(CONF / "quartznet_5x1_aug.yaml", ["augment=none"])
    print(f"{WORKERS} loader processes, {torch.get_num_threads()} threads of the model, utterances of {SECONDS} s\n")
    print("| probabilities | feed | utterances/s, loader alone | waiting, share of a step | step, s |")
    print("|---|---|---|---|---|", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        heard = spoken(utterances)
        corpus = write(Path(folder), "speech", [one for one, _ in heard], [label for _, label in heard])
        six = six_keys(Path(folder))
        certain = {name: {**keys, "prob": 1.0} for name, keys in six.items()}
        for told, augment in (("the config's", six), ("all 1", certain)):
            for feed, build in (("NeMo's", _stock), ("ours", _ours)):
                loader = build(corpus, augment, cfg)
                rate = _deliver(loader, 8)
                waiting, step = _train(loader, _model(cfg), str(cfg.trainer.precision), steps)
                print(f"| {told} | {feed} | {rate:.0f} | {100 * waiting:.1f} % | {step:.3f} |", flush=True)


def _ours(corpus: Path, augment: dict[str, Any], cfg: DictConfig) -> DataLoader:
    section = OmegaConf.create(
        {"manifest_filepath": str(corpus), "labels": list(cfg.model.labels), "sample_rate": cfg.model.sample_rate,
         "augmentor": augment, "num_workers": WORKERS, "seed": 0}
    )  # fmt: skip
    dataset = AugmentedDataset(section, output_stride(cfg.model))
    return _loader(dataset, _batches(len(dataset), cfg))


def _stock(corpus: Path, augment: dict[str, Any], cfg: DictConfig) -> DataLoader:
    dataset = AudioToCharDataset(
        str(corpus), list(cfg.model.labels), cfg.model.sample_rate, augmentor=stock(augment), normalize=False
    )
    return _loader(dataset, [[drawn.row for drawn in batch] for batch in _batches(len(dataset), cfg)])


def _batches(count: int, cfg: DictConfig) -> list[list[Drawn]]:
    return list(LengthBatchSampler([SECONDS] * count, cfg.model.train_ds.batch_size))


def _loader(dataset: Any, batches: Any) -> DataLoader:
    return DataLoader(
        dataset, batch_size=None, sampler=batches, num_workers=WORKERS, collate_fn=dataset.collate_fn,
        persistent_workers=True, worker_init_fn=settle_loader,
    )  # fmt: skip


def _endless(loader: DataLoader) -> Iterator[tuple[torch.Tensor, ...]]:
    while True:
        yield from loader


def _deliver(loader: DataLoader, batches: int) -> float:
    """Utterances a second once the processes run."""
    feed: Iterable[tuple[torch.Tensor, ...]] = _endless(loader)
    for _ in range(2 * WORKERS):  # started, and what they had fetched ahead
        next(iter(feed))
    start = time.perf_counter()
    count = sum(len(next(iter(feed))[0]) for _ in range(batches))
    return count / (time.perf_counter() - start)


def _train(loader: DataLoader, model: SpokenNumberModel, precision_asked: str, steps: int) -> tuple[float, float]:
    """The share of the time that goes into waiting for a batch, and seconds a step."""
    half = torch.bfloat16 if precision(precision_asked).startswith("bf16") else torch.float32
    optimiser = torch.optim.AdamW(model.parameters(), 1e-3)
    feed = _endless(loader)
    waited = 0.0
    for number in range(steps + 2):
        if number == 2:
            begun, waited = time.perf_counter(), 0.0
        start = time.perf_counter()
        batch = next(feed)
        waited += time.perf_counter() - start
        with torch.autocast("cpu", half, enabled=half is not torch.float32):
            loss = model.loss_and_paths(batch)[0]
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    taken = time.perf_counter() - begun
    return waited / taken, taken / steps


def _model(cfg: DictConfig) -> SpokenNumberModel:
    settings = OmegaConf.create(OmegaConf.to_container(cfg, resolve=False))
    model = OmegaConf.to_container(settings, resolve=True)["model"]
    for section in ("train_ds", "validation_ds"):
        del model[section]
    built = SpokenNumberModel(OmegaConf.create(model)).train()
    speed_up_depthwise(built.encoder)  # as a training on the CPU does
    return built


run(main)
