"""scripts/prepare_*.py as people type them."""

from pathlib import Path

import corpus_makers as makers
import pytest
from commands import run

SCRIPTS = Path(__file__).parents[2] / "scripts"
CORPORA = {
    "an4": makers.make_an4,
    "fsdd": makers.make_fsdd,
    "audiomnist": makers.make_audiomnist,
    "speech_commands": makers.make_speech_commands,
}


def command(name, *arguments):
    return run(f"scripts/prepare_{name}.py", *arguments)


@pytest.mark.parametrize("name", CORPORA)
def test_it_tells_what_it_made(tmp_path, name):
    CORPORA[name](tmp_path / "corpus")
    few = [] if name == "an4" else ["--strings-per-speaker", 2, "--test-strings-per-speaker", 1]
    done = command(name, tmp_path / "corpus", "--out", tmp_path / "out", *few)
    assert done.returncode == 0, done.stderr
    assert not done.stderr
    for split in ("train", "test"):
        assert f"{tmp_path / 'out' / split}.json: " in done.stdout


@pytest.mark.parametrize("name", [*CORPORA, "table"])
@pytest.mark.parametrize("there", ["another corpus", "nothing"])
def test_the_wrong_folder_is_one_line_and_status_2(tmp_path, name, there):
    if there == "another corpus":
        (tmp_path / "corpus" / "data" / "flowers").mkdir(parents=True)
        (tmp_path / "corpus" / "recordings").mkdir()
    done = command(name, tmp_path / "corpus", "--out", tmp_path / "out")
    assert done.returncode == 2
    assert done.stderr.startswith("error: ")
    assert len(done.stderr.splitlines()) == 1
    assert str(tmp_path / "corpus") in done.stderr
    assert not (tmp_path / "out").exists()


def test_bad_rows_of_a_table_are_status_1_and_the_good_ones_are_written(tmp_path):
    makers.write(tmp_path / "a.mp3", makers.said("47", 0, 22_050), 22_050)
    makers.write(tmp_path / "b.mp3", makers.said("12", 0, 22_050), 22_050)
    (tmp_path / "train.csv").write_text("filename,transcription\na.mp3,47\nb.mp3,twelf\n")
    done = command("table", tmp_path / "train.csv", "--out", tmp_path / "out")
    assert done.returncode == 1
    assert done.stderr.startswith("left out: 'twelf' is no number word")
    assert f"{tmp_path}/train.csv:3 " in done.stderr
    assert "1 utterances" in done.stdout
    assert "left out 1: text that is no number" in done.stdout
    assert [row.text for row in makers.rows_of(tmp_path / "out", "train")] == ["47"]


def test_a_good_table_is_status_0(tmp_path):
    makers.write(tmp_path / "a.wav", makers.said("47", 0), 16_000)
    (tmp_path / "train.csv").write_text("filename,transcription\na.wav,47000\n")
    done = command("table", tmp_path / "train.csv", "--out", tmp_path / "out", "--numbers-are", "cardinal")
    assert (done.returncode, done.stderr) == (0, "")
    assert [row.text for row in makers.rows_of(tmp_path / "out", "train")] == ["47*000"]
