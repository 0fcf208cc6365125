"""Training goes on from an int8 file, whose weights are all that is shipped."""

import shutil

import numpy as np
import pytest
from nemo.collections.asr.models import EncDecCTCModel
from omegaconf import OmegaConf
from test_configs import composed
from training_command import ROOT

from spoken_numbers.labels import speak
from spoken_numbers.onnx_model import OnnxModelError, open_model
from spoken_numbers.synthesis.engine import Line
from spoken_numbers.synthesis.flite import Flite
from spoken_numbers.training.int8_simulation import Int8Simulation
from spoken_numbers.training.int8_weights import load_int8_weights
from spoken_numbers.training.load import ModelError, log_probabilities

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
    for mine, files in zip(
        log_probabilities(model, waveforms), open_model(SHIPPED).log_probabilities(waveforms), strict=True
    ):
        np.testing.assert_allclose(np.exp(mine), np.exp(files), atol=0.1)  # steps that fall to the other side


def test_a_network_of_another_size_is_refused():
    with pytest.raises(ModelError, match="network of another size"):
        load_int8_weights(untrained("size=5x1_half"), SHIPPED)
    with pytest.raises(ModelError, match="network of another size"):
        load_int8_weights(untrained("frontend=mel64"), SHIPPED)


def test_a_file_that_is_no_model_is_refused(tmp_path):
    (tmp_path / "m.onnx").write_bytes(b"no model")
    with pytest.raises(OnnxModelError, match="cannot load model"):
        load_int8_weights(untrained(), tmp_path / "m.onnx")
