"""What a step draws depends on the seed, the step and the rank alone, however often the training was interrupted."""

import random
from typing import Any

import numpy as np
import torch
from lightning.pytorch import Callback, LightningModule, Trainer


class StepSeed(Callback):
    """Seeds dither, SpecAugment and dropout anew before each batch."""

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def on_train_batch_start(self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int) -> None:
        place = [self.seed, trainer.current_epoch, batch_idx, trainer.global_rank]
        drawn = int(np.random.SeedSequence(place).generate_state(1, np.uint64)[0])
        torch.manual_seed(drawn)
        for module in pl_module.modules():  # NeMo's SpecAugment draws from a generator of its own
            if isinstance(generator := getattr(module, "_rng", None), random.Random):
                generator.seed(drawn)
