"""The weights' moving average, against the formula by hand in float64."""

import numpy as np
import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.callbacks import ModelCheckpoint
from torch import nn
from torch.utils.data import DataLoader

from spoken_numbers.training.averaging import WeightAverage

DECAY = 0.8


class Regression(LightningModule):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 1))
        self.judged: list[dict[str, torch.Tensor]] = []

    def training_step(self, batch, _):
        return self.layers(batch).square().mean()

    def validation_step(self, batch, _):
        self.judged.append({name: value.clone() for name, value in self.state_dict().items()})
        self.log("loss", self.layers(batch).square().mean())

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.1)


class History(Callback):
    def __init__(self, model):
        self.states = [{name: value.clone().double() for name, value in model.state_dict().items()}]

    def on_train_batch_end(self, trainer, pl_module, *_):
        if trainer.global_step == len(self.states):
            self.states.append({name: value.clone().double() for name, value in pl_module.state_dict().items()})


def fitted(folder, steps, resume=None, accumulate=1):
    torch.manual_seed(0)
    model = Regression()
    batches = torch.randn(12, 8, 3)
    history = History(model)
    checkpoint = ModelCheckpoint(folder, "best", monitor="loss", save_on_train_epoch_end=False)
    trainer = Trainer(
        max_steps=steps,
        callbacks=[WeightAverage(DECAY), history, checkpoint],
        accumulate_grad_batches=accumulate,
        logger=False,
        accelerator="cpu",
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
        val_check_interval=12,
    )
    loader = DataLoader(batches, batch_size=None)
    trainer.fit(model, loader, DataLoader(batches[:2], batch_size=None), ckpt_path=resume)
    trainer.save_checkpoint(folder / "last.ckpt")
    return model, history.states, torch.load(folder / "last.ckpt", weights_only=False)


def averaged(states):
    average = {name: value.clone() for name, value in states[0].items()}
    for n, state in enumerate(states[1:], 1):
        decay = min(DECAY, (1 + n) / (10 + n))
        for name, value in state.items():
            average[name] = decay * average[name] + (1 - decay) * value if "num_" not in name else value
    return average


def test_a_checkpoint_holds_the_average_and_training_keeps_its_own_weights(tmp_path):
    model, states, saved = fitted(tmp_path, 24)
    assert len(states) == 25
    for name, value in averaged(states).items():
        np.testing.assert_allclose(saved["state_dict"][name], value, rtol=1e-5, atol=1e-6)
        np.testing.assert_array_equal(model.state_dict()[name], states[-1][name].float())
    assert any((saved["state_dict"][name] != states[-1][name].float()).any() for name in saved["state_dict"])


def test_validation_and_the_best_checkpoint_have_the_average(tmp_path):
    model, states, _ = fitted(tmp_path, 12)
    best = torch.load(tmp_path / "best.ckpt", weights_only=False)["state_dict"]
    for name, value in averaged(states).items():
        np.testing.assert_allclose(model.judged[-1][name], value, rtol=1e-5, atol=1e-6)
        np.testing.assert_array_equal(best[name], model.judged[-1][name])


def test_gathered_gradients_count_as_one_step(tmp_path):
    _, states, saved = fitted(tmp_path, 4, accumulate=3)
    assert len(states) == 5
    for name, value in averaged(states).items():
        if name.startswith("layers.2"):
            np.testing.assert_allclose(saved["state_dict"][name], value, rtol=1e-5, atol=1e-6)


def test_two_parts_end_as_one(tmp_path):
    whole, _, saved_whole = fitted(tmp_path / "whole", 24)
    fitted(tmp_path / "parts", 12)
    parts, _, saved_parts = fitted(tmp_path / "parts", 24, resume=tmp_path / "parts" / "last.ckpt")
    torch.testing.assert_close(parts.state_dict(), whole.state_dict(), rtol=0, atol=0)
    torch.testing.assert_close(saved_parts["state_dict"], saved_whole["state_dict"], rtol=0, atol=0)
