"""A sweep by the real command: stopped, gone on with, told of."""

import signal
import time
from pathlib import Path

import pytest
from commands import ROOT, Started, run, run_warm
from training_command import TINY

from spoken_numbers.training.sweep import finished_study

SUMMARY = ROOT / "evaluation" / "sweep_summary.py"


def sweep(corpus: Path, exp_dir: Path, trials: int, *overrides: str, name: str = "s") -> list[str]:
    return [
        *("train_quartznet.py", "conf/quickstart_sweep.yaml", "--multirun"),
        *(setting for setting in TINY if "widths" not in setting),
        f"model.train_ds.manifest_filepath={corpus}/train.json",
        f"model.validation_ds.manifest_filepath={corpus}/validation.json",
        f"exp_manager.exp_dir={exp_dir}",
        f"name={name}",
        "size.widths=choice([16,16,16,16,16],[8,8,8,8,8])",
        "trainer.check_val_every_n_epoch=null",
        "trainer.val_check_interval=4",
        "trainer.max_steps=12",
        "exp_manager.checkpoint_every_n_steps=2",
        f"hydra.sweeper.n_trials={trials}",
        "hydra.sweeper.startup_trials=1",
        *overrides,
    ]


def settings(folder: Path) -> list[tuple[int, dict[str, object], float]]:
    return [(trial.number, trial.params, trial.value) for trial in finished_study(folder).get_trials()]


@pytest.mark.slow
def test_a_sweep_killed_in_mid_trial_goes_on_with_that_trial(corpus, tmp_path):
    stopped = sweep(corpus, tmp_path, 3)
    process = Started(*stopped)
    while process.poll() is None and not list((tmp_path / "s" / "1" / "checkpoints").glob("last-*.ckpt")):
        time.sleep(0.05)
    process.kill()
    told, _ = process.communicate()
    assert "\ntrial 0: " in f"\n{told}"
    assert "trial 1: " not in told
    before = settings(tmp_path / "s")
    assert len(before) == 2

    done = run_warm(*stopped)
    assert done.returncode == 0, done.stderr
    assert f"going on from {tmp_path}/s/1/checkpoints/last" in done.stdout
    trials = settings(tmp_path / "s")
    assert [number for number, _, _ in trials] == [0, 1, 2]
    assert [trial[1] for trial in trials[:2]] == [trial[1] for trial in before]
    assert all((tmp_path / "s" / str(number) / f"{number}.nemo").is_file() for number in range(3))
    config = (tmp_path / "s" / "2" / "config.yaml").read_text()
    assert f"lr: {trials[2][1]['optim.lr']}\n" in config
    assert config.count(f"prob: {trials[2][1]['augment.speed.prob']}\n") >= 3

    again = run_warm(*stopped)
    assert (again.returncode, again.stdout) == (
        0,
        f"{tmp_path}/s: all 3 trials are there; raise hydra.sweeper.n_trials for more\n",
    )
    assert settings(tmp_path / "s") == trials

    summary = run(SUMMARY, tmp_path / "s")
    assert summary.returncode == 0, summary.stderr
    assert summary.stdout.count("\n| ") == 4 - 1
    for name in ("history", "settings"):
        assert f"{tmp_path}/s/sweep_{name}.svg" in summary.stdout
        assert "</svg>" in (tmp_path / "s" / f"sweep_{name}.svg").read_text()


def test_a_sweep_of_other_settings_is_not_mixed_in(corpus, tmp_path):
    (tmp_path / "s").mkdir()
    assert run_warm(*sweep(corpus, tmp_path, 0)).returncode == 0
    done = run_warm(*sweep(corpus, tmp_path, 0, "trainer.max_steps=13"))
    assert done.returncode == 2
    assert done.stderr.startswith("error: folder was made with other options: trainer.max_steps was 12, now 13 – ")
    assert done.stderr.count("\n") == 1


def test_a_second_sweep_of_the_same_folder_is_refused(corpus, tmp_path):
    command = sweep(corpus, tmp_path, 1)
    first = Started(*command)
    try:
        while first.poll() is None and not (tmp_path / "s" / "study.db").exists():
            time.sleep(0.05)
        first.send_signal(signal.SIGSTOP)
        second = run_warm(*command)
    finally:
        first.kill()
    assert (second.returncode, second.stdout) == (2, "")
    assert (
        second.stderr == f"error: another process works here – {tmp_path}/s – wait for it, or choose another folder\n"
    )


@pytest.mark.parametrize("there", ["nothing", "no trial"])
def test_a_folder_without_a_sweep_is_one_line(corpus, tmp_path, there):
    if there == "no trial":
        assert run_warm(*sweep(corpus, tmp_path, 0)).returncode == 0
    done = run(SUMMARY, tmp_path / "s")
    assert done.returncode == 2
    assert done.stderr.startswith(f"error: no {'trial' if there == 'no trial' else 'sweep'}")
    assert done.stderr.count("\n") == 1
