"""Two processes on the CPU train as one does that gathers the gradients of two batches.

Not begun warm, as other trainings are: ranks would wait for each other for ever.
"""

import json

import pytest
import torch
from commands import run
from training_command import arguments

from spoken_numbers.corpora.shards import MANIFEST, prepare
from spoken_numbers.training.checkpoints import load

STATISTICS = ("running_mean", "running_var", "num_batches_tracked")  # of rank 0's batches alone
EXACT = [
    *("model.spec_augment=null", "frontend.dither=0", "augment=voice"),
    *("trainer.max_epochs=-1", "trainer.max_steps=5", "trainer.check_val_every_n_epoch=null"),
    "exp_manager.checkpoint_every_n_steps=2",
]


def test_two_processes_are_one_with_twice_the_batch(corpus, tmp_path):
    one = [*EXACT, "trainer.accumulate_grad_batches=2", "trainer.val_check_interval=10", "name=one"]
    two = [*EXACT, "trainer=ddp", "trainer.devices=2", "trainer.val_check_interval=5", "name=two"]
    order = ["trainer.accelerator=cpu", "trainer.precision=32-true"]
    told = []
    for overrides in (one, two):
        done = run(*arguments(corpus, tmp_path, *overrides, *order))
        assert done.returncode == 0, done.stderr
        told.append(done.stdout)
    first, second = (load(tmp_path / name / "checkpoints" / "last-step=5.ckpt") for name in ("one", "two"))
    weights = {name: value for name, value in first["state_dict"].items() if not name.endswith(STATISTICS)}
    torch.testing.assert_close({name: second["state_dict"][name] for name in weights}, weights, rtol=1e-3, atol=1e-4)
    results = [json.loads((tmp_path / name / "results.json").read_text()) for name in ("one", "two")]
    assert results[0]["steps"] == results[1]["steps"] == 5
    validated = [result["last_validation"] for result in results]
    assert (
        abs(validated[0]["loss/validation"] - validated[1]["loss/validation"]) < 0.05 * validated[0]["loss/validation"]
    )
    assert told[1].count("two.nemo: ") == 1
    assert sorted(path.name for path in (tmp_path / "two" / "checkpoints").iterdir())[-1] == "last-step=5.ckpt"
    writers = {path.name.split(".")[-2] for path in (tmp_path / "two").glob("events.out.tfevents.*")}
    assert len(writers) == 1, "one process alone writes"


@pytest.mark.slow
def test_two_processes_with_shards_learn_from_each_utterance_of_an_epoch_once(corpus, tmp_path):
    """A step is an epoch's gradient, so the batches may come in another order, but none twice and none never."""
    prepare([corpus / "train.json"], tmp_path / "shards", 7, seed=0)
    shards = [f"model.train_ds.manifest_filepath={tmp_path}/shards/{MANIFEST}", "model.train_ds.is_tarred=true"]
    limits = [*EXACT, "trainer.max_steps=3", "trainer.check_val_every_n_epoch=1", "trainer.val_check_interval=1.0"]
    one = [*limits, "trainer.accumulate_grad_batches=6", "name=one"]
    two = [*limits, *shards, "trainer=ddp", "trainer.devices=2", "trainer.accumulate_grad_batches=3", "name=two"]
    for overrides in (one, two):
        done = run(*arguments(corpus, tmp_path, *overrides, "trainer.accelerator=cpu", "trainer.precision=32-true"))
        assert done.returncode == 0, done.stderr
    first, second = (load(tmp_path / name / "checkpoints" / "last-step=3.ckpt") for name in ("one", "two"))
    weights = {name: value for name, value in first["state_dict"].items() if not name.endswith(STATISTICS)}
    torch.testing.assert_close({name: second["state_dict"][name] for name in weights}, weights, rtol=1e-3, atol=1e-4)
    results = [json.loads((tmp_path / name / "results.json").read_text()) for name in ("one", "two")]
    losses = [result["last_validation"]["loss/validation"] for result in results]
    assert losses[1] == pytest.approx(losses[0], rel=0.05)
