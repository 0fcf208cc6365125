"""Each row of ``bad_input.yaml``: a command, the file that it is given, and its one line on stderr, to the letter."""

import runpy
import shutil
import sys
from pathlib import Path

import pytest
import yaml
from tone_model import played, tone_model

from spoken_numbers import audio

ROOT = Path(__file__).parents[1]
ROWS = yaml.safe_load((Path(__file__).parent / "bad_input.yaml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("good")
    tone_model(folder / "model.onnx")
    audio.write(folder / "good.wav", played("123").astype("float32"))
    seconds = audio.duration(folder / "good.wav")
    (folder / "good.json").write_text(f'{{"audio_filepath": "good.wav", "duration": {seconds}, "text": "123"}}\n')
    (folder / "good.csv").write_text("filename,transcription,speaker\ngood.wav,123,ann\n")
    return folder


def run(program: str) -> None:
    if program == "spoken-numbers":
        runpy.run_module("spoken_numbers", run_name="__main__")
    else:
        runpy.run_path(str(ROOT / program), run_name="__main__")


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["command"])
def test_bad_input_is_one_line_and_leaves_nothing(row, good, tmp_path, monkeypatch, capfd):
    shutil.copytree(good, tmp_path, dirs_exist_ok=True)
    for name, content in row.get("files", {}).items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    monkeypatch.chdir(tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    program, *words = row["command"].split(" ")
    monkeypatch.setattr(sys, "argv", [program, *words])
    capfd.readouterr()
    with pytest.raises(SystemExit) as ended:
        run(program)
    said = [line for line in capfd.readouterr().err.splitlines() if not line.startswith("ERROR: ")]  # OpenFst's own
    assert "\n".join(said).replace(str(tmp_path), "TMP").replace(str(ROOT), "ROOT") == row["says"]
    assert ended.value.code == row.get("status", 2)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_the_table_is_long():
    assert len(ROWS) >= 100
