"""What training hears: decided by seed, epoch and utterance, and never too short for its label."""

import json
import time

import numpy as np
import torch
from augmentation.sounds import clips
from commands import Started
from nemo.collections.asr.parts.preprocessing import perturb
from nemo.collections.asr.parts.preprocessing.segment import AudioSegment
from omegaconf import OmegaConf
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from torch.utils.data import DataLoader
from training_command import arguments

from spoken_numbers.training.batching import Drawn, LengthBatchSampler
from spoken_numbers.training.dataset import AugmentedDataset
from spoken_numbers.training.nemo_perturbations import register

AUGMENT = {
    "speed": {"prob": 0.7, "min_speed_rate": 0.8, "max_speed_rate": 1.3},
    "gain": {"prob": 0.5},
    "white_noise": {"prob": 0.5, "min_level": -50, "max_level": -30},
    "transcode_aug": {"prob": 0.3},
}


def dataset(corpus, workers=0, seed=0, augment=AUGMENT):
    config = {
        "manifest_filepath": f"{corpus}/train.json",
        "labels": list("0123456789*"),
        "sample_rate": 16_000,
        "augmentor": augment,
        "num_workers": workers,
        "seed": seed,
    }
    return AugmentedDataset(OmegaConf.create(config), frame_stride=0.02)


def epoch(corpus, number, workers=0, seed=0, **kwargs):
    """utterance index → signal, through a real loader."""
    data = dataset(corpus, workers, seed, **kwargs)
    durations = [row.duration for row in data.manifest_processor.collection.data]
    sampler = LengthBatchSampler(durations, 8, seed=seed)
    sampler.set_epoch(number)
    loader = DataLoader(data, batch_size=None, sampler=sampler, num_workers=workers, collate_fn=data.collate_fn)
    signals = {}
    for drawn, (signal, lengths, *_) in zip(list(sampler), loader, strict=True):
        for item, row, length in zip(drawn, signal, lengths, strict=True):
            signals[item.row] = row[: int(length)].numpy().tobytes()
    return signals, data.augmentor.chain.tally.outcomes()


def test_the_seed_decides_whoever_loads(corpus):
    torch.manual_seed(1)
    alone, _ = epoch(corpus, 0)
    torch.manual_seed(2)
    for workers in (1, 2):
        shared, outcomes = epoch(corpus, 0, workers)
        assert shared == alone
        assert sum(outcome.ran for outcome in outcomes) > 40  # counted over processes


def test_epochs_and_seeds_differ(corpus):
    first, other_epoch, other_seed = (epoch(corpus, *which)[0] for which in ((0, 0, 0), (1, 0, 0), (0, 0, 1)))
    for other in (other_epoch, other_seed):
        assert sum(first[index] != other[index] for index in first) > 0.8 * len(first)


def test_without_augmentation_it_is_the_recording(corpus):
    plain, outcomes = epoch(corpus, 0, augment={})
    assert outcomes == []
    assert epoch(corpus, 1, augment=None)[0] == plain


def test_no_utterance_gets_too_short_for_its_label(corpus, tmp_path):
    rows = [json.loads(line) for line in (corpus / "train.json").read_text().splitlines()]
    (tmp_path / "wav").symlink_to(corpus / "wav")
    for row in rows:  # as many symbols as the frames of 20 ms allow at no more than 1.2 times the speed
        row["text"] = ("0123456789" * 40)[: int(row["duration"] / 0.02 / 1.2)]
    (tmp_path / "train.json").write_text("".join(json.dumps(row) + "\n" for row in rows))
    data = dataset(tmp_path, augment={"speed": {"prob": 1.0, "min_speed_rate": 1.0, "max_speed_rate": 1.5}})
    for index in range(len(data)):
        ((_, length, _, symbols),) = data[[Drawn(3, index)]]
        assert int(length) / 320 >= int(symbols)
    (outcome,) = data.augmentor.chain.tally.outcomes()
    assert 0.3 * len(data) < outcome.too_short < 0.9 * len(data)


def test_a_perturbation_that_begins_to_fail_is_seen_and_ends_the_training(corpus, tmp_path):
    noise = {f"n{i}": np.random.default_rng(i).standard_normal(16_000).astype(np.float32) * 0.1 for i in range(3)}
    keys = [f"+augment.noise.manifest_path={clips(tmp_path, noise)}", "+augment.noise.prob=1", "augment=none"]
    more = ["+augment.noise.memory_mb=0", "model.train_ds.num_workers=2", "trainer.log_every_n_steps=1"]
    limits = ["trainer.max_steps=5000", "trainer.max_epochs=-1", "exp_manager.checkpoint_every_n_steps=3", "name=noisy"]
    command = arguments(corpus, tmp_path, *keys, *more, *limits)
    training = Started(*command)
    while training.poll() is None and not list((tmp_path / "noisy" / "checkpoints").glob("last-*")):
        time.sleep(0.1)
    for index in range(3):
        (tmp_path / f"n{index}.wav").unlink()
    _, stderr = training.communicate(timeout=200)
    assert training.returncode == 2
    error = stderr.strip().splitlines()[-1]
    assert error.startswith("error: perturbation failed in ")
    assert "no such recording" in error
    assert "augment.noise" in error
    assert "Traceback" not in stderr
    events = EventAccumulator(str(tmp_path / "noisy")).Reload()
    assert events.Scalars("augmentation/noise/failed")[0].value == 0
    assert events.Scalars("augmentation/noise/failed")[-1].value > 0


def test_ours_stand_in_nemos_registry(tmp_path):
    before = dict(perturb.perturbation_types)
    room = {"r": (np.random.default_rng(0).standard_normal((8000, 2)) * 0.1).astype(np.float32)}
    try:
        register()
        config = {
            "speed": {"prob": 1.0, "sr": 16_000, "resample_type": "kaiser_fast", "num_rates": 5},
            "impulse": {"prob": 1.0, "manifest_path": str(clips(tmp_path, room)), "shift_impulse": True},
            "pitch": {"prob": 1.0},
            "transcode_aug": {"prob": 1.0, "codecs": ["g711", "ogg"]},
        }
        segment = AudioSegment(np.random.default_rng(1).uniform(-0.3, 0.3, 16_000).astype(np.float32), 16_000)
        torch.manual_seed(0)
        original = segment.samples.copy()
        perturb.process_augmentations(config).perturb(segment)
        assert segment.samples.dtype == np.float32
        assert len(segment.samples) != len(original) or not np.allclose(segment.samples, original)
    finally:
        perturb.perturbation_types.clear()
        perturb.perturbation_types.update(before)
