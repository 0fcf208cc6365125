"""The real command, from configs to artefacts; ``test_faults`` has what may happen to it."""

import json
import tarfile

import numpy as np
import pytest
import torch
from commands import run_warm
from nemo.collections.asr.models import ASRModel
from onnx import numpy_helper
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from training_command import arguments

from spoken_numbers import Recognizer
from spoken_numbers.deploy.export import export
from spoken_numbers.deploy.network import prepared
from spoken_numbers.deploy.pair import read_pair
from spoken_numbers.deploy.static import quantize_static, trained_ranges
from spoken_numbers.int8 import round_weights
from spoken_numbers.training.checkpoints import load

NEMO_RESTORES = hasattr(tarfile, "data_filter")


def test_everything_ends_up_in_the_experiment_folder(trained):
    results = json.loads((trained / "results.json").read_text())
    assert results["steps"] == 18
    assert 0 <= results["best_string_accuracy"] <= 1
    assert results["git_revision"] is not None
    assert (trained / "config.yaml").read_text().count("???") == 0
    kinds = sorted(path.name.split("-")[0] for path in (trained / "checkpoints").glob("*.ckpt"))
    assert kinds == ["best", "last"]
    assert not list(trained.rglob(".*"))


@pytest.mark.skipif(not NEMO_RESTORES, reason="NeMo itself restores nothing before Python 3.11.4")
def test_plain_nemo_restores_the_model(trained):
    model = ASRModel.restore_from(str(trained / "tiny.nemo"), map_location="cpu")
    assert type(model).__module__.startswith("nemo.")
    best = load(next((trained / "checkpoints").glob("best-*")))["state_dict"]
    torch.testing.assert_close(model.state_dict(), best)


def test_tensorboard_shows_curves_readings_and_utterances(trained):
    tags: dict[str, set[str]] = {}
    for path in trained.glob("events.out.tfevents.*"):
        events = EventAccumulator(str(path))
        events.Reload()
        for kind, names in events.Tags().items():
            if isinstance(names, list):
                tags.setdefault(kind, set()).update(names)
    assert {
        "train/loss",
        "train/learning_rate",
        "string_accuracy",
        "loss/validation",
        "string_accuracy/validation",
        "digit_error_rate/validation",
        "final/string_accuracy",
    } <= tags["scalars"]
    assert "readings/validation/text_summary" in tags["tensors"]
    assert len(tags["audio"]) == len(tags["images"]) == 4
    assert any("hparams" in tag for tag in tags["tensors"]) or (trained / "hparams.yaml").exists()


def test_a_batch_in_parts_costs_what_it_costs_whole(corpus, tmp_path):
    """Of a folded model, whose normalisations know nothing of the batch."""
    losses = []
    for parts in (1, 3):
        settled = ["model.spec_augment=null", "frontend.dither=0", "augment=none", "trainer.precision=32-true"]
        steps = ["trainer.max_steps=3", "trainer.log_every_n_steps=1", f"name=in_{parts}"]
        data = [f"model.{part}_ds.manifest_filepath={corpus}/{part}.json" for part in ("train", "validation")]
        batches = ["model.train_ds.batch_size=8", f"model.train_ds.micro_batches={parts}"]
        settings = [f"exp_manager.exp_dir={tmp_path}", "quantization=none", *batches]
        done = run_warm("train_quartznet.py", "conf/quartznet_5x1_finetune.yaml", *data, *settled, *steps, *settings)
        assert done.returncode == 0, done.stderr
        events = EventAccumulator(str(tmp_path / f"in_{parts}"))
        events.Reload()
        losses.append([event.value for event in events.Scalars("train/loss")])
    assert len(losses[0]) == 3
    assert losses[1] == pytest.approx(losses[0], rel=1e-3)


def test_typed_again_there_is_nothing_to_do(trained, corpus):
    before = (trained / "tiny.nemo").stat().st_mtime_ns
    limits = ["trainer.max_epochs=3", "trainer.max_steps=-1", "name=tiny", "exp_manager.checkpoint_every_n_steps=5"]
    done = run_warm(*arguments(corpus, trained.parent, *limits))
    assert done.returncode == 0, done.stderr
    assert "already trained" in done.stdout
    assert (trained / "tiny.nemo").stat().st_mtime_ns == before


def test_another_size_in_the_same_folder_is_refused(trained, corpus):
    done = run_warm(*arguments(corpus, trained.parent, "name=tiny", "size.prologue=24", "trainer.max_steps=20"))
    assert done.returncode == 2
    assert done.stderr.startswith("error: the experiment holds another model (differs in model.encoder.jasper")
    assert done.stderr.count("\n") == 1


def test_a_model_fine_tuned_in_8_bits_becomes_an_int8_file_without_calibration(trained, corpus, tmp_path):
    begins = [f"init_from={trained / 'tiny.nemo'}", "quantization=int8", "quantization.utterances=16"]
    limits = ["trainer.max_epochs=-1", "trainer.max_steps=3", "name=int8"]
    done = run_warm(*arguments(corpus, tmp_path, *begins, *limits))
    assert done.returncode == 0, done.stderr
    model = tmp_path / "int8" / "int8.nemo"
    if NEMO_RESTORES:
        assert type(ASRModel.restore_from(str(model), map_location="cpu")).__module__.startswith("nemo.")
    export(model, tmp_path / "m.onnx", [corpus / "validation.json"], "", 8)
    pair = read_pair(tmp_path / "m.onnx")
    network = prepared(pair.network)
    ranges = trained_ranges(network, pair.metadata.trained_feature_range)
    for weight in network.graph.initializer:
        values = numpy_helper.to_array(weight)
        if values.ndim == 3 and weight.name in {node.input[1] for node in network.graph.node if node.op_type == "Conv"}:
            rounded, steps = round_weights(values)
            np.testing.assert_allclose(rounded * steps.astype(np.float32).reshape(-1, 1, 1), values, atol=1e-7)
    assert quantize_static(network, ranges).ByteSize() < network.ByteSize()


def test_who_learns_from_the_model_that_training_began_with_needs_no_labels_nor_forgets_it(trained, corpus, tmp_path):
    rows = [json.loads(line) for line in (corpus / "train.json").read_text().splitlines()]
    wrong = [{"audio_filepath": str(corpus / row["audio_filepath"]), "text": row["text"][::-1]} for row in rows]
    (tmp_path / "wrong.json").write_text(
        "".join(json.dumps({**row, **own}) + "\n" for row, own in zip(rows, wrong, strict=True))
    )
    begins = [f"init_from={trained / 'tiny.nemo'}", "quantization=int8", "quantization.utterances=16"]
    settings = [*begins, "quantization.distil=true", "trainer.max_epochs=-1", "optim.lr=0.3"]
    mislabelled = ["name=wrong", f"model.train_ds.manifest_filepath={tmp_path / 'wrong.json'}"]
    for name, steps in (["name=right"], 4), (mislabelled, 2), (mislabelled, 4):
        done = run_warm(*arguments(corpus, tmp_path, *settings, *name, f"trainer.max_steps={steps}"))
        assert done.returncode == 0, done.stderr
    assert "going on from" in done.stdout
    right, other = (
        load(next((tmp_path / name / "checkpoints").glob("last-*")))["state_dict"] for name in ("right", "wrong")
    )
    torch.testing.assert_close(other, right)


def test_the_model_that_training_began_with_teaches_what_it_reads_rightly_without_the_noise(corpus, tmp_path):
    """A folded one, which answers in training as it does when it teaches."""
    told = {}
    rows = [json.loads(line) for line in (corpus / "train.json").read_text().splitlines()]
    paths = [str(corpus / row["audio_filepath"]) for row in rows]
    readings = [transcript.label for transcript in Recognizer("models/quartznet_5x1_int8.onnx").transcribe(paths)]
    for name, more in (("right", ""), ("wrong", "7")):
        labelled = [
            {**row, "audio_filepath": path, "text": reading + more}
            for row, path, reading in zip(rows, paths, readings, strict=True)
        ]
        (tmp_path / f"{name}.json").write_text("".join(json.dumps(row) + "\n" for row in labelled))
    data = [f"model.validation_ds.manifest_filepath={corpus}/validation.json"]
    still = ["model.spec_augment=null", "frontend.dither=0", "trainer.precision=32-true", "optim.lr=0"]
    begins = [*data, *still, f"exp_manager.exp_dir={tmp_path}", "quantization=none", "trainer.log_every_n_steps=1"]
    taught = ["augment=none", "+augment.white_noise.prob=1", "model.train_ds.taught_before=white_noise"]
    for labels, name, level in (("right", "soft", -150), ("right", "loud", -10), ("wrong", "unheard", -10)):
        levels = [f"+augment.white_noise.{end}_level={level}" for end in ("min", "max")]
        labelled = f"model.train_ds.manifest_filepath={tmp_path}/{labels}.json"
        for steps in (2, 3):  # the second time it goes on
            settings = [*begins, *taught, *levels, labelled, f"name={name}", f"trainer.max_steps={steps}"]
            done = run_warm("train_quartznet.py", "conf/quartznet_5x1_finetune.yaml", *settings)
            assert done.returncode == 0, done.stderr
        assert "going on from" in done.stdout
        events = EventAccumulator(str(tmp_path / name))
        events.Reload()
        told[name] = [event.value for event in events.Scalars("train/teacher_divergence")]
    assert len(told["loud"]) == len(told["soft"]) == 3
    assert min(told["loud"]) > 10 * max(told["soft"])
    assert told["unheard"] == [0, 0, 0]


def test_with_more_steps_it_goes_on_by_the_schedule_of_all_of_them(trained, corpus, tmp_path):
    settings = [f"init_from={trained / 'tiny.nemo'}", "trainer.max_epochs=-1", "trainer.log_every_n_steps=1"]
    schedule = ["name=longer", "optim.lr=0.01", "optim.sched.warmup_steps=0", "optim.sched.min_lr=0.001"]
    for steps in (2, 4):
        done = run_warm(*arguments(corpus, tmp_path, *settings, *schedule, f"trainer.max_steps={steps}"))
        assert done.returncode == 0, done.stderr
    events = EventAccumulator(str(tmp_path / "longer"))
    events.Reload()
    rates = {event.step: event.value for event in events.Scalars("train/learning_rate")}
    assert rates[3] == pytest.approx(0.001 + 0.009 * (1 + np.cos(np.pi * 3 / 4)) / 2)


@pytest.mark.slow
def test_a_sweep_gives_each_job_a_folder_of_its_own(corpus, tmp_path):
    done = run_warm(*arguments(corpus, tmp_path, "--multirun", "trainer.max_steps=2", "name=sweep", "seed=0,1"))
    assert done.returncode == 0, done.stderr
    for job, seed in (("0", 0), ("1", 1)):
        assert f"\nseed: {seed}\n" in (tmp_path / "sweep" / job / "config.yaml").read_text()
        assert (tmp_path / "sweep" / job / f"{job}.nemo").is_file()


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (["conf/quartznet_5x2.yaml"], "error: no such config – conf/quartznet_5x2.yaml – did you mean"),
        (["conf/quickstart.yaml", "model.trian_ds.batch_size=3"], "did you mean 'model.train_ds.batch_size'?"),
        (["conf/quickstart.yaml", "optim=adam"], "Could not find 'optim/adam'"),
        (["conf/quickstart.yaml", "model.train_ds.batch_size=[3"], "cannot read setting"),
        (["conf/quickstart.yaml", "--multirum"], "unrecognized arguments: --multirum"),
        (["conf/quickstart.yaml", "seed"], "seed"),
        (["conf/quickstart.yaml", "quantization=int8"], "training in 8 bits begins with a trained model"),
    ],
)
def test_a_wrong_command_line_is_one_line_and_status_2(args, told):
    done = run_warm("train_quartznet.py", *args)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1, done.stderr
    assert done.stderr.startswith("error: ")
    assert told in done.stderr


def test_help_names_the_configs_and_cfg_job_prints_one():
    assert "quartznet_5x1_aug" in run_warm("train_quartznet.py", "--help").stdout
    printed = run_warm("train_quartznet.py", "conf/quartznet_5x1_aug.yaml", "--cfg", "job").stdout
    assert "transcode_aug" in printed
