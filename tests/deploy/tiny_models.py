"""Tiny QuartzNets that say something without having been trained for long."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from hydra import compose, initialize_config_dir
from nemo.collections.asr.models import EncDecCTCModel
from nemo.collections.asr.parts.submodules.jasper import MaskedConv1d
from omegaconf import OmegaConf
from training_command import TINY

from spoken_numbers import audio, manifest
from spoken_numbers.audio import FloatArray
from spoken_numbers.labels import LABELS
from spoken_numbers.training.command import CONF
from spoken_numbers.training.load import features_of_batch


def tiny_quartznet(
    *overrides: str, labels: Sequence[str] = LABELS, blocks: Sequence[int] = range(8), **encoder: Any
) -> EncDecCTCModel:
    """The quickstart's model with few channels and batch normalisations that have seen noise.

    Args:
        overrides: as on the training command's line.
        blocks: indices of those that it has of the quickstart's.
        encoder: settings for every block.
    """
    with initialize_config_dir(str(CONF), version_base="1.3"):
        composed = compose("quickstart", overrides=[*TINY[:4], *overrides])
    config = OmegaConf.to_container(composed, resolve=True)["model"]
    del config["train_ds"], config["validation_ds"]
    config["labels"] = config["decoder"]["vocabulary"] = list(labels)
    config["decoder"]["num_classes"] = len(labels)
    config["encoder"]["jasper"] = [{**config["encoder"]["jasper"][index], **encoder} for index in blocks]
    torch.manual_seed(0)
    model = EncDecCTCModel(cfg=OmegaConf.create(config))
    look_nearby(model)
    settle(model, list(np.random.default_rng(0).normal(0, 0.1, (4, 32000)).astype(np.float32)))
    return model.eval()


@torch.no_grad()
def look_nearby(model: EncDecCTCModel) -> None:
    """Let each convolution see most of what is near: random weights would mix seconds of sound evenly."""
    for layer in model.encoder.modules():
        if isinstance(layer, MaskedConv1d):
            reach = layer.conv.kernel_size[0] // 2
            offset = torch.arange(-reach, layer.conv.kernel_size[0] - reach)
            layer.conv.weight.mul_(torch.exp(-((offset / 0.7) ** 2)))


@torch.no_grad()
def settle(model: EncDecCTCModel, waveforms: Sequence[FloatArray]) -> None:
    """Show the batch normalisations some sound."""
    features, frames = (torch.from_numpy(part) for part in features_of_batch(model.eval(), waveforms))
    model.encoder.train()
    for _ in range(20):
        model.encoder(audio_signal=features, length=frames)
    model.eval()


def teach_tones(model: EncDecCTCModel, corpus: Path, steps: int = 150) -> None:
    """Train a model on the tones of ``training_fixtures``, told where each is, which takes far fewer steps than CTC."""
    rows = list(manifest.read(corpus))
    rng = np.random.default_rng(0)
    waveforms = [audio.read(row.path(corpus))[rng.integers(0, 320) :] for row in rows]
    features, frames = (torch.from_numpy(part) for part in features_of_batch(model, waveforms))
    targets = torch.from_numpy(np.stack([tones_at(row.text, (features.shape[2] + 1) // 2) for row in rows]))
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.03, total_steps=steps)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # more of them wait for each other on a busy machine
    model.train()
    for step in range(steps):
        some = slice(step % 3, None, 3)
        encoded, _ = model.encoder(audio_signal=features[some], length=frames[some])
        log_probs = model.decoder(encoder_output=encoded)
        loss = torch.nn.functional.nll_loss(log_probs.flatten(0, 1), targets[some].flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    model.eval()
    torch.set_num_threads(threads)


def tones_at(text: str, frames: int) -> np.ndarray:
    """The label index of each frame of 20 ms: 0.1 s of silence before each tone of 0.2 s."""
    time = np.arange(frames) * 0.02 - 0.1
    tone = (time // 0.3).astype(int)
    inside = (time % 0.3 > 0.03) & (time % 0.3 < 0.17) & (tone >= 0) & (tone < len(text))
    targets = np.full(frames, len(LABELS))
    targets[inside] = [LABELS.index(text[index]) for index in tone[inside]]
    return targets
