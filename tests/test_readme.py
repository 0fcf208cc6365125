"""The README's steps, run as they stand there, on small numbers."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from commands import ROOT
from training_command import TINY

README = (ROOT / "README.md").read_text()
USE = README.split("## Use it")[1].split("\n## ")[0]
KNOWN = README.split("## Tell it what you know")[1].split("\n## ")[0]
STEPS = README.split("## Train on your own recordings")[1].split("\n## ")[0]
SHIP = README.split("## Ship it in 2 MB")[1].split("\n## ")[0]
RESULTS = README.split("## Results")[1].split("\n## ")[0]
AUGMENTATION = README.split("## Augmentation")[1].split("\n## ")[0]
FOLDERS = ("models", "scripts", "quantization", "evaluation", "benchmarks", "conf", "train_quartznet.py")
SMALLER = {
    "--utterances 12000": "--utterances 40 --validation-utterances 8 --test-utterances 4",
    "--strings-per-speaker 2000": "--strings-per-speaker 5 --test-strings-per-speaker 5",
    "--method static": "--method static --no-match",
    "simulate_rooms.py": "simulate_rooms.py --rooms 4 --positions 1",
    "--copies 4": "--copies 1",
    "trainer.val_check_interval=500": "trainer.val_check_interval=2",
}


def commands(text: str) -> list[str]:
    blocks = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
    lines = re.sub(r"\\\n\s*", "", "\n".join(blocks)).splitlines()
    return [line.split("  #")[0].strip() for line in lines if line.strip()]


def run_as_written(text: str, folder: Path, *overrides: str) -> str:
    """Run a section's commands in ``folder``, with fewer utterances and a tiny model; the last one's output."""
    for name in FOLDERS:
        (folder / name).symlink_to(ROOT / name)
    for command in commands(text):
        if command.startswith("tensorboard"):
            assert list(folder.glob("experiments/*/events.out.tfevents.*"))
            continue
        for large, small in SMALLER.items():
            command = command.replace(large, small)
        words = shlex.split(os.path.expandvars(command))
        if "conf/quartznet_5x1_finetune.yaml" in words:  # of the shipped model's size
            words += [*overrides, "model.train_ds.batch_size=4"]
        elif "train_quartznet.py" in words:
            words += [*TINY, *overrides]
        program = ["-m", "spoken_numbers"] if words[0] == "spoken-numbers" else []
        done = subprocess.run(
            [sys.executable, *program, *words[1:]], cwd=folder, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    return done.stdout


needs_speech = pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="needs espeak-ng")


@pytest.mark.timeout(900)  # a dozen commands, most of which import NeMo
@needs_speech
def test_the_steps_lead_from_a_table_to_an_int8_file_that_transcribes(tmp_path):
    (tmp_path / "calls").mkdir()
    table = re.search(r"```\n( *filename,.*?)```", STEPS, re.DOTALL)
    assert table
    (tmp_path / "recordings.csv").write_text(re.sub(r"^ +", "", table[1], flags=re.MULTILINE))
    for path, words in (("calls/0001.mp3", "one eight three zero three seven"), ("calls/0002.wav", "1 8 3 0 3 7")):
        spoken = tmp_path / "spoken.wav"
        subprocess.run(["espeak-ng", "-w", spoken, words], check=True)
        waveform, rate = soundfile.read(spoken, dtype="float32")
        soundfile.write(tmp_path / path, np.append(waveform, np.zeros(rate // 4, np.float32)), rate)
    assert run_as_written(STEPS + SHIP, tmp_path, "trainer.max_epochs=1").endswith("\tcalls/0001.mp3\n")


@needs_speech
def test_the_shipped_model_is_used_as_the_readme_says(tmp_path):
    subprocess.run(["espeak-ng", "-w", tmp_path / "RECORDING.wav", "eight nine six"], check=True)
    (tmp_path / "models").symlink_to(ROOT / "models")
    install, use = commands(USE)
    assert install.split()[-3:] == ["-r", "requirements-runtime.txt", "."]
    done = subprocess.run(
        [sys.executable, "-m", *use.replace("-", "_", 1).split()],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert re.fullmatch(r"896\t.*RECORDING\.wav\n", done.stdout)


@pytest.mark.slow
@pytest.mark.timeout(1200)
@needs_speech
@pytest.mark.skipif("SPOKEN_NUMBERS_CORPORA" not in os.environ, reason="needs SPOKEN_NUMBERS_CORPORA")
def test_the_results_commands_run_on_the_real_corpora(tmp_path):
    told = run_as_written(RESULTS, tmp_path, "trainer.max_steps=4")
    assert all(f"data/{name}/test.json" in told for name in ("synthetic", "an4", "fsdd"))
    for name in FOLDERS:
        (tmp_path / name).unlink()
    table = run_as_written(AUGMENTATION, tmp_path, "trainer.max_steps=4")
    assert all(
        f"| {condition} |" in table
        for condition in ("clean", "noise noise 0 dB", "room measured_rooms", "codec alaw,mulaw")
    )
    assert (tmp_path / "audition" / "spectrograms.png").is_file()


def test_every_other_command_of_the_readme_is_a_target_of_make():
    makefile = (ROOT / "Makefile").read_text()
    rest = README
    for tested in (USE, KNOWN, STEPS, SHIP, RESULTS, AUGMENTATION):
        rest = rest.replace(tested, "")
    for command in commands(rest):
        assert re.match(r"make (\S+)", command), command
        assert f"\n{command.split()[1]}:" in makefile
