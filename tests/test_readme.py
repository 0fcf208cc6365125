"""The README's five steps, run as they stand there, on small numbers."""

import re
import shlex
import shutil
import subprocess
import sys

import numpy as np
import pytest
import soundfile
from training_command import ROOT, TINY

README = (ROOT / "README.md").read_text()
STEPS = README.split("## Train on your own recordings")[1].split("\n## ")[0]
SMALLER = {"--utterances 12000": "--utterances 40 --validation-utterances 8 --test-utterances 4"}


def commands(text: str) -> list[str]:
    blocks = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
    lines = re.sub(r"\\\n\s*", "", "\n".join(blocks)).splitlines()
    return [line.split("  #")[0].strip() for line in lines if line.strip()]


@pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="needs espeak-ng")
def test_the_five_steps_lead_from_a_table_to_a_transcription(tmp_path):
    for name in ("scripts", "evaluation", "conf", "train_quartznet.py"):
        (tmp_path / name).symlink_to(ROOT / name)
    (tmp_path / "calls").mkdir()
    table = re.search(r"```\n( *filename,.*?)```", STEPS, re.DOTALL)
    assert table
    (tmp_path / "recordings.csv").write_text(re.sub(r"^ +", "", table[1], flags=re.MULTILINE))
    for path, words in (("calls/0001.mp3", "one eight three zero three seven"), ("calls/0002.wav", "1 8 3 0 3 7")):
        spoken = tmp_path / "spoken.wav"
        subprocess.run(["espeak-ng", "-w", spoken, words], check=True)
        waveform, rate = soundfile.read(spoken, dtype="float32")
        soundfile.write(tmp_path / path, np.append(waveform, np.zeros(rate // 4, np.float32)), rate)

    run = commands(STEPS)
    assert len(run) == 7
    for command in run:
        if command.startswith("tensorboard"):
            assert list(tmp_path.glob("experiments/*/events.out.tfevents.*"))
            continue
        for large, small in SMALLER.items():
            command = command.replace(large, small)
        words = shlex.split(command)
        if "train_quartznet.py" in words:
            words += [*TINY, "trainer.max_epochs=1"]
        done = subprocess.run([sys.executable, *words[1:]], cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    assert done.stdout.endswith("\tcalls/0001.mp3\n")


def test_every_command_of_the_readme_is_run_here_or_by_make():
    makefile = (ROOT / "Makefile").read_text()
    for command in commands(README.replace(STEPS, "")):
        verb = command.split()[0]
        if verb == "make":
            assert f"\n{command.split()[1]}:" in makefile
        else:
            assert command in REAL_INPUT, command


REAL_INPUT = {
    # Run by hand for the results, since they need the corpora; their flags are those of commands tested elsewhere.
    command
    for command in commands(README.split("## Results")[1].split("\n## ")[0] if "## Results" in README else "")
}
