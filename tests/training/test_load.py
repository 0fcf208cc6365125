"""Models come back from files, whole or with a reason."""

import numpy as np
import pytest
import torch
from omegaconf import open_dict

from spoken_numbers.training.load import ModelError, load_model, load_weights, log_probabilities


def test_a_checkpoint_and_its_nemo_file_read_alike(trained, corpus):
    rng = np.random.default_rng(0)
    waveforms = [rng.normal(size=n).astype(np.float32) * 0.1 for n in (8000, 16000, 12345)]
    best = next((trained / "checkpoints").glob("best-*"))
    by_file = [list(log_probabilities(load_model(path), waveforms)) for path in (best, trained / "tiny.nemo")]
    for one, other in zip(*by_file, strict=True):
        np.testing.assert_array_equal(one, other)


def test_padding_in_a_batch_changes_nothing(trained):
    model = load_model(trained / "tiny.nemo")
    rng = np.random.default_rng(0)
    waveforms = [rng.normal(size=n).astype(np.float32) * 0.1 for n in (8000, 16000, 40000)]
    together = list(log_probabilities(model, waveforms))
    for waveform, batched in zip(waveforms, together, strict=True):
        (alone,) = log_probabilities(model, [waveform])
        np.testing.assert_allclose(batched, alone, atol=1e-4)
        assert alone.shape[1] == 12
        np.testing.assert_allclose(np.exp(alone).sum(axis=1), 1, atol=1e-4)


def with_guard(share, trained, tmp_path):
    model = load_model(trained / "tiny.nemo")
    with open_dict(model.cfg):
        model.cfg.relative_guard = share
    model.save_to(str(tmp_path / "guarded.nemo"))
    return tmp_path / "guarded.nemo"


def test_a_relative_guard_comes_back_with_the_file(trained, tmp_path):
    model = load_model(with_guard(1e-5, trained, tmp_path))
    waveform = np.random.default_rng(0).normal(size=16000).astype(np.float32) * np.float32(0.1)
    waveform[4000:8000] = 0
    (as_it_is,), (quiet,) = (log_probabilities(model, [heard]) for heard in (waveform, waveform * np.float32(0.01)))
    np.testing.assert_allclose(quiet, as_it_is, atol=0.01)


@pytest.mark.parametrize("share", [0.0, 2.0, "much"])
def test_a_guard_that_is_no_share_is_refused(trained, tmp_path, share):
    with pytest.raises(ModelError, match="relative_guard"):
        load_model(with_guard(share, trained, tmp_path))


@pytest.mark.parametrize("samples", [1, 10, 200, 1000])
def test_a_click_is_read_without_complaint(trained, samples):
    (frames,) = log_probabilities(load_model(trained / "tiny.nemo"), [np.full(samples, 0.1, np.float32)])
    assert np.isfinite(frames).all()


def test_training_starts_from_given_weights_and_refuses_another_size(trained):
    model, other = load_model(trained / "tiny.nemo"), load_model(trained / "tiny.nemo")
    for parameter in model.parameters():
        torch.nn.init.zeros_(parameter)
    load_weights(model, trained / "tiny.nemo")
    torch.testing.assert_close(model.state_dict(), other.state_dict())
    other.encoder.encoder[0].mconv[0].conv.weight = torch.nn.Parameter(torch.zeros(1, 1, 1))
    with pytest.raises(ModelError, match="encoder of another size"):
        load_weights(other, trained / "tiny.nemo")


def test_a_truncated_or_foreign_file_is_a_model_error(trained, tmp_path):
    whole = (trained / "tiny.nemo").read_bytes()
    for name, content in (("cut.nemo", whole[: len(whole) // 2]), ("empty.nemo", b""), ("text.ckpt", b"hello")):
        path = tmp_path / name
        path.write_bytes(content)
        with pytest.raises(ModelError, match="cannot load model"):
            load_model(path)
    with pytest.raises(ModelError, match="no such model"):
        load_model(tmp_path / "gone.nemo")
