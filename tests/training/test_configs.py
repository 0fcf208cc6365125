"""The published configs have the published sizes, and a wrong config is refused in one line."""

from pathlib import Path

import numpy as np
import pytest
from hydra import compose, initialize_config_dir
from nemo.collections.asr.models import EncDecCTCModel
from omegaconf import DictConfig, OmegaConf

from spoken_numbers import audio, manifest
from spoken_numbers.errors import UserError
from spoken_numbers.training.check import check_config
from spoken_numbers.training.command import CONF, ConfigError

CONFIGS = sorted(path.stem for path in CONF.glob("*.yaml") if path.stem != "base")


def composed(name: str, *overrides: str) -> DictConfig:
    with initialize_config_dir(str(CONF), version_base="1.3"):
        return compose(name, overrides=list(overrides))


def filled(name: str, corpus: Path, *overrides: str) -> DictConfig:
    data = [
        f"model.train_ds.manifest_filepath={corpus}/train.json",
        f"model.validation_ds.manifest_filepath={corpus}/validation.json",
    ]
    return composed(name, *data, *overrides)


@pytest.mark.parametrize(
    ("name", "parameters", "megabytes"),
    [
        ("quartznet5x3", 4_622_156, 18.49),
        ("quartznet5x3_nvidia", 6_389_580, 25.56),
        ("quartznet_5x1", 1_992_524, 7.97),
        ("quartznet_5x1_aug", 1_992_524, 7.97),
        ("quickstart", 659_660, 2.64),
    ],
)
def test_parameters_and_fp32_size(name, parameters, megabytes):
    cfg = composed(name)
    cfg.augment = {}
    model_cfg = OmegaConf.create(OmegaConf.to_container(cfg, resolve=True)["model"])
    del model_cfg["train_ds"], model_cfg["validation_ds"]
    count = sum(p.numel() for p in EncDecCTCModel(cfg=model_cfg).parameters())
    assert count == parameters
    assert round(4 * count / 1e6, 2) == megabytes


@pytest.mark.parametrize("name", CONFIGS)
def test_each_config_says_what_it_is_and_repeats_no_other(name):
    text = (CONF / f"{name}.yaml").read_text()
    assert text.startswith("# ")
    assert "Fill in:" in text or "Nothing to fill in" in text
    assert "defaults:" in text
    assert "jasper" not in text


def test_the_six_augmentations_have_nemos_names():
    names = list(composed("quartznet_5x1_aug").augment)
    assert names == ["speed", "impulse", "noise", "gain", "white_noise", "transcode_aug"]


def test_all_that_is_missing_is_named_at_once():
    with pytest.raises(ConfigError) as caught:
        check_config(composed("quartznet_5x1_aug"))
    for key in ("model.train_ds.manifest_filepath", "augment.noise.manifest_path", "augment.impulse.manifest_path"):
        assert key in str(caught.value)


def test_a_good_config_passes(corpus):
    check_config(filled("quartznet_5x1", corpus, "augment=voice"))


@pytest.mark.parametrize(
    ("mistake", "told"),
    [
        ("+trainer.max_epoch=3", "did you mean 'trainer.max_epochs'?"),
        ("+model.train_ds.batchsize=3", "did you mean 'model.train_ds.batch_size'?"),
        ("+model.encoder.feats_in=3", "did you mean 'model.encoder.feat_in'?"),
        ("+modle.x=3", "did you mean 'model'?"),
        ("+exp_manager.expdir=x", "did you mean 'exp_manager.exp_dir'?"),
        ("model.labels=[a,b]", "labels must be"),
        ("model.train_ds.manifest_filepath=nowhere.json", "nowhere.json"),
        ("model.train_ds.repeat=[1,2]", "repeat does not fit"),
        ("model.train_ds.micro_batches=0", "model.train_ds.micro_batches"),
        ("augment=voice init_from=a.nemo model.train_ds.taught_before=impulse", "no 'impulse' in augment"),
        ("augment=voice model.train_ds.taught_before=formant", "init_from teaches"),
        ("model.relative_guard=-60", "give a share of the loudest energy"),
        ("augment=voice augment.speed.prob=2", "augment.speed"),
        ("+augment.sped.prob=1", "no such perturbation"),
        ("+augment.gain.prob=1 +augment.gain.min_gain_dbfs=0 +augment.gain.max_gain_dbfs=0", "changes nothing"),
        ("+augment.noise.prob=1 +augment.noise.manifest_path=nowhere.json", "cannot read manifest"),
    ],
)
def test_a_mistake_is_one_sentence(corpus, mistake, told):
    with pytest.raises(UserError) as caught:
        check_config(filled("quartznet_5x1", corpus, *mistake.split(" ")))
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_faulty_manifest_is_refused_before_the_first_step(corpus, tmp_path):
    bad = tmp_path / "bad.json"
    bad.write_text('{"audio_filepath": "gone.wav", "duration": 1.0, "text": "12"}\n')
    with pytest.raises(UserError, match=r"gone\.wav"):
        check_config(filled("quartznet_5x1", corpus, f"model.train_ds.manifest_filepath={bad}"))


def test_the_six_augmentations_all_run(corpus, tmp_path):
    rng = np.random.default_rng(0)
    decaying = np.exp(-np.arange(8000) / 800) * rng.normal(size=8000)
    sounds = {"noise": rng.normal(size=32000) * 0.1, "impulse": decaying / np.abs(decaying).max()}
    manifests = []
    for name, waveform in sounds.items():
        seconds = audio.write(tmp_path / f"{name}.wav", waveform.astype(np.float32))
        made = manifest.write(tmp_path / f"{name}.json", [manifest.Utterance(f"{name}.wav", seconds, "")])
        manifests.append(f"augment.{name}.manifest_path={made.path}")
    check_config(filled("quartznet_5x1_aug", corpus, *manifests))
