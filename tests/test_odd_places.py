"""Folders that shells, globs, URLs, CSV and Hydra's grammar all stumble over are folders like any other."""

import csv
import json
import shutil
from pathlib import Path

import pytest
from commands import ROOT, run
from corpora.corpus_makers import make_fsdd
from hydra.core.override_parser.types import Quote, QuotedString
from tone_model import tone_model
from training_command import TINY
from training_fixtures import tones

ODD = "a b 'c' \"d\" übung 数 $HOME `x` e=f,g [h] {0..3} ;#?%41&*\\n\nnew"
SHOWN = ODD.replace("\n", "\\n")


def done(*arguments: object, root: Path = ROOT) -> str:
    ended = run(*arguments, cwd=root, PYTHONPATH=str(root))
    assert (ended.returncode, "Traceback" in ended.stderr) == (0, False), ended.stderr
    return ended.stdout


def setting(key: str, value: object) -> str:
    return f"{key}={QuotedString(str(value), Quote.single).with_quotes()}"


def test_corpora_are_made_checked_sharded_and_read_there(tmp_path):
    place = tmp_path / ODD
    place.mkdir()
    model = tone_model(place / "tones.onnx")
    made = done(
        *("scripts/prepare_fsdd.py", make_fsdd(place / "fsdd"), "--out", place / "data"),
        *("--strings-per-speaker", 6, "--test-strings-per-speaker", 2),
    )
    assert made.count("\n") == made.count(f"{SHOWN}/data/") == 4
    assert done("scripts/check_manifest.py", place / "data/train.json").endswith("  no faults\n")
    shards = ["scripts/make_shards.py", place / "data/train.json", "--out", place / "shards"]
    assert "12 utterances" in done(*shards, "--utterances-per-shard", 5)
    assert len(list((place / "shards").glob("*.tar"))) == 3

    outputs = ["--json", place / "run.json", "--csv", place / "run.csv", "--report", place / "report"]
    done("evaluation/evaluate.py", model, "--manifest", place / "data/test.json", *outputs)
    run = json.loads((place / "run.json").read_text(encoding="utf-8"))
    assert list(run["manifests"]) == [str(place / "data/test.json")]
    with (place / "run.csv").open(encoding="utf-8", newline="") as file:
        assert len(list(csv.DictReader(file))) == 2
    assert (place / "report" / "report.html").is_file()

    recording = place / "fsdd/recordings/4_theo_0.wav"
    transcribe = ["-m", "spoken_numbers", "transcribe", model, recording]
    assert done(*transcribe).split("\t")[1:] == [f"{tmp_path}/{SHOWN}/fsdd/recordings/4_theo_0.wav\n"]
    assert json.loads(done(*transcribe, "--format", "json"))["recording"] == str(recording)


@pytest.mark.parametrize(
    "arguments",
    [
        ["scripts/prepare_fsdd.py", "{place}/gone"],
        ["scripts/cut_digits.py", "{place}/gone.json", "--out", "{place}/out"],
        ["-m", "spoken_numbers", "transcribe", "{place}/gone.onnx", "a.wav"],
        ["train_quartznet.py", "{place}/gone.yaml"],
        ["train_quartznet.py", "conf/quickstart.yaml", "exp_manager.exp_dir=x{place}"],
    ],
)
def test_what_is_wrong_there_is_one_line(tmp_path, arguments):
    ended = run(*(argument.format(place=tmp_path / ODD) for argument in arguments), PYTHONPATH=str(ROOT))
    assert (ended.returncode, ended.stderr.count("\n")) == (2, 1), ended.stderr
    assert ended.stderr.startswith("error: ")
    assert "$HOME `x` e=f,g [h] {0..3} ;#?%41&*" in ended.stderr
    assert not (tmp_path / ODD).exists()


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_checkout_there_trains_exports_quantises_and_reads(tmp_path):
    place = tmp_path / ODD
    root = place / "repository"
    for name in ("spoken_numbers", "conf", "hydra_plugins", "scripts", "quantization", "evaluation"):
        shutil.copytree(ROOT / name, root / name)
    shutil.copy(ROOT / "train_quartznet.py", root)
    train, validation = (tones(place / "data", split, 32, seed) for seed, split in enumerate(("train", "validation")))
    done("scripts/make_shards.py", train, "--out", place / "shards", "--utterances-per-shard", 5, root=root)
    config = place / "my conf, a=b.yaml"
    config.write_text("defaults:\n  - quickstart\n  - _self_\nname: it's mine\n", encoding="utf-8")
    limits = ["trainer.max_epochs=-1", "trainer.max_steps=2", "trainer.val_check_interval=1"]
    given = [*TINY, *limits, setting("exp_manager.exp_dir", place / "experiments")]
    given += ["trainer.check_val_every_n_epoch=null", setting("model.validation_ds.manifest_filepath", validation)]
    manifest = "model.train_ds.manifest_filepath"
    shards = [setting(manifest, place / "shards/tarred_audio_manifest.json"), "model.train_ds.is_tarred=true"]
    done("train_quartznet.py", config, *given, setting(manifest, train), root=root)
    done("train_quartznet.py", config, *given, *shards, "name=shards", root=root)
    assert (place / "experiments/shards/shards.nemo").is_file()
    searched = ["--multirun", "hydra.sweeper.n_trials=0", setting(manifest, train)]
    done("train_quartznet.py", "conf/quickstart_sweep.yaml", *given, *searched, root=root)
    assert (place / "experiments/quickstart_sweep/study.db").is_file()

    nemo, onnx, int8 = place / "experiments/it's mine/it's mine.nemo", place / "onnx/m.onnx", place / "onnx/m_int8.onnx"
    done("quantization/export_onnx.py", nemo, "--out", onnx, root=root)
    static = ["--method", "static", "--calibration", validation, "--no-match"]
    done("quantization/quantize.py", onnx, "--out", int8, *static, root=root)
    done("evaluation/evaluate.py", int8, "--manifest", validation, "--report", place / "report", root=root)
    assert "m_int8" in done("quantization/compare.py", nemo, int8, "--manifest", validation, root=root)
    assert done("evaluation/transcribe.py", nemo, place / "data/wav/train0.wav", root=root).count("\n") == 1
