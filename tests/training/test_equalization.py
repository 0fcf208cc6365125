"""Batch normalisations folded for 8 bits, and given back their statistics for a longer training."""

import shutil

import pytest
import torch
from commands import run_warm
from test_int8_weights import SHIPPED, untrained
from training_command import arguments

from spoken_numbers.decoding.greedy import greedy
from spoken_numbers.labels import LABELS, speak
from spoken_numbers.synthesis.engine import Line
from spoken_numbers.synthesis.flite import Flite
from spoken_numbers.training.equalization import fold_batch_norm, is_folded, unfold_batch_norm
from spoken_numbers.training.int8_weights import load_int8_weights
from spoken_numbers.training.load import features_of_batch, load_model, log_probabilities

DIGITS = ("896867", "1167", "35402")


def said():
    voice = Flite().voices("en")[0]
    return Flite().render([Line(speak(digits, "digits").words, voice) for digits in DIGITS])


def read(model, waveforms):
    return [greedy(frames, LABELS) for frames in log_probabilities(model, waveforms)]


@pytest.mark.skipif(shutil.which("flite") is None, reason="needs flite")
def test_statistics_come_back_and_go_again_and_nothing_is_read_otherwise():
    model, waveforms = untrained(), said()
    load_int8_weights(model, SHIPPED)
    before = list(log_probabilities(model, waveforms))
    assert [greedy(frames, LABELS) for frames in before] == list(DIGITS)
    batch = tuple(torch.from_numpy(values) for values in features_of_batch(model, waveforms))
    unfold_batch_norm(model, [batch])
    assert not is_folded(model.state_dict())
    for mine, folded in zip(log_probabilities(model, waveforms), before, strict=True):
        torch.testing.assert_close(torch.from_numpy(mine), torch.from_numpy(folded), atol=0.01, rtol=0.001)
    fold_batch_norm(model)
    assert is_folded(model.state_dict())
    assert read(model, waveforms) == list(DIGITS)


@pytest.mark.skipif(shutil.which("flite") is None, reason="needs flite")
def test_what_was_measured_is_what_training_meets():
    """A batch's own statistics, by which a normalisation in training goes, are the ones that it was given."""
    model, waveforms = untrained(), said()
    load_int8_weights(model, SHIPPED)
    features, lengths = (torch.from_numpy(values) for values in features_of_batch(model, waveforms))
    with torch.no_grad():
        evaluated, _ = model.encoder(audio_signal=features, length=lengths)
        unfold_batch_norm(model, [(features, lengths)])
        model.train()
        for layer in model.modules():
            if isinstance(layer, torch.nn.Dropout):
                layer.eval()
        trained, _ = model.encoder(audio_signal=features, length=lengths)
    torch.testing.assert_close(trained, evaluated, atol=0.05, rtol=0.05)


def test_a_training_goes_on_with_normalisations_or_without(trained, corpus, tmp_path):
    folded = load_model(trained / "tiny.nemo")
    fold_batch_norm(folded)
    folded.save_to(str(tmp_path / "folded.nemo"))
    for unfold in (True, False):
        name = f"unfolded_{unfold}"
        start = [f"init_from={tmp_path / 'folded.nemo'}", f"unfold_norms={unfold}"]
        done = run_warm(*arguments(corpus, tmp_path, *start, "trainer.max_steps=3", f"name={name}"))
        assert done.returncode == 0, done.stderr
        assert is_folded(load_model(tmp_path / name / f"{name}.nemo").state_dict()) is not unfold


def test_normalisations_in_training_see_no_parts_of_one_length(corpus, tmp_path):
    done = run_warm(*arguments(corpus, tmp_path, "model.train_ds.micro_batches=2", "trainer.max_steps=3", "name=parts"))
    assert done.returncode == 2
    assert done.stderr.startswith("error: a batch normalisation would learn by the statistics of parts of one length")
    assert done.stderr.count("\n") == 1
    assert not list((tmp_path / "parts").rglob("*.ckpt"))
