"""On a disk that is full every command ends in one line, and what was there before is still there, whole."""

import subprocess
import sys
from pathlib import Path

import pytest
from commands import ROOT
from corpora.corpus_makers import said
from tone_model import tone_model
from training_command import arguments

from spoken_numbers import audio, manifest
from spoken_numbers.manifest import Utterance

NAMESPACE = ["unshare", "--map-root-user", "--mount", "sh", "-c"]
"""Where an ordinary user, too, may mount a disk of any size."""

MOUNT = "mount -t tmpfs -o size={size} tmpfs {disk}"

pytestmark = pytest.mark.skipif(
    subprocess.run([*NAMESPACE, "mount -t tmpfs tmpfs /mnt"], capture_output=True, check=False).returncode != 0,
    reason="user namespaces are not allowed here",
)


@pytest.fixture(scope="module")
def material(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("material")
    tone_model(folder / "model.onnx")
    rows = []
    for place in range(20):
        seconds = audio.write(folder / f"{place}.wav", said("123", 1).astype("float32"))
        rows.append(Utterance(f"{place}.wav", seconds, "123", speaker=str(place)))
    manifest.write(folder / "test.json", rows)
    table = [f"{place}.wav,123,{place}" for place in range(20)]
    (folder / "table.csv").write_text("\n".join(["filename,transcription,speaker", *table]) + "\n")
    (folder / "old").write_text("what was there before\n")
    return folder


@pytest.mark.parametrize(
    ("file", "command"),
    [
        ("a.fst", "-m spoken_numbers grammar {out} --digits 40 --checksum mod97"),
        ("run.json", "evaluation/evaluate.py {material}/model.onnx --manifest {material}/test.json --json {out}"),
        ("run.csv", "evaluation/evaluate.py {material}/model.onnx --manifest {material}/test.json --csv {out}"),
        ("report.html", "evaluation/evaluate.py {material}/model.onnx --manifest {material}/test.json --report {disk}"),
        ("train.json", "scripts/prepare_table.py {material}/table.csv --out {disk}"),
        ("m.onnx", "evaluation/calibrate.py {out} --manifest {material}/test.json"),
    ],
)
def test_what_was_there_stays_and_one_line_tells_why(tmp_path, material, file, command):
    disk = tmp_path / "disk"
    disk.mkdir()
    out = disk / file
    old = material / ("model.onnx" if file == "m.onnx" else "old")
    words = command.format(out=out, material=material, disk=disk).split()
    script = f"""
        {MOUNT.format(size="1m", disk=disk)} && cp {old} {out} && cat /dev/zero > {disk}/filler 2> /dev/null
        "$@"; status=$?
        cmp {old} {out} >&2
        ls -A {disk} | grep -v -e '^filler$' -e '^{file}$' >&2
        exit $status
    """
    shell = [*NAMESPACE, script, "sh", sys.executable, *words]
    done = subprocess.run(shell, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2, done.stderr
    (told,) = [line for line in done.stderr.splitlines() if "Fst::Write" not in line]  # OpenFst's own
    assert told.startswith("error: cannot write: No space left on device – ")


def on_a_small_disk(disk: Path, kilobytes: int, *words: object) -> tuple[int, str, list[str]]:
    """Run a command with so much room: its status, what it said, and what it left; then once more with enough."""
    script = f"""
        {MOUNT.format(size=f"{kilobytes}k", disk=disk)} || exit 99
        "$@" > /dev/null 2> {disk}.said; echo $? > {disk}.status
        find {disk} -type f > {disk}.left
        mount -o remount,size=64m {disk}
        "$@" && find {disk} -type f
    """
    disk.mkdir()
    command = [*NAMESPACE, script, "sh", sys.executable, *map(str, words)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    told, status, left = (Path(f"{disk}.{name}").read_text() for name in ("said", "status", "left"))
    return int(status), told, left.split()


def test_shards_on_a_full_disk_are_whole_or_not_there(tmp_path, material):
    disk = tmp_path / "disk"
    command = (
        "scripts/make_shards.py",
        material / "test.json",
        "--out",
        disk,
        "--utterances-per-shard",
        4,
        "--jobs",
        1,
    )
    status, told, left = on_a_small_disk(disk, 120, *command)
    assert (status, told.count("\n")) == (2, 1), told
    assert told.startswith("error: cannot write: No space left on device – ")
    names = sorted(Path(one).name for one in left)
    assert "recipe.json" in names
    assert "tarred_audio_manifest.json" not in names
    assert not [name for name in names if name.startswith(".")]
    assert len([name for name in names if name.endswith(".tar")]) <= len([n for n in names if n[0].isdecimal()]) + 1


@pytest.mark.slow
def test_an_export_on_a_full_disk_leaves_nothing(tmp_path, trained):
    disk = tmp_path / "disk"
    status, told, left = on_a_small_disk(
        disk, 60, "quantization/export_onnx.py", trained / "tiny.nemo", "--out", disk / "m.onnx"
    )
    assert (status, told.count("\n"), left) == (2, 1, []), told
    assert told.startswith("error: cannot write: No space left on device – ")


@pytest.mark.slow
def test_a_training_on_a_full_disk_goes_on_when_there_is_room(corpus, tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    limits = ["trainer.max_epochs=-1", "trainer.max_steps=12", "exp_manager.checkpoint_every_n_steps=4"]
    command = [sys.executable, *arguments(corpus, disk, *limits, "name=one", "exp_manager.example_utterances=0")]
    script = f"""
        {MOUNT.format(size="700k", disk=disk)} || exit 99
        "$@" 2> {tmp_path}/full; echo $? > {tmp_path}/status
        mount -o remount,size=64m {disk}
        "$@" && ls {disk}/one
    """
    done = subprocess.run([*NAMESPACE, script, "sh", *command], cwd=ROOT, capture_output=True, text=True, check=False)
    said_then = (tmp_path / "full").read_text()
    assert (tmp_path / "status").read_text() == "2\n", said_then
    assert "Traceback" not in said_then
    assert "No space left on device" in said_then.splitlines()[-1]
    assert done.returncode == 0, done.stderr
    assert "one.nemo" in done.stdout
