"""Seconds a training step on the CPU: PyTorch's depthwise convolutions against ours by FFT, in one process.

    python3 benchmarks/training_step.py [CONFIG …]

Both sides train the same model on the same batch of noise; they take turns, and the median step of each is shown.
Then a batch whose utterances ``released_slow``'s perturbations have lengthened, whole and in micro-batches.
"""

import statistics
import time
from collections.abc import Callable, Sequence
from typing import Annotated

import numpy as np
import torch
import typer
from hydra import compose, initialize_config_dir
from material import spoken
from nemo.collections.asr.models import EncDecCTCModel
from omegaconf import OmegaConf

from spoken_numbers.audio import SAMPLE_RATE
from spoken_numbers.augmentation.config import chain_of
from spoken_numbers.cli import run
from spoken_numbers.training.batching import micro_batches
from spoken_numbers.training.command import CONF, composed
from spoken_numbers.training.fast_convolution import speed_up_depthwise

SECONDS, UTTERANCES, DIGITS = 3.0, 32, 6
PARTS = 4, 8
MEAN = 2.3
"""Seconds of the released recipe's utterances, as they lie on disk."""


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
    _print_micro_batches(steps)


def _print_micro_batches(steps: int) -> None:
    lengths = _lengthened()
    sides = []
    for count in (1, *PARTS):
        model = _model("quartznet_5x1_released_slow")
        speed_up_depthwise(model.encoder)
        sides.append(_step(model, torch.bfloat16, lengths, count))
    taken = _race(sides, steps)
    print("\n| quartznet_5x1_released_slow, bfloat16 | s | ratio |\n|---|---|---|")
    for count, seconds in zip((1, *PARTS), taken, strict=True):
        told = f"in {count} micro-batches" if count > 1 else "whole"
        print(f"| {told} | {seconds:.3f} | {taken[0] / seconds:.1f}× |")


def _lengthened() -> torch.Tensor:
    """Samples of utterances after the perturbations that change their lengths."""
    augment = composed(CONF / "quartznet_5x1_released_slow.yaml", []).augment
    chain = chain_of({name: augment[name] for name in ("pauses", "tempo", "speed", "silence")})
    rng = np.random.default_rng(0)
    return torch.tensor([len(chain(heard[: int(MEAN * SAMPLE_RATE)], rng)) for heard, _ in spoken(UTTERANCES)])


def _model(name: str) -> EncDecCTCModel:
    with initialize_config_dir(str(CONF), version_base="1.3"):
        cfg = compose(name)
    cfg.augment = {}
    model = OmegaConf.create(OmegaConf.to_container(cfg, resolve=True)["model"])
    del model["train_ds"], model["validation_ds"]
    return EncDecCTCModel(cfg=model).train()


def _step(
    model: EncDecCTCModel, precision: torch.dtype, lengths: torch.Tensor | None = None, micro: int = 1
) -> Callable[[], None]:
    if lengths is None:
        lengths = torch.full((UTTERANCES,), int(SECONDS * SAMPLE_RATE))
    signal = torch.randn(len(lengths), int(lengths.max())) * 0.1
    labels = torch.randint(0, 10, (len(lengths), DIGITS)), torch.full((len(lengths),), DIGITS)
    optimiser = torch.optim.AdamW(model.parameters(), 1e-3)

    def step() -> None:
        optimiser.zero_grad()
        for part in micro_batches((signal, lengths, *labels), micro):
            with torch.autocast("cpu", precision, enabled=precision is not torch.float32):
                log_probs, frames, _ = model(input_signal=part[0], input_signal_length=part[1])
                loss = model.loss(log_probs=log_probs, targets=part[2], input_lengths=frames, target_lengths=part[3])
            loss.backward()
        optimiser.step()

    return step


def _race(sides: Sequence[Callable[[], None]], rounds: int) -> list[float]:
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
