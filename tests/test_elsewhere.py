"""Names that are no text, other locales, wrong clocks, corpora on read-only disks."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from corpora.corpus_makers import make_fsdd
from test_disk_full import NAMESPACE
from tone_model import tone_model
from training_command import ROOT, TINY
from training_fixtures import tones

LATIN_1 = os.fsdecode(b"caf\xe9")
ELSEWHERE = {"LC_ALL": "C", "TZ": "Asia/Kathmandu"}


def run(*words: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *map(str, words)]
    given = {**os.environ, **ELSEWHERE}
    return subprocess.run(command, cwd=ROOT, env=given, capture_output=True, text=True, check=False)


def succeed(*words: object) -> str:
    done = run(*words)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_corpus_is_prepared_checked_sharded_and_read_where_names_are_no_text(tmp_path):
    folder = tmp_path / LATIN_1
    made = make_fsdd(tmp_path / "plain")  # libsndfile's Python wants text
    folder.mkdir()
    made.rename(folder / "corpus")
    shutil.copy(tone_model(tmp_path / "m.onnx"), folder / "m.onnx")
    few = ["--test-speaker", "george", "--strings-per-speaker", 4, "--test-strings-per-speaker", 2]
    succeed("scripts/prepare_fsdd.py", folder / "corpus", "--out", folder / "fsdd", *few)
    assert "no faults" in succeed("scripts/check_manifest.py", folder / "fsdd/train.json", "--headers")
    succeed("scripts/make_shards.py", folder / "fsdd/train.json", "--out", folder / "shards")
    outputs = ["--json", folder / "run.json", "--csv", folder / "run.csv", "--report", folder / "report"]
    test = folder / "fsdd/test.json"
    succeed("evaluation/evaluate.py", folder / "m.onnx", "--manifest", test, *outputs)
    readings = json.loads((folder / "run.json").read_text(encoding="utf-8"))["readings"]
    assert {reading["manifest"] for reading in readings} == {str(test)}
    assert (folder / "report" / "report.html").is_file()
    recording = folder / "corpus/recordings/1_george_0.wav"
    heard = succeed("-m", "spoken_numbers", "transcribe", folder / "m.onnx", recording)
    assert heard.endswith("recordings/1_george_0.wav\n")


def test_openfst_takes_text_alone_and_says_so(tmp_path):
    folder = tmp_path / LATIN_1
    folder.mkdir()
    done = run("-m", "spoken_numbers", "grammar", folder / "a.fst", "--digits", 4)
    assert (done.returncode, done.stderr.split(" – ")[0]) == (2, "error: OpenFst's file names are UTF-8 text")
    assert not list(folder.iterdir())


def config(folder: Path, steps: int) -> str:
    tiny = {key: json.loads(value) for key, value in (word.split("=") for word in TINY) if key.startswith("size.")}
    sizes = ", ".join(f"{key.removeprefix('size.')}: {value}" for key, value in tiny.items())
    manifests = {name: json.dumps([str(folder / f"{name}.json")]) for name in ("train", "validation")}
    each = f"max_epochs: -1, max_steps: {steps}, check_val_every_n_epoch: null, val_check_interval: 3"
    return f"""
defaults: [quickstart, _self_]
name: one
size: {{{sizes}}}
trainer: {{{each}, accelerator: cpu, precision: 32-true}}
model:
  train_ds: {{manifest_filepath: {manifests["train"]}, num_workers: 1, batch_size: 8}}
  validation_ds: {{manifest_filepath: {manifests["validation"]}}}
exp_manager: {{exp_dir: {json.dumps(str(folder / "experiments"))}, checkpoint_every_n_steps: 3}}
"""


@pytest.mark.slow
def test_a_training_goes_on_after_the_clock_went_wrong(tmp_path):
    folder = tmp_path / "übung"
    tones(folder, "train", 16, 0)
    tones(folder, "validation", 4, 1)
    for steps in (6, 9):
        (folder / "one.yaml").write_text(config(folder, steps), encoding="utf-8")
        said = succeed("train_quartznet.py", folder / "one.yaml")
        checkpoints = folder / "experiments/one/checkpoints"
        assert (checkpoints / f"last-step={steps}.ckpt").is_file()
        for path in checkpoints.iterdir():
            os.utime(path, (0, 0))
        for path in (folder / "wav").iterdir():
            os.utime(path, (2**32, 2**32))
    assert "going on from" in said
    exported = folder / "onnx" / "one.onnx"
    succeed("quantization/export_onnx.py", folder / "experiments/one/one.nemo", "--out", exported)
    assert exported.with_name("one_features.onnx").is_file()


@pytest.mark.slow
def test_a_corpus_that_cannot_be_written_to_serves_all_that_read_it(tmp_path):
    corpus, out = tmp_path / "corpus", tmp_path / "out"
    tones(corpus, "train", 16, 0)
    tones(corpus, "validation", 4, 1)
    model = tone_model(tmp_path / "m.onnx")
    (tmp_path / "one.yaml").write_text(config(corpus, 3).replace(str(corpus / "experiments"), str(out)))
    if subprocess.run([*NAMESPACE, "mount -t tmpfs tmpfs /mnt"], capture_output=True, check=False).returncode:
        pytest.skip("user namespaces are not allowed here")
    script = f"""
        set -e
        mount --bind {corpus} {corpus} && mount -o remount,bind,ro {corpus}
        {sys.executable} scripts/check_manifest.py {corpus}/train.json --headers
        {sys.executable} scripts/make_shards.py {corpus}/train.json --out {out}/shards
        {sys.executable} evaluation/evaluate.py {model} --manifest {corpus}/validation.json --json {out}/run.json
        {sys.executable} train_quartznet.py {tmp_path}/one.yaml
        {sys.executable} scripts/make_shards.py {corpus}/train.json --out {corpus}/shards
    """
    done = subprocess.run([*NAMESPACE, script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (out / "one" / "one.nemo").is_file(), done.stderr
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith("error: cannot write: Read-only file system – ")
