"""Names of files are bytes, which need not be text in any encoding."""

import json
import os
import shutil

from commands import run
from corpora.corpus_makers import make_fsdd
from tone_model import tone_model

LATIN_1 = os.fsdecode(b"caf\xe9")


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
