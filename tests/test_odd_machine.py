"""Other locales, time zones and clocks, and a corpus that nobody may write to."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from commands import ROOT, run
from corpora.corpus_makers import make_fsdd, said
from test_disk_full import NAMESPACE
from tone_model import tone_model
from training_command import arguments

from spoken_numbers import audio, manifest
from spoken_numbers.manifest import Utterance
from spoken_numbers.training.checkpoints import load, newest_usable

LOCALES = {
    "ASCII": {
        "LC_ALL": "POSIX",
        "PYTHONCOERCECLOCALE": "0",
        "PYTHONUTF8": "0",
        "PYTHONIOENCODING": "ascii",
        "TZ": "XXX+13:47:11",
    },
    "missing": {"LC_ALL": "tr_TR.ISO-8859-9", "LANGUAGE": "tr", "TZ": "Nowhere/Else"},
}
LIMITS = ["trainer.max_epochs=-1", "trainer.check_val_every_n_epoch=null", "trainer.val_check_interval=2", "name=one"]


@pytest.mark.parametrize("name", LOCALES)
def test_files_are_the_same_in_every_locale(tmp_path, name):
    place = tmp_path / "übung 数"
    make_fsdd(place / "fsdd")
    prepare = ["scripts/prepare_fsdd.py", place / "fsdd", "--strings-per-speaker", 2, "--test-strings-per-speaker", 2]
    made = [place / "one" / "test.json", place / "two" / "test.json"]
    model = tone_model(place / "tones.onnx")
    for out, locale in zip(made, ({}, LOCALES[name]), strict=True):
        done = run(*prepare, "--out", out.parent, **locale)
        assert (done.returncode, done.stderr) == (0, ""), done.stderr
    assert made[0].read_bytes() == made[1].read_bytes()
    for locale in ({}, LOCALES[name]):
        table = ["--csv", place / f"{len(locale)}.csv"]
        done = run("evaluation/evaluate.py", model, "--manifest", made[0], *table, **locale)
        assert (done.returncode, done.stderr) == (0, ""), done.stderr
    assert (place / "0.csv").read_bytes() == (place / f"{len(LOCALES[name])}.csv").read_bytes()


@pytest.mark.slow
def test_a_training_goes_on_from_the_most_steps_whatever_the_clock_says_and_in_any_locale(corpus, tmp_path):
    at_once, in_two = tmp_path / "at once", tmp_path / "übung"
    whole = run(*arguments(corpus, at_once, *LIMITS, "trainer.max_steps=4", "+optim.sched.max_steps=4"))
    assert whole.returncode == 0, whole.stderr
    for steps in (2, 4):
        overrides = [*LIMITS, f"trainer.max_steps={steps}", "+optim.sched.max_steps=4"]
        done = run(*arguments(corpus, in_two, *overrides), **LOCALES["ASCII"])
        assert done.returncode == 0, done.stderr
        for path, time in zip((in_two / "one").rglob("*"), [4e9, 0, 1e6] * 20, strict=False):
            os.utime(path, (time, time))
    ends = [load(folder / "one/checkpoints/last-step=4.ckpt")["state_dict"] for folder in (at_once, in_two)]
    torch.testing.assert_close(*ends, rtol=0, atol=0)


def test_the_newest_checkpoint_is_the_one_of_the_most_steps(tmp_path):
    for step, time in ((3, 4e9), (20, 0), (9, 1e9)):  # 2096, 1970, 2001
        torch.save({"global_step": step}, tmp_path / f"last-step={step}.ckpt")
        os.utime(tmp_path / f"last-step={step}.ckpt", (time, time))
    assert newest_usable(tmp_path) == tmp_path / "last-step=20.ckpt"


@pytest.fixture
def corpora(tmp_path):
    """A corpus, and one of its rows gone wrong."""
    folder = tmp_path / "corpus"
    tone_model(tmp_path / "tones.onnx")
    make_fsdd(folder / "fsdd")
    rows = []
    for place in range(4):
        seconds = audio.write(folder / f"{place}.wav", said("123", 1).astype("float32"))
        rows.append(Utterance(f"{place}.wav", seconds, "123", speaker=str(place)))
    manifest.write(folder / "test.json", rows)
    manifest.write(folder / "bad.json", [*rows, Utterance("gone.wav", 1.0, "1")])
    return folder


def read_only(folder: Path, *words: object) -> subprocess.CompletedProcess[str]:
    script = f"mount --bind '{folder}' '{folder}' && mount -o remount,bind,ro '{folder}' || exit 99; exec \"$@\""
    command = [*NAMESPACE, script, "sh", *map(str, words)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


mounts = pytest.mark.skipif(
    subprocess.run([*NAMESPACE, "mount -t tmpfs tmpfs /mnt"], capture_output=True, check=False).returncode != 0,
    reason="user namespaces are not allowed here",
)


@mounts
@pytest.mark.parametrize(
    ("status", "words"),
    [
        (0, "scripts/check_manifest.py {corpus}/test.json"),
        (0, "scripts/make_shards.py {corpus}/test.json --out {out}"),
        (0, "scripts/prepare_fsdd.py {corpus}/fsdd --out {out} --strings-per-speaker 2 --test-strings-per-speaker 2"),
        (0, "evaluation/evaluate.py {corpus}/../tones.onnx --manifest {corpus}/test.json --json {out}/run.json"),
        (2, "scripts/check_manifest.py {corpus}/bad.json --fix"),
        (2, "scripts/perturb_corpus.py {corpus}/test.json gain.min_gain_dbfs=-6 --out {corpus}/out"),
        (2, "scripts/prepare_fsdd.py {corpus}/fsdd --out {corpus}/out"),
        (2, "evaluation/evaluate.py {corpus}/../tones.onnx --manifest {corpus}/test.json --json {corpus}/run.json"),
    ],
)
def test_a_corpus_that_cannot_be_written_to_is_read_and_only_read(tmp_path, corpora, status, words):
    done = read_only(corpora, sys.executable, *words.format(corpus=corpora, out=tmp_path / "out").split())
    assert done.returncode == status, done.stderr
    if status:
        assert done.stderr.count("\n") == 1, done.stderr
        assert done.stderr.startswith("error: cannot write: Read-only file system – ")


@mounts
@pytest.mark.slow
def test_a_training_needs_only_to_read_its_corpus(corpus, tmp_path):
    done = read_only(corpus, sys.executable, *arguments(corpus, tmp_path, *LIMITS, "trainer.max_steps=2"))
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "one" / "one.nemo").is_file()
    refused = read_only(
        corpus, sys.executable, *arguments(corpus, corpus / "experiments", *LIMITS, "trainer.max_steps=2")
    )
    assert refused.returncode == 2, refused.stderr
    assert refused.stderr.splitlines()[-1].startswith("error: cannot ")
    assert "Read-only file system" in refused.stderr
    assert "Traceback" not in refused.stderr
