"""Seconds a training step on the CPU: PyTorch's depthwise convolutions against ours by FFT, in one process.

    python3 benchmarks/training_step.py [CONFIG …]

Both sides train the same model on the same batch of noise; they take turns, and the median step of each is shown.
"""

import statistics
import time
from typing import Annotated

import torch
import typer
from hydra import compose, initialize_config_dir
from nemo.collections.asr.models import EncDecCTCModel
from omegaconf import OmegaConf

from spoken_numbers.cli import run
from spoken_numbers.training.command import CONF
from spoken_numbers.training.fast_convolution import speed_up_depthwise

SECONDS, UTTERANCES, DIGITS = 3.0, 32, 6


def main(
    config: Annotated[list[str] | None, typer.Argument(help="names of configs")] = None,
    steps: Annotated[int, typer.Option(min=3)] = 10,
) -> None:
    """Print a table of both sides and their ratio, in float32 and bfloat16."""
    print(f"{UTTERANCES} utterances of {SECONDS} s, {torch.get_num_threads()} threads, median of {steps} steps\n")
    print("| config | precision | PyTorch, s | by FFT, s | ratio |\n|---|---|---|---|---|")
    for name in config or ["quickstart", "quartznet_5x1", "quartznet5x3"]:
        stock, fast = _model(name), _model(name)
        speed_up_depthwise(fast.encoder)
        for precision in (torch.float32, torch.bfloat16):
            taken = _race([_step(stock, precision), _step(fast, precision)], steps)
            ours = f"{taken[1]:.3f} | {taken[0] / taken[1]:.1f}×"
            print(f"| {name} | {str(precision).removeprefix('torch.')} | {taken[0]:.3f} | {ours} |", flush=True)


def _model(name: str) -> EncDecCTCModel:
    with initialize_config_dir(str(CONF), version_base="1.3"):
        cfg = compose(name)
    cfg.augment = {}
    model = OmegaConf.create(OmegaConf.to_container(cfg, resolve=True)["model"])
    del model["train_ds"], model["validation_ds"]
    return EncDecCTCModel(cfg=model).train()


def _step(model: EncDecCTCModel, precision: torch.dtype):
    signal = torch.randn(UTTERANCES, int(SECONDS * 16_000)) * 0.1
    lengths = torch.full((UTTERANCES,), signal.shape[1])
    targets, target_lengths = torch.randint(0, 10, (UTTERANCES, DIGITS)), torch.full((UTTERANCES,), DIGITS)
    optimiser = torch.optim.AdamW(model.parameters(), 1e-3)

    def step() -> None:
        with torch.autocast("cpu", precision, enabled=precision is not torch.float32):
            log_probs, frames, _ = model(input_signal=signal, input_signal_length=lengths)
            loss = model.loss(log_probs=log_probs, targets=targets, input_lengths=frames, target_lengths=target_lengths)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()

    return step


def _race(sides, rounds: int) -> list[float]:
    times: list[list[float]] = [[] for _ in sides]
    for side in sides:
        side()  # first calls choose algorithms and allocate
    for _ in range(rounds):
        for taken, side in zip(times, sides, strict=True):
            start = time.perf_counter()
            side()
            taken.append(time.perf_counter() - start)
    return [statistics.median(taken) for taken in times]


if __name__ == "__main__":
    run(main)
