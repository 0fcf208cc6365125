"""Real trainings, killed, signalled, starved and fed with broken files, against undisturbed ones."""

import json
import os
import random
import shutil
import signal
import time
from pathlib import Path

import pytest
import torch
from commands import Started, run_warm
from training_command import arguments

from spoken_numbers.training.checkpoints import load, newest_usable

STEPS = 100
LIMITS = [
    "trainer.max_epochs=-1",
    f"trainer.max_steps={STEPS}",
    "trainer.check_val_every_n_epoch=null",
    "trainer.val_check_interval=25",
    "exp_manager.checkpoint_every_n_steps=3",
    "exp_manager.ema_decay=0.9",
    "model.train_ds.num_workers=1",
    f"+optim.sched.max_steps={STEPS}",
]


def wait_for_step(process: Started, checkpoints: Path, step: int) -> None:
    deadline = time.monotonic() + 240
    while process.poll() is None and time.monotonic() < deadline:
        if any(int(path.stem.split("=")[1]) >= step for path in checkpoints.glob("last-*.ckpt")):
            return
        time.sleep(0.02)
    pytest.fail(f"step {step} was never kept: {'too slow' if process.poll() is None else process.communicate()[1]}")


def loaders(process: Started) -> list[int]:
    """Its children that were forked off it."""

    def program(pid: object) -> bytes:
        return Path(f"/proc/{pid}/cmdline").read_bytes()

    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    return [int(pid) for pid in children if program(pid) == program(process.pid)]


@pytest.fixture(scope="module")
def undisturbed(corpus, tmp_path_factory) -> Path:
    exp_dir = tmp_path_factory.mktemp("undisturbed")
    done = run_warm(*arguments(corpus, exp_dir, *LIMITS, "name=one"))
    assert done.returncode == 0, done.stderr
    return exp_dir / "one"


def assert_same(folder: Path, other: Path) -> None:
    for kind in ("last", "best"):
        (one,), (two,) = ((each / "checkpoints").glob(f"{kind}-*.ckpt") for each in (folder, other))
        assert one.name == two.name
        torch.testing.assert_close(load(one)["state_dict"], load(two)["state_dict"], rtol=0, atol=0)


def test_signals_a_kill_and_a_dead_loader_change_no_bit_of_the_weights(corpus, tmp_path, undisturbed):
    command = arguments(corpus, tmp_path, *LIMITS, "name=one")
    checkpoints = tmp_path / "one" / "checkpoints"
    for step, number in ((3, signal.SIGTERM), (9, signal.SIGINT)):
        process = Started(*command)
        wait_for_step(process, checkpoints, step)
        os.killpg(process.pid, number)  # loaders, too, as terminals and SLURM do
        _, said = process.communicate(timeout=120)
        assert process.returncode == 128 + number, said
        assert said.endswith("interrupted; type the same command to go on from the last checkpoint\n")
        assert "Traceback" not in said
        assert not (tmp_path / "one" / "results.json").exists()

    process = Started(*command)
    wait_for_step(process, checkpoints, 18)
    process.kill()
    left = newest_usable(checkpoints)
    assert left is not None
    # As a kill in the middle of writing left things before files appeared whole.
    (checkpoints / "last-step=1.ckpt").write_bytes(left.read_bytes()[:1000])

    process = Started(*command)
    wait_for_step(process, checkpoints, load(left)["global_step"] + 3)
    process.send_signal(signal.SIGSTOP)
    second = run_warm(*command)
    assert (second.returncode, second.stderr.count("\n")) == (2, 1), second.stderr
    assert second.stderr.startswith("error: another process works here")
    process.send_signal(signal.SIGCONT)
    for pid in loaders(process):
        os.kill(pid, signal.SIGKILL)
    said, warned = process.communicate(timeout=240)
    assert process.returncode == 0, warned
    assert f"going on from {left}" in said
    assert "broken checkpoint passed over" in warned
    assert "warning: a loader process died after step" in warned
    assert json.loads((tmp_path / "one" / "results.json").read_text())["steps"] == STEPS
    assert_same(tmp_path / "one", undisturbed)


@pytest.mark.slow
def test_a_training_in_two_parts_ends_with_the_weights_of_one(corpus, tmp_path, undisturbed):
    for steps in (50, STEPS):  # the ninth epoch of six batches begins after 48
        done = run_warm(*arguments(corpus, tmp_path, *LIMITS, "name=one", f"trainer.max_steps={steps}"))
        assert done.returncode == 0, done.stderr
    assert_same(tmp_path / "one", undisturbed)


@pytest.mark.slow
def test_twenty_kills_at_any_time_change_no_bit_of_the_weights(corpus, tmp_path, undisturbed):
    command = arguments(corpus, tmp_path, *LIMITS, "name=one", "exp_manager.checkpoint_every_n_steps=1")
    rng = random.Random(0)
    for _ in range(20):
        process = Started(*command)
        while process.poll() is None and not (tmp_path / "one" / "config.yaml").exists():
            time.sleep(0.1)
        before = newest_usable(tmp_path / "one" / "checkpoints")
        deadline = time.monotonic() + 240
        while process.poll() is None and newest_usable(tmp_path / "one" / "checkpoints") == before:
            assert time.monotonic() < deadline
            time.sleep(rng.random() * 0.3)
        process.kill()
        assert not (tmp_path / "one" / "results.json").exists(), "ended before the twentieth kill"
    done = run_warm(*command)
    assert done.returncode == 0, done.stderr
    assert_same(tmp_path / "one", undisturbed)


def spoil(folder: Path) -> list[str]:
    """Three recordings: one gone, one garbage, one cut short."""
    files = [folder / "wav" / f"train{place}.wav" for place in range(3)]
    files[0].unlink()
    files[1].write_bytes(b"no sound")
    files[2].write_bytes(files[2].read_bytes()[:3000])
    return [str(path) for path in files]


@pytest.mark.parametrize(("share", "status"), [(0.5, 0), (0.01, 2)])
def test_recordings_lost_in_mid_training_are_named_and_left_out_while_they_are_few(corpus, tmp_path, share, status):
    shutil.copytree(corpus, tmp_path / "corpus")
    most = f"model.train_ds.max_unreadable={share}"
    process = Started(*arguments(tmp_path / "corpus", tmp_path, *LIMITS, "name=one", most))
    wait_for_step(process, tmp_path / "one" / "checkpoints", 3)
    lost = spoil(tmp_path / "corpus")
    _, said = process.communicate(timeout=240)
    assert process.returncode == status, said
    assert "Traceback" not in said
    named = [path for path in lost if f"warning: left out – {path}: " in said]
    assert named == lost or status
    assert named
    if status:
        assert "recordings left out, the last: " in said.splitlines()[-1]
        assert "– model.train_ds.max_unreadable –" in said.splitlines()[-1]
        assert newest_usable(tmp_path / "one" / "checkpoints") is not None
