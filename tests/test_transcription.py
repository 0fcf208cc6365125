"""Files, folders, patterns and standard input through the command, in every format."""

import csv
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from tone_model import RATE, played, tone_model

from spoken_numbers import Recognizer, audio

ROOT = Path(__file__).parents[1]
LABELS = {"a": "12", "b": "3*045", "c": "6789"}


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> Path:
    return tone_model(tmp_path_factory.mktemp("model") / "tones.onnx")


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("recordings")
    for name, label in LABELS.items():
        audio.write(folder / "deep" / f"{name}.wav", played(label).astype(np.float32), RATE)
    (folder / "deep" / "notes.txt").write_text("no recording")
    return folder


def run(*args: object, stdin: bytes = b"") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "spoken_numbers", "transcribe", *map(str, args)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, input=stdin, check=False)
    return subprocess.CompletedProcess(command, done.returncode, done.stdout.decode(), done.stderr.decode())


def expected(folder: Path) -> str:
    return "".join(f"{label.replace('*', '')}\t{folder}/deep/{name}.wav\n" for name, label in LABELS.items())


@pytest.mark.parametrize("given", ["", "/deep", "/deep/*.wav", "/**/*.wav"])
def test_folders_and_patterns_give_their_recordings_in_order(model, folder, given):
    done = run(model, f"{folder}{given}")
    assert (done.returncode, done.stdout, done.stderr) == (0, expected(folder), "")


def test_standard_input_is_a_list_of_paths_or_a_recording(model, folder):
    paths = "\n".join(f"{folder}/deep/{name}.wav" for name in LABELS)
    assert run(model, "-", stdin=paths.encode()).stdout == expected(folder)
    assert run(model, "-", stdin=(folder / "deep" / "c.wav").read_bytes()).stdout == "6789\t-\n"


def test_a_grammar_is_compiled_once_and_given_to_the_decoder(model, folder, tmp_path):
    fst = tmp_path / "two or four.fst"
    command = [sys.executable, "-m", "spoken_numbers", "grammar", fst, "--pattern", "(..){1,2}"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.startswith(f"{fst}: 5 states")
    assert run(model, folder, "--grammar", fst).stdout == expected(folder)


def test_answers_are_within_what_is_known(model, folder, tmp_path):
    codes = tmp_path / "codes.txt"
    codes.write_text("13\n3045\n6 7 8 9\n12\n")
    assert run(model, folder, "--one-of", codes, "--processes", 2).stdout == expected(folder)
    codes.write_text("13\n3055\n5789\n")
    assert [line.split("\t")[0] for line in run(model, folder, "--one-of", codes).stdout.splitlines()] == [
        *("13", "3055", "5789")
    ]
    three = [line.split("\t")[0] for line in run(model, folder, "--digits", 3).stdout.splitlines()]
    assert [len(number) for number in three] == [3, 3, 3]
    none = run(model, folder, "--digits", 2, "--below", 10)
    assert (none.returncode, none.stdout, none.stderr.count("\n")) == (2, "", 1)
    assert "no number is admissible" in none.stderr


def test_what_is_less_sure_than_asked_is_no_number(model, folder):
    confidences = [
        json.loads(line)["confidence"] for line in run(model, folder, "--format", "json").stdout.splitlines()
    ]
    between = (min(confidences) + max(confidences)) / 2
    answers = [line.split("\t")[0] for line in run(model, folder, "--reject-below", between).stdout.splitlines()]
    assert [bool(digits) for digits in answers] == [confidence >= between for confidence in confidences]
    wrong = run(model, folder, "--reject-below", 1.5)
    assert (wrong.returncode, wrong.stderr) == (2, "error: 1.5 – --reject-below – give 0 to 1\n")


def test_several_processes_answer_as_one_does_and_name_what_is_broken(model, folder, tmp_path):
    broken = tmp_path / "broken.wav"
    broken.write_bytes(b"RIFF nothing")
    done = run(model, broken, folder, tmp_path / "none*.wav", "--processes", 2)
    assert done.stdout == expected(folder)
    assert done.returncode == 1
    assert "no recording matches" in done.stderr
    assert "cannot decode: " in done.stderr
    assert done.stderr.endswith("2 of 5 recordings could not be read\n")


def test_a_reader_that_has_enough_ends_it_quietly(model, folder):
    command = f"{sys.executable} -m spoken_numbers transcribe {model} {' '.join([str(folder)] * 20)} | head -1"
    done = subprocess.run(["bash", "-c", f"set -o pipefail; {command}"], cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (141, expected(folder).splitlines(True)[0], "")


def test_json_and_csv_say_the_same(model, folder):
    objects = [json.loads(line) for line in run(model, folder, "--format", "json").stdout.splitlines()]
    rows = list(csv.DictReader(run(model, folder, "--format", "csv").stdout.splitlines()))
    assert [one["label"] for one in objects] == list(LABELS.values())
    for one, row in zip(objects, rows, strict=True):
        assert "".join(c["label"] for c in one.pop("characters")) == one["label"]
        assert row == {name: str(value) for name, value in one.items()}


@pytest.mark.parametrize("wrong", [["--processes", "0"], ["--threads", "-1"], ["--format", "xml"]])
def test_a_wrong_option_is_one_line_and_status_2(model, folder, wrong):
    done = run(model, folder, *wrong)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)


@pytest.mark.parametrize("gap", [0.1, 1.0])
def test_characters_have_the_times_at_which_they_were_played(model, gap):
    label = "0123456789" * 4
    heard = Recognizer(model).transcribe(played(label, gap=gap), sample_rate=RATE)  # 12 and 48 s: cut into pieces
    assert "".join(one.label for one in heard.characters) == heard.label == label
    starts = [one.start for one in heard.characters]
    assert starts == pytest.approx([gap + i * (0.2 + gap) for i in range(40)], abs=0.08)
