"""Training goes on from an int8 file, whose weights are all that is shipped."""

import shutil

import numpy as np
import onnx
import pytest
import torch
from commands import ROOT, run_warm
from nemo.collections.asr.models import EncDecCTCModel
from omegaconf import OmegaConf
from onnx import numpy_helper
from test_configs import composed

from spoken_numbers.decoding.greedy import greedy
from spoken_numbers.int8 import round_weights
from spoken_numbers.labels import LABELS, speak
from spoken_numbers.onnx_model import OnnxModelError, open_model
from spoken_numbers.synthesis.engine import Line
from spoken_numbers.synthesis.flite import Flite
from spoken_numbers.training.equalization import is_folded
from spoken_numbers.training.int8_simulation import Int8Simulation, rounded_together
from spoken_numbers.training.int8_weights import load_int8_weights
from spoken_numbers.training.load import ModelError, load_model, log_probabilities

SHIPPED = ROOT / "models" / "quartznet_5x1_int8.onnx"


def untrained(*overrides: str) -> EncDecCTCModel:
    cfg = OmegaConf.to_container(composed("quartznet_5x1_finetune", *overrides), resolve=True)["model"]
    model = EncDecCTCModel(cfg=OmegaConf.create({k: v for k, v in cfg.items() if not k.endswith("_ds")}))
    return model.eval()


@pytest.mark.skipif(shutil.which("flite") is None, reason="needs flite")
@pytest.mark.parametrize("name", ["quartznet_5x1_int8", "quartznet_5x1_int8_features"])
def test_it_computes_what_the_file_does(name):
    voice = Flite().voices("en")[0]
    said = [speak(number, style).words for number in ("896867", "1167") for style in ("digits", "cardinal")]
    waveforms = Flite().render([Line(words, voice) for words in said])
    model = untrained()
    load_int8_weights(model, SHIPPED.with_name(f"{name}.onnx"))
    Int8Simulation(model, 5.0)
    apart = []
    for mine, files in zip(
        log_probabilities(model, waveforms), open_model(SHIPPED).log_probabilities(waveforms), strict=True
    ):
        assert greedy(mine, LABELS) == greedy(files, LABELS)
        apart.append(np.abs(np.exp(mine) - np.exp(files)).mean(axis=1))
        # Steps that fall to the other side move log-probabilities by 1 to 3, a block whose biases are lost by 6 to 20.
        assert np.median(np.abs(mine - files)) < 4
    assert np.quantile(np.concatenate(apart), 0.9) < 1e-3  # a step may fall to the other side in some frames


def test_rounded_again_its_weights_are_the_integers_of_the_file():
    model = untrained()
    load_int8_weights(model, SHIPPED)
    weights = [numpy_helper.to_array(one) for one in onnx.load(SHIPPED).graph.initializer]
    there = {weight.tobytes() for weight in weights if weight.ndim == 3}
    together = rounded_together(model)
    assert len(together) == 16
    for convolutions in together:
        weight = torch.cat([one.weight for one in convolutions], dim=1).detach().numpy()
        integers, steps = round_weights(weight)
        if integers.tobytes() in there:
            np.testing.assert_array_equal(integers * steps.astype(np.float32).reshape(-1, 1, 1), weight)
        else:  # it computes in float32
            assert weight.astype(np.float16).tobytes() in there
            np.testing.assert_array_equal(weight.astype(np.float16), weight)


def test_a_network_of_another_size_is_refused():
    with pytest.raises(ModelError, match="network of another size"):
        load_int8_weights(untrained("size=5x1_half"), SHIPPED)
    with pytest.raises(ModelError, match="network of another size"):
        load_int8_weights(untrained("frontend=mel64"), SHIPPED)


def test_a_file_that_is_no_model_is_refused(tmp_path):
    (tmp_path / "m.onnx").write_bytes(b"no model")
    with pytest.raises(OnnxModelError, match="cannot load model"):
        load_int8_weights(untrained(), tmp_path / "m.onnx")


@pytest.mark.parametrize("quantization", ["none", "int8"])
def test_training_goes_on_from_it_and_after_a_stop_leaves_normalisations_alone(corpus, tmp_path, quantization):
    few = ["model.train_ds.batch_size=4", "exp_manager.checkpoint_every_n_steps=1", "trainer.precision=32-true"]
    data = [f"model.{part}_ds.manifest_filepath={corpus}/{part}.json" for part in ("train", "validation")]
    name = [f"exp_manager.exp_dir={tmp_path}", "name=on", f"quantization={quantization}"]
    command = ["train_quartznet.py", "conf/quartznet_5x1_finetune.yaml", *data, *few, *name]
    for steps in (1, 2):
        done = run_warm(*command, f"trainer.max_steps={steps}", "optim.sched.warmup_steps=0")
        assert done.returncode == 0, done.stderr
    assert "going on from" in done.stdout
    state = load_model(tmp_path / "on" / "on.nemo").state_dict()
    assert is_folded(state)
    start = untrained()
    load_int8_weights(start, SHIPPED)
    moved = [name for name, value in start.state_dict().items() if not torch.equal(value, state[name])]
    assert any(name.endswith("conv.weight") for name in moved)
    assert not any("running" in name for name in moved)


def test_a_model_that_was_never_trained_is_not_taken_for_a_folded_one():
    assert not is_folded(untrained().state_dict())
