"""evaluate.py and transcribe.py on a model that the real command trained."""

import json

import pytest
import soundfile
from commands import run_warm as run

SHIPPED = ["models/quartznet_5x1_int8.onnx"]


def test_evaluation_counts_every_utterance_of_every_manifest(trained, corpus, tmp_path):
    out = tmp_path / "out.json"
    manifests = [corpus / "validation.json", corpus / "train.json"]
    done = run("evaluation/evaluate.py", trained / "tiny.nemo", *[f"--manifest={m}" for m in manifests], "--json", out)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    report = json.loads(out.read_text())
    counts = [report["manifests"][str(m)]["strings"] for m in manifests]
    assert counts == [12, 48]
    assert report["overall"]["strings"] == len(report["readings"]) == 60
    right = sum(r["reference"] == r["hypothesis"] for r in report["readings"])
    assert right == report["overall"]["strings_right"]
    assert f"[{right}/60]" in done.stdout
    assert done.stdout.count(" read as ") == min(10, 60 - right)


def test_folds_are_read_each_by_its_own_model_and_counted_together(trained, corpus, tmp_path):
    out = tmp_path / "out.json"
    folds = [[trained / "tiny.nemo", corpus / name] for name in ("validation.json", "train.json")]
    done = run("evaluation/evaluate_folds.py", *folds[0], *folds[1], "--json", out)
    assert done.returncode == 0, done.stderr
    report = json.loads(out.read_text())
    assert report["overall"]["strings"] == 60
    assert f"[{report['overall']['strings_right']}/60]" in done.stdout
    twice = run("evaluation/evaluate_folds.py", *folds[0], *folds[0])
    assert twice.returncode == 2
    assert twice.stderr == f"error: manifest given twice – {corpus}/validation.json – give each fold's own\n"


def test_a_decoder_that_is_told_the_length_reads_so_many_digits(trained, corpus, tmp_path):
    out = tmp_path / "out.json"
    manifest = corpus / "validation.json"
    done = run("evaluation/evaluate.py", trained / "tiny.nemo", "--manifest", manifest, "--digits", "2", "--json", out)
    assert done.returncode == 0, done.stderr
    report = json.loads(out.read_text())
    assert {len(reading["hypothesis"]) for reading in report["readings"]} == {2}
    assert report["model"].endswith("tiny.nemo --digits 2")


def test_transcription_prints_a_line_for_each_recording_and_names_what_cannot_be_read(trained, corpus, tmp_path):
    waveform, _ = soundfile.read(corpus / "wav" / "train0.wav")
    stereo, broken = tmp_path / "stereo ü.flac", tmp_path / "broken.wav"
    soundfile.write(stereo, [[x, x] for x in waveform], 16000)
    broken.write_bytes(b"RIFF nothing")
    best = next((trained / "checkpoints").glob("best-*"))
    done = run("evaluation/transcribe.py", best, corpus / "wav" / "train0.wav", stereo, broken)
    assert done.returncode == 1
    lines = [line.split("\t") for line in done.stdout.splitlines()]
    assert [path for _, path in lines] == [str(corpus / "wav" / "train0.wav"), str(stereo)]
    assert lines[0][0] == lines[1][0]
    first, last = done.stderr.splitlines()
    assert first.startswith("error: cannot decode")
    assert str(broken) in first
    assert last == "1 of 3 recordings could not be read"


@pytest.mark.slow
def test_a_model_in_training_transcribes_as_it_is_evaluated(trained, corpus, tmp_path):
    out = tmp_path / "out.json"
    model, manifest = trained / "tiny.nemo", corpus / "validation.json"
    assert run("evaluation/evaluate.py", model, "--manifest", manifest, "--json", out).returncode == 0
    evaluated = {str(corpus / r["audio_filepath"]): r["hypothesis"] for r in json.loads(out.read_text())["readings"]}
    done = run("evaluation/transcribe.py", model, *evaluated, "--format", "json", "--processes", 2)
    assert done.returncode == 0, done.stderr
    records = [json.loads(line) for line in done.stdout.splitlines()]
    assert {record["recording"]: record["label"] for record in records} == evaluated


@pytest.mark.parametrize(
    ("command", "told"),
    [
        (["evaluation/evaluate.py"], "Missing argument"),
        (["evaluation/evaluate.py", "gone.nemo", "--manifest", "README.md"], "file 'gone.nemo' does not exist"),
        (["evaluation/evaluate.py", "README.md", "--manifest", "README.md"], "cannot load model"),
        (["evaluation/evaluate.py", *SHIPPED, "--manifest", "README.md", "--digits", "six"], "no number of digits"),
        (["evaluation/evaluate.py", *SHIPPED, "--manifest", "README.md", "--pattern", "4("], "no regular expression"),
        (["evaluation/transcribe.py", "gone.nemo", "gone.wav"], "no such model – gone.nemo"),
        (["evaluation/transcribe.py", "--nothing"], "required: model"),
        (["evaluation/transcribe.py", "README.md", "README.md"], "cannot load model"),
    ],
)
def test_a_wrong_command_is_one_line_and_status_2(command, told):
    done = run(*command)
    assert done.returncode == 2
    assert done.stderr.startswith("error: ")
    assert told in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_missing_manifest_is_one_line_and_status_2(trained):
    done = run("evaluation/evaluate.py", trained / "tiny.nemo", "--manifest", "gone.json")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert done.stderr.startswith("error: Invalid value for '--manifest': file 'gone.json' does not exist")
