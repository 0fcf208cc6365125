"""Training on more processes, measured on two cores and reckoned for many GPUs: what each part of a step would take.

    python3 benchmarks/scaling.py

Measured: a step of one process and of two under DDP (gloo), one core each, ``quartznet_5x1_aug``'s model and batches of
utterances of 3.5 s; averaging the gradients alone; utterances a second of one loader core with the six perturbations;
seconds and bytes a row of an epoch's plan. Assumed, and settable: the hours of speech, the machines, what a GPU
sustains and what the network carries. Reckoned: a step's arithmetic over what a GPU sustains, the gradients by a ring
over the slowest link, one after the other, though DDP overlaps them.
"""

import os
import statistics
import tempfile
import time
from pathlib import Path
from typing import Annotated

import torch
import torch.distributed as dist
import torch.multiprocessing as mp
import typer
from material import SECONDS, six_keys, spoken, write
from omegaconf import DictConfig, OmegaConf
from torch.nn.parallel import DistributedDataParallel
from torch.utils.flop_counter import FlopCounterMode

from spoken_numbers import manifest
from spoken_numbers.cli import run
from spoken_numbers.manifest import Utterance
from spoken_numbers.training.batching import Drawn
from spoken_numbers.training.command import CONF, composed
from spoken_numbers.training.dataset import AugmentedDataset
from spoken_numbers.training.fast_convolution import speed_up_depthwise
from spoken_numbers.training.model import SpokenNumberModel, output_stride

RANKS = 2
CONFIG = CONF / "quartznet_5x1_aug.yaml"


def main(
    hours: Annotated[float, typer.Option(help="of speech in an epoch")] = 100_000,
    machines: Annotated[int, typer.Option(min=1)] = 4,
    gpus: Annotated[int, typer.Option(min=1, help="of each machine")] = 8,
    cores: Annotated[int, typer.Option(min=1, help="of each machine, for its loaders")] = 128,
    gpu_tflops: Annotated[float, typer.Option(help="that a GPU sustains in this network")] = 10,
    network_gbit: Annotated[float, typer.Option(help="a second between machines")] = 100,
    steps: Annotated[int, typer.Option(min=3)] = 10,
    rows: Annotated[int, typer.Option(min=1000, help="of the manifest that is planned")] = 200_000,
) -> None:
    """Print what was measured, then what follows from it for the cluster that is described."""
    cfg = composed(CONFIG, ["augment=none"])
    batch = int(cfg.model.train_ds.batch_size)
    alone, together, averaging, gradient_bytes = _steps(steps)
    utterances_s = _loader_rate(cfg)
    plan_s, plan_bytes = _plan(cfg, rows)
    flops = _flops(cfg, batch)
    more = RANKS * alone / together
    _table(
        "measured",
        {
            f"step of {batch} utterances, one process": f"{alone:.3f} s",
            f"the same of each of {RANKS} processes": f"{together:.3f} s, {more:.2f}× as much a second",
            f"averaging {gradient_bytes / 1e6:.1f} MB of gradients between them": f"{1000 * averaging:.1f} ms",
            "arithmetic of a step": f"{flops / 1e9:.0f} GFLOP",
            "one loader core, six perturbations": f"{utterances_s:.0f} utterances/s",
            "a row of an epoch's plan": f"{1e6 * plan_s:.0f} µs, {plan_bytes:.0f} bytes in each process",
        },
    )
    ranks, utterances = machines * gpus, hours * 3600 / SECONDS
    compute = flops / (gpu_tflops * 1e12)
    ring = 2 * (ranks - 1) / ranks * gradient_bytes * 8 / (network_gbit * 1e9)
    busy, fed = ranks * batch / (compute + ring), machines * cores * utterances_s
    minutes, memory = utterances * plan_s / 60, utterances * plan_bytes / 1e9
    _table(
        f"reckoned for {machines} machines of {gpus} GPUs and {cores} cores, {hours:.0f} h",
        {
            f"a GPU's arithmetic at {gpu_tflops:g} TFLOP/s": f"{1000 * compute:.1f} ms a step",
            f"gradients by a ring at {network_gbit:g} Gbit/s": f"{1000 * ring:.1f} ms a step",
            "what the GPUs take": f"{busy:.0f} utterances/s, an epoch in {utterances / busy / 60:.0f} min",
            "what the loaders give": f"{fed:.0f} utterances/s, an epoch in {utterances / fed / 60:.0f} min",
            "loader cores that keep a GPU busy": f"{busy / ranks / utterances_s:.0f}",
            "an epoch's plan": f"{minutes:.0f} min and {memory:.0f} GB in each process",
        },
    )


def _table(title: str, rows: dict[str, str]) -> None:
    print(f"| {title} | |\n|---|---|")
    print("".join(f"| {name} | {value} |\n" for name, value in rows.items()), flush=True)


def _built(cfg: DictConfig) -> SpokenNumberModel:
    model = OmegaConf.to_container(cfg, resolve=True)["model"]  # type: ignore[index,call-overload]
    return SpokenNumberModel(OmegaConf.create({k: v for k, v in model.items() if not k.endswith("_ds")})).train()


def _batch(size: int) -> tuple[torch.Tensor, ...]:
    signal = torch.randn(size, int(SECONDS * 16_000)) * 0.1
    return signal, torch.full((size,), signal.shape[1]), torch.randint(0, 10, (size, 6)), torch.full((size,), 6)


class _Loss(torch.nn.Module):
    """The model's training loss as a forward pass, which is what DDP watches."""

    def __init__(self, model: SpokenNumberModel) -> None:
        super().__init__()
        self.model = model

    def forward(self, batch: tuple[torch.Tensor, ...]) -> torch.Tensor:
        return self.model.loss_and_paths(batch)[0]


def _steps(steps: int) -> tuple[float, float, float, int]:
    """Seconds a step alone and together, seconds of averaging the gradients, and their bytes."""
    with tempfile.TemporaryDirectory() as folder:
        (alone,) = _spawned(1, steps, Path(folder) / "one")
        together = _spawned(RANKS, steps, Path(folder) / "two")
    slowest = [max(each[i] for each in together) for i in (0, 1)]
    return alone[0], slowest[0], slowest[1], int(together[0][2])


def _spawned(ranks: int, steps: int, folder: Path) -> list[list[float]]:
    folder.mkdir()
    mp.spawn(_rank, (ranks, steps, folder), nprocs=ranks)
    return [torch.load(folder / str(rank), weights_only=True) for rank in range(ranks)]


def _rank(rank: int, ranks: int, steps: int, folder: Path) -> None:
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"file://{folder}/meeting", rank=rank, world_size=ranks)
    cfg = composed(CONFIG, ["augment=none"])
    model = _built(cfg)
    speed_up_depthwise(model.encoder)
    training = DistributedDataParallel(_Loss(model))
    optimiser = torch.optim.AdamW(model.parameters(), 1e-3)
    batch = _batch(int(cfg.model.train_ds.batch_size))

    def step() -> None:
        with torch.autocast("cpu", torch.bfloat16):
            loss = training(batch)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()

    gradients = torch.cat([p.detach().flatten() for p in model.parameters()])
    taken = [_median(step, steps), _median(lambda: dist.all_reduce(gradients), steps)]
    torch.save([*taken, gradients.nbytes], folder / str(rank))
    dist.destroy_process_group()


def _median(work, rounds: int) -> float:
    times = []
    for _ in range(rounds + 1):  # the first one chooses algorithms and allocates
        dist.barrier()
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return statistics.median(times[1:])


def _flops(cfg: DictConfig, batch: int) -> int:
    """Of a step; the backward pass takes twice the forward one, and torch's counter overlooks groups in it."""
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        _built(cfg).loss_and_paths(_batch(batch))
    return 3 * counter.get_total_flops()


def _loader_rate(cfg: DictConfig) -> float:
    with tempfile.TemporaryDirectory() as folder:
        heard = spoken(128)
        corpus = write(Path(folder), "speech", [one for one, _ in heard], [label for _, label in heard])
        dataset = _dataset(corpus, cfg, six_keys(Path(folder)))
        dataset[[Drawn(0, row) for row in range(16)]]
        start = time.perf_counter()
        dataset[[Drawn(1, row) for row in range(len(heard))]]
        return len(heard) / (time.perf_counter() - start)


def _plan(cfg: DictConfig, rows: int) -> tuple[float, float]:
    """Seconds and bytes a row of reading a manifest and drawing an epoch."""
    with tempfile.TemporaryDirectory() as folder:
        path = manifest.write(
            Path(folder) / "m.json",
            (Utterance(f"/corpus/part-00/{n:012d}.flac", SECONDS, f"{n % 10**6:06d}") for n in range(rows)),
        ).path
        before, start = _resident(), time.perf_counter()
        dataset = _dataset(path, cfg, {})
        batches = iter(dataset.sampler(32))
        next(batches)
        return (time.perf_counter() - start) / rows, (_resident() - before) / rows


def _resident() -> int:
    """Bytes of this process in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def _dataset(corpus: Path, cfg: DictConfig, augment: dict) -> AugmentedDataset:
    settings = {"manifest_filepath": str(corpus), "labels": list(cfg.model.labels), "num_workers": 0, "seed": 0}
    section = OmegaConf.create({**settings, "sample_rate": cfg.model.sample_rate, "augmentor": augment})
    return AugmentedDataset(section, output_stride(cfg.model))


if __name__ == "__main__":
    run(main)
