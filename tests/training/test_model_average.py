"""The average of models that began alike."""

import pytest
import torch
from commands import run_warm

from spoken_numbers.training.equalization import fold_batch_norm, is_folded
from spoken_numbers.training.load import load_model


@pytest.fixture(scope="module")
def tiny(trained):
    return trained / "tiny.nemo"


def changed(path, out, change):
    model = load_model(path)
    with torch.no_grad():
        change(model)
    model.save_to(str(out))
    return out


def test_weights_are_the_mean(tiny, tmp_path):
    def add(model):
        for weight in model.parameters():
            weight.add_(1.0)

    done = run_warm(
        "scripts/average_models.py", tiny, changed(tiny, tmp_path / "other.nemo", add), "--out", tmp_path / "mean.nemo"
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{tmp_path}/mean.nemo: the average of 2 models\n"
    before, after = (dict(load_model(path).named_parameters()) for path in (tiny, tmp_path / "mean.nemo"))
    for name, weight in before.items():
        torch.testing.assert_close(after[name], weight + 0.5)
    assert load_model(tmp_path / "mean.nemo").cfg.provenance.averaged == [str(tiny), str(tmp_path / "other.nemo")]


def test_with_one_that_is_folded_all_are(tiny, tmp_path):
    folded = changed(tiny, tmp_path / "folded.nemo", fold_batch_norm)
    for first, second in ((tiny, folded), (folded, tiny)):
        done = run_warm("scripts/average_models.py", first, second, "--out", tmp_path / "mean.nemo")
        assert done.returncode == 0, done.stderr
        mean = load_model(tmp_path / "mean.nemo")
        torch.testing.assert_close(mean.state_dict(), load_model(folded).state_dict())
        assert is_folded(mean.state_dict())


def test_models_that_cannot_be_averaged_are_one_line(tiny, tmp_path):
    larger = tmp_path / "larger.nemo"
    model = load_model(tiny)
    model.change_vocabulary(["a", "b"])
    model.save_to(str(larger))
    done = run_warm("scripts/average_models.py", tiny, larger, "--out", tmp_path / "mean.nemo")
    assert done.returncode == 2
    assert done.stderr.startswith(f"error: not of the kind of {tiny}")
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "mean.nemo").exists()
