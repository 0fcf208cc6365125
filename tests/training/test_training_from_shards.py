"""Shards train as files do, are read from front to back, and are refused when they are broken."""

import json
import math
import os
import threading

import numpy as np
import pytest
import torch
from commands import run_warm
from hypothesis import given
from hypothesis import strategies as st
from nemo.collections.asr.data.audio_to_text import TarredAudioToCharDataset
from nemo.collections.common.data.lhotse.nemo_adapters import LazyNeMoTarredIterator
from omegaconf import OmegaConf
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from test_configs import filled
from torch.utils.data import DataLoader
from training_command import arguments

from spoken_numbers.corpora.shards import MANIFEST, ShardError, prepare
from spoken_numbers.errors import UserError
from spoken_numbers.labels import LABELS
from spoken_numbers.training.batching import BATCHES_PER_POOL, Drawn, LengthBatchSampler
from spoken_numbers.training.check import check_config
from spoken_numbers.training.checkpoints import load
from spoken_numbers.training.dataset import AugmentedDataset, ShardedDataset
from spoken_numbers.training.manifests import first_utterances, repeated
from spoken_numbers.training.shard_batching import ShardBatchSampler

AUGMENT = {"speed": {"prob": 0.7, "min_speed_rate": 0.8, "max_speed_rate": 1.3}, "white_noise": {"prob": 0.5}}


@pytest.fixture(scope="session")
def shards(corpus, tmp_path_factory):
    """The training tones in seven shards."""
    out = tmp_path_factory.mktemp("shards")
    prepare([corpus / "train.json"], out, 7, seed=0)
    return out


def section(manifest, workers=0, **more):
    config = {"manifest_filepath": str(manifest), "labels": list(LABELS), "sample_rate": 16_000, "num_workers": workers}
    return OmegaConf.create({**config, "augmentor": AUGMENT, "seed": 3, **more})


def heard(data, batch_size, workers=0, epoch=2, rank=0, ranks=1):
    """What a real loader hands to training, batch by batch."""
    sampler = data.sampler(batch_size, rank=rank, world_size=ranks)
    sampler.set_epoch(epoch)
    return list(DataLoader(data, None, sampler=sampler, num_workers=workers, collate_fn=data.collate_fn))


def utterances(batches):
    return sorted(
        (signal[:n].numpy().tobytes(), label[:m].tolist())
        for batch in batches
        for signal, n, label, m in zip(*batch, strict=True)
    )


def losses(folder):
    return [event.value for event in EventAccumulator(str(folder)).Reload().Scalars("train/loss")]


@pytest.mark.slow
def test_shards_train_as_files_do_to_the_last_bit_also_in_two_parts(corpus, shards, tmp_path):
    exact = ["model.spec_augment=null", "frontend.dither=0", "augment=voice", "+optim.sched.max_steps=15"]
    common = [*exact, "model.train_ds.repeat=2", "trainer.max_epochs=-1", "trainer.log_every_n_steps=1"]
    common += ["trainer.check_val_every_n_epoch=1", "exp_manager.checkpoint_every_n_steps=4"]
    switch = ["model.train_ds.is_tarred=true", f"model.train_ds.manifest_filepath={shards / MANIFEST}"]
    # Eight steps end in the middle of the first epoch of twelve.
    for name, steps, more in (("files", 15, []), ("shards", 8, switch), ("shards", 15, switch)):
        more = [*more, f"trainer.max_steps={steps}", f"name={name}", f"model.train_ds.num_workers={int(steps == 8)}"]
        done = run_warm(*arguments(corpus, tmp_path, *common, *more))
        assert done.returncode == 0, done.stderr
    assert len(losses(tmp_path / "files")) == 15
    assert losses(tmp_path / "shards") == losses(tmp_path / "files")
    ends = [load(tmp_path / name / "checkpoints" / "last-step=15.ckpt")["state_dict"] for name in ("files", "shards")]
    torch.testing.assert_close(*ends, rtol=0, atol=0)


def test_no_shard_needs_to_be_seekable(corpus, shards, tmp_path):
    (tmp_path / MANIFEST).write_bytes((shards / MANIFEST).read_bytes())
    tars = sorted(path.name for path in shards.glob("*.tar"))
    for name in tars:
        os.mkfifo(tmp_path / name)
        threading.Thread(
            target=lambda name=name: (tmp_path / name).write_bytes((shards / name).read_bytes()), daemon=True
        ).start()
    assert len(tars) == 7
    streamed = heard(ShardedDataset(section(tmp_path / MANIFEST), 0.02), 8)
    files = heard(AugmentedDataset(section(corpus / "train.json"), 0.02), 8)
    for one, other in zip(streamed, files, strict=True):
        for tensor, expected in zip(one, other, strict=True):
            torch.testing.assert_close(tensor, expected, rtol=0, atol=0)


@pytest.mark.parametrize("ranks", [1, 2, 3])
def test_whoever_loads_it_an_utterance_sounds_as_from_files(corpus, shards, ranks):
    again = repeated(section(shards / MANIFEST, repeat=5, workers=2))  # 240 utterances: five pools of 50
    files = utterances(heard(AugmentedDataset(repeated(section(corpus / "train.json", repeat=5)), 0.02), 1))
    data = ShardedDataset(again, 0.02)
    shares = [heard(data, 1, workers=2, rank=rank, ranks=ranks) for rank in range(ranks)]
    assert utterances(batch for share in shares for batch in share) == files
    assert utterances(shares[0]) != utterances(heard(data, 1, epoch=1, ranks=ranks))


def test_plain_nemo_and_its_lhotse_loader_read_them(corpus, shards):
    tars = f"{shards}/audio__OP_0..6_CL_.tar"
    keys = {"labels": list(LABELS), "sample_rate": 16_000, "normalize": False}
    plain = TarredAudioToCharDataset(tars, str(shards / MANIFEST), **keys)
    files = AugmentedDataset(section(corpus / "train.json", augmentor={}), 0.02)
    found = sorted((signal.numpy().tobytes(), label.tolist()) for signal, _, label, _ in plain)
    read = files[[Drawn(0, row) for row in range(len(files))]]
    assert found == sorted((signal.numpy().tobytes(), label.tolist()) for signal, _, label, _ in read)
    cuts = list(LazyNeMoTarredIterator(str(shards / MANIFEST), tars))
    assert sorted(cut.load_audio()[0].tobytes() for cut in cuts) == [signal for signal, _ in found]


class Source:
    """Shards of given sizes in memory; counts what was read, and what was handed on of it."""

    def __init__(self, sizes, batch_size, seed=0, **ranks):
        self.shard_of = np.random.default_rng(0).permutation(np.repeat(np.arange(len(sizes)), sizes))
        seconds = np.random.default_rng(1).integers(1, 9, len(self.shard_of)) / 2  # many alike
        self.read, self.most_held, self._handed_on = [], 0, 0
        self.sampler = ShardBatchSampler(seconds, batch_size, self.shard_of, self._read, seed=seed, **ranks)

    def _read(self, shard, rows):
        assert set(self.shard_of[rows]) == {shard}
        self.read.append((shard, len(rows)))
        return {row: str(row).encode() for row in rows.tolist()}

    def epoch(self, number, skip=0):
        self.read.clear()
        self._handed_on = 0
        self.sampler.resume(number, skip)
        for batch in self.sampler:
            assert all(int(drawn.audio) == drawn.row and drawn.epoch == number for drawn in batch)
            yield [drawn.row for drawn in batch]
            self._handed_on += len(batch)
            self.most_held = max(self.most_held, sum(count for _, count in self.read) - self._handed_on)


sizes = st.lists(st.integers(1, 60), min_size=1, max_size=12)


@given(sizes, st.integers(1, 4), st.integers(0, 3), st.integers(0, 3))
def test_an_epoch_reads_each_shard_once_and_holds_two_pools_at_most(sizes, batch_size, seed, epoch):
    source = Source(sizes, batch_size, seed)
    batches = list(source.epoch(epoch))
    assert len(batches) == len(source.sampler)
    assert sorted(row for batch in batches for row in batch) == list(range(sum(sizes)))
    assert sorted(shard for shard, _ in source.read) == list(range(len(sizes)))
    assert source.most_held <= 2 * (BATCHES_PER_POOL * batch_size + max(sizes))


@given(sizes, st.integers(1, 4), st.data())
def test_a_resumed_epoch_is_the_rest_of_it_and_reads_no_more_than_that(sizes, batch_size, data):
    whole = list(Source(sizes, batch_size).epoch(3))
    done = data.draw(st.integers(0, len(whole)))
    resumed = Source(sizes, batch_size)
    assert list(resumed.epoch(3, done)) == whole[done:]
    assert sum(count for _, count in resumed.read) == sum(map(len, whole[done:]))


@given(sizes, st.integers(1, 4), st.integers(2, 5))
def test_ranks_share_the_epoch_evenly(sizes, batch_size, ranks):
    alone = list(Source(sizes, batch_size).epoch(0))
    sources = [Source(sizes, batch_size, rank=rank, world_size=ranks) for rank in range(ranks)]
    shares = [list(source.epoch(0)) for source in sources]
    assert {len(share) for share in shares} == {math.ceil(len(alone) / ranks)}
    assert {tuple(batch) for share in shares for batch in share} == {tuple(batch) for batch in alone}


@pytest.mark.parametrize("ranks", [1, 2, 7])
def test_ranks_share_the_shards_but_for_those_of_the_pools_that_they_meet_in(ranks):
    sources = [Source([25] * 40, 1, rank=rank, world_size=ranks) for rank in range(ranks)]
    for source in sources:
        assert len(list(source.epoch(0))) == math.ceil(1000 / ranks)
    assert sum(len(source.read) for source in sources) <= 40 + ranks * 2  # a pool is two shards


def test_a_corpus_of_one_pool_has_the_order_that_it_has_as_files():
    source = Source([9] * 10, 4, seed=5)
    files = LengthBatchSampler(source.sampler.durations, 4, seed=5)
    files.set_epoch(2)
    assert list(source.epoch(2)) == [[drawn.row for drawn in batch] for batch in files]


def test_epochs_and_seeds_draw_other_orders_of_the_shards():
    orders = []
    for seed, epoch in ((0, 0), (0, 1), (1, 0)):
        source = Source([5] * 20, 1, seed)
        list(source.epoch(epoch))
        orders.append(tuple(shard for shard, _ in source.read))
    assert len(set(orders)) == 3


def tarred(corpus, manifest, *more):
    switch = ["model.train_ds.is_tarred=true", f"model.train_ds.manifest_filepath={manifest}"]
    return filled("quartznet_5x1", corpus, *switch, *more)


def copied(shards, to):
    prepared = [path for path in shards.rglob("*") if path.is_file()]
    for path in prepared:
        (to / path.relative_to(shards)).parent.mkdir(exist_ok=True)
        (to / path.relative_to(shards)).write_bytes(path.read_bytes())
    return to / MANIFEST


def test_a_good_config_passes_and_shards_may_lie_elsewhere(corpus, shards, tmp_path):
    check_config(tarred(corpus, shards / MANIFEST, "augment=voice"))
    (tmp_path / MANIFEST).write_bytes((shards / MANIFEST).read_bytes())
    for pattern in ("audio__OP_0..6_CL_.tar", "'audio_{0..6}.tar'"):
        elsewhere = f"model.train_ds.tarred_audio_filepaths={pattern.replace('audio', f'{shards}/audio')}"
        check_config(tarred(corpus, tmp_path / MANIFEST, elsewhere))


def test_augmentation_is_proved_on_utterances_of_the_shards(corpus, shards):
    config = section(shards / MANIFEST, is_tarred=True)
    rows = [json.loads(line) for line in (corpus / "train.json").read_text().splitlines()]
    lengths = {round(row["duration"] * 16_000) for row in rows}
    found = first_utterances(config, 10)  # more than one shard has
    assert len(found) == len({waveform.tobytes() for waveform in found}) == 10
    assert {len(waveform) for waveform in found} <= lengths


@pytest.mark.parametrize(
    ("harm", "told"),
    [
        (lambda path: path.unlink(), "no such shard"),
        (lambda path: path.write_bytes(path.read_bytes()[:-512]), "shard is broken"),
    ],
)
def test_a_broken_shard_is_refused_before_the_first_step(corpus, shards, tmp_path, harm, told):
    manifest = copied(shards, tmp_path)
    harm(tmp_path / "audio_4.tar")
    with pytest.raises(ShardError, match=told) as caught:
        check_config(tarred(corpus, manifest))
    assert "audio_4.tar" in str(caught.value)


@pytest.mark.parametrize("left", [0, 700, 5000, 10240])
def test_a_shard_that_breaks_in_mid_training_is_named(shards, tmp_path, left):
    manifest = copied(shards, tmp_path)
    tar = tmp_path / "audio_2.tar"
    tar.write_bytes(tar.read_bytes()[:left])
    with pytest.raises(ShardError, match=r"shard.*audio_2\.tar") as caught:
        heard(ShardedDataset(section(manifest), 0.02), 8)
    assert "\n" not in str(caught.value)


def test_a_shard_of_the_right_size_and_the_wrong_bytes_ends_the_training_with_one_line(corpus, shards, tmp_path):
    manifest = copied(shards, tmp_path)
    tar = tmp_path / "audio_3.tar"
    content = tar.read_bytes()
    header = content.index(b".flac", 1000) // 512 * 512
    tar.write_bytes(content[:header] + b"x" * 512 + content[header + 512 :])
    switch = ["model.train_ds.is_tarred=true", f"model.train_ds.manifest_filepath={manifest}", "trainer.max_steps=9"]
    done = run_warm(*arguments(corpus, tmp_path, *switch, "model.train_ds.num_workers=1"))
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert done.stderr.splitlines()[-1].startswith("error: shard lacks ")
    assert str(tar) in done.stderr


def test_the_switch_and_the_manifest_must_agree(corpus, shards):
    with pytest.raises(UserError, match=r"train\.json:1 – make shards of it with scripts/make_shards\.py"):
        check_config(tarred(corpus, corpus / "train.json"))
    with pytest.raises(UserError, match=r"manifest is of shards – .*is_tarred=true"):
        check_config(tarred(corpus, shards / MANIFEST, "model.train_ds.is_tarred=false"))
    with pytest.raises(UserError, match=r"manifest is of shards – .*validate on the manifest"):
        check_config(filled("quartznet_5x1", corpus, f"model.validation_ds.manifest_filepath={shards / MANIFEST}"))
    with pytest.raises(UserError, match="2 patterns for 1 manifests"):
        check_config(tarred(corpus, shards / MANIFEST, "model.train_ds.tarred_audio_filepaths=[a.tar,b.tar]"))
    with pytest.raises(UserError, match="names shards 0 to 6, and there are 6"):
        check_config(tarred(corpus, shards / MANIFEST, "model.train_ds.tarred_audio_filepaths=a__OP_0..5_CL_.tar"))
    with pytest.raises(UserError, match=r"no such key 'model\.validation_ds\.is_tarred'"):
        check_config(filled("quartznet_5x1", corpus, "+model.validation_ds.is_tarred=true"))


def test_a_label_that_is_none_and_a_speaker_in_two_splits_are_found_in_shards_too(corpus, shards, tmp_path, capsys):
    manifest = copied(shards, tmp_path)
    check_config(tarred(corpus, manifest, f"model.validation_ds.manifest_filepath={corpus}/train.json"))
    assert "48 validation rows are of speakers also trained on" in capsys.readouterr().err
    rows = manifest.read_text().splitlines()
    rows[4] = json.dumps({**json.loads(rows[4]), "text": "x"})
    manifest.write_text("\n".join(rows) + "\n")
    with pytest.raises(UserError, match=rf"outside the vocabulary.*{MANIFEST}:5"):
        check_config(tarred(corpus, manifest))
