"""An int8 file computes in integers what the float model says, and is written only when it reads the same."""

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from commands import run_warm
from omegaconf import open_dict
from tiny_models import tiny_quartznet

from spoken_numbers import audio, manifest
from spoken_numbers.deploy.export import export
from spoken_numbers.deploy.match import Attempt
from spoken_numbers.deploy.network import prepared
from spoken_numbers.deploy.network_graph import network_graph
from spoken_numbers.deploy.quantize import NOT_SLOWER, MismatchError, QuantizeError, quantize
from spoken_numbers.deploy.run import log_probabilities_of, session_of
from spoken_numbers.deploy.static import quantize_static, trained_ranges
from spoken_numbers.onnx_model import OnnxModelError, open_model
from spoken_numbers.training.equalization import equalize, is_equalizable
from spoken_numbers.training.int8_simulation import Int8Simulation, settle_weights
from spoken_numbers.training.int8_weights import load_int8_weights
from spoken_numbers.training.load import features_of_batch, load_model, log_probabilities_of_batch


@pytest.fixture
def exported(exported_tones):
    return exported_tones


@pytest.fixture(scope="module")
def waveforms(exported_tones):
    heard = exported_tones / "train.json"
    return [audio.read(row.path(heard)) for row in manifest.read(heard)]


def quantized(
    exported, out, method="static", calibration=True, check="many.json", accept=False, told=lambda _: None, largest=None
):
    few = [exported / "train.json"] if calibration else []
    checked = [exported / check] if check else []
    return quantize(exported / "tones.onnx", exported / out, method, few, checked, bool(check), accept, told, largest)


def test_equalising_changes_no_log_probability_and_lets_every_channel_reach_one(waveforms):
    model = tiny_quartznet()
    assert is_equalizable(model)
    before = log_probabilities_of_batch(model, waveforms[:4])
    batch = [torch.from_numpy(part) for part in features_of_batch(model, waveforms[:4])]
    names = list(model.state_dict())
    equalize(model, [tuple(batch)])
    assert list(model.state_dict()) == names
    reached = []
    hooks = [
        block.register_forward_hook(lambda *call: reached.append(call[2][0][0])) for block in model.encoder.encoder
    ]
    after = log_probabilities_of_batch(model, waveforms[:4])
    for hook in hooks:
        hook.remove()
    for one, other in zip(before, after, strict=True):
        assert np.abs(one - other).max() < 1e-3
    for activation in reached:
        largest = activation.amax(dim=(0, 2))
        assert torch.all((largest < 1.001) & ((largest > 0.999) | (largest < 1e-4)))


def test_training_simulates_what_the_int8_graph_computes(exported, waveforms):
    model = load_model(exported / "tones.nemo")
    features, frames = features_of_batch(model, waveforms[:8])
    equalize(model, [(torch.from_numpy(features), torch.from_numpy(frames))])
    settle_weights(model)
    network = prepared(network_graph(model))
    int8 = quantize_static(network, trained_ranges(network, 5.0))
    utterances = [features_of_batch(model, [waveform]) for waveform in waveforms[:8]]
    exact = list(log_probabilities_of(network, utterances))
    graph = list(log_probabilities_of(int8, utterances))
    simulation = Int8Simulation(model, 5.0)
    simulated = log_probabilities_of_batch(model, waveforms[:8])
    with simulation.off():
        unrounded = log_probabilities_of_batch(model, waveforms[:8])

    def apart(some, others):
        pairs = zip(some, others, strict=True)
        return np.sqrt(np.mean(np.concatenate([np.square(np.exp(a) - np.exp(b)).ravel() for a, b in pairs])))

    assert apart(unrounded, exact) < 1e-5
    assert apart(simulated, graph) < apart(exact, graph) / 2


def test_a_training_goes_on_from_the_very_weights_that_a_file_was_made_of(exported, waveforms, tmp_path):
    model = load_model(exported / "tones.nemo")
    equalize(model, [tuple(torch.from_numpy(part) for part in features_of_batch(model, waveforms[:8]))])
    settle_weights(model)
    with open_dict(model.cfg):
        model.cfg.quantization = {"features": 5.0}
    model.save_to(str(tmp_path / "settled.nemo"))
    export(tmp_path / "settled.nemo", tmp_path / "settled.onnx", [exported / "train.json"], "Apache-2.0", 16)
    file = tmp_path / "settled_int8.onnx"
    quantize(tmp_path / "settled.onnx", file, "static", [exported / "train.json"], [], False, False)
    loaded = load_model(exported / "tones.nemo")
    load_int8_weights(loaded, file)
    for name, value in model.state_dict().items():
        torch.testing.assert_close(loaded.state_dict()[name], value, rtol=1e-6, atol=1e-7, msg=name)


def test_static_int8_computes_in_integers_and_masks_what_pads_a_batch(exported, waveforms, tmp_path):
    made = quantized(exported, "masked.onnx", check=None)
    options = session_of(onnx.load(made.paths[1])).get_session_options()
    options.optimized_model_filepath = str(tmp_path / "optimized.onnx")
    onnxruntime.InferenceSession(str(made.paths[1]), options, providers=["CPUExecutionProvider"])
    kinds = [node.op_type for node in onnx.load(tmp_path / "optimized.onnx").graph.node]
    assert kinds.count("QLinearConv") >= 4
    assert kinds.count("Conv") == 1
    model = open_model(made.paths[0])
    short, long = waveforms[0][:12000], np.concatenate(waveforms[:4])
    (alone,) = model.log_probabilities([short])
    together = model.log_probabilities([short, long])[0]
    assert np.abs(alone - together).max() < 1e-4


@pytest.mark.slow
def test_no_file_is_left_when_some_strings_differ_unless_that_is_accepted(exported):
    tried: list[Attempt] = []
    with pytest.raises(MismatchError, match=r"\d+ strings differ"):
        quantized(exported, "differs.onnx", told=tried.append)
    assert [attempt.form for attempt in tried[:4]] == ["minmax", "percentile 99.999", "percentile 99.99", "entropy"]
    assert not list(exported.glob("*differs*"))


@pytest.mark.parametrize("method", ["static", "dynamic"])
def test_a_file_is_written_when_every_string_is_read_as_in_float(exported, method):
    accepted = quantized(exported, f"{method}_accepted.onnx", method, accept=True)
    said = open_model(accepted.paths[0]).metadata.quantization
    differing = len(accepted.chosen.differing or ())
    assert said["differing"] == differing
    assert said["drift"] == pytest.approx(accepted.chosen.drift, abs=1e-5)
    fast = [one for one in accepted.attempts if one.speed >= NOT_SLOWER]
    small = [one for one in fast if one.size < 1.01 * min(other.size for other in fast)]
    as_good = [one.drift for one in small if len(one.differing or ()) == differing]
    assert accepted.chosen.drift == min(as_good)
    rows = (exported / "many.json").read_text().splitlines(keepends=True)
    differing = {index for attempt in accepted.attempts for index in attempt.differing or ()}
    same = [row for index, row in enumerate(rows) if index not in differing]
    assert same
    (exported / "same.json").write_text("".join((same * 1000)[:1000]))
    made = quantized(exported, f"{method}.onnx", method, check="same.json")
    assert not made.chosen.differing
    assert made.compared == 1000
    said = open_model(made.paths[0]).metadata.quantization
    assert (said["method"], said["differing"], said["compared"]) == (method, 0, 1000)


@pytest.mark.slow
def test_what_differs_least_is_written_of_all_that_is_small_enough(exported):
    made = quantized(exported, "bounded.onnx", accept=True, largest=10**9)
    assert len(made.attempts) > 5
    fast = [len(one.differing or ()) for one in made.attempts if one.speed >= NOT_SLOWER]
    assert len(made.chosen.differing or ()) == min(fast) < max(fast)


@pytest.mark.parametrize("method", ["static", "dynamic"])
def test_no_larger_form_is_written_than_is_allowed(exported, method):
    few, out = [exported / "train.json"], exported / "small_int8.onnx"
    free = quantize(exported / "tones.onnx", out, method, few, [], False, False)
    smallest = min(one.size for one in free.attempts)
    made = quantize(exported / "tones.onnx", out, method, few, [], False, False, largest=smallest)
    assert made.chosen.size == smallest
    assert all(one.size <= smallest for one in made.attempts)
    out.unlink()
    with pytest.raises(QuantizeError, match="no int8 form is so small"):
        quantize(exported / "tones.onnx", out, method, few, [], False, False, largest=smallest - 1)
    assert not out.exists()


def test_dynamic_needs_no_data(exported):
    assert quantized(exported, "alone.onnx", "dynamic", calibration=False, check=None).paths[0].is_file()


def test_what_cannot_be_quantised_is_refused(exported, tmp_path):
    three = tmp_path / "three.json"
    three.write_text("\n".join((exported / "train.json").read_text().splitlines()[:3]) + "\n")
    for name in ("wav", "train"):
        if (exported / name).exists():
            (tmp_path / name).symlink_to(exported / name)
    out, waveform = tmp_path / "out.onnx", exported / "tones.onnx"
    with pytest.raises(QuantizeError, match="3 utterances to calibrate on, 32 are needed"):
        quantize(waveform, out, "static", [three], [], False, False)
    with pytest.raises(QuantizeError, match="3 utterances to check on, 1000 are needed"):
        quantize(waveform, out, "static", [exported / "train.json"], [three], True, False)
    with pytest.raises(QuantizeError, match="nothing to calibrate on"):
        quantize(waveform, out, "static", [], [], False, False)
    with pytest.raises(QuantizeError, match="takes features"):
        quantize(exported / "tones_features.onnx", out, "static", [exported / "train.json"], [], False, False)
    truncated = tmp_path / "truncated.onnx"
    truncated.write_bytes(waveform.read_bytes()[:5000])
    bare = onnx.load(waveform)
    del bare.metadata_props[:]
    onnx.save(bare, tmp_path / "bare.onnx")
    for broken in (truncated, tmp_path / "bare.onnx"):
        with pytest.raises(OnnxModelError):
            quantize(broken, out, "dynamic", [], [], False, False)
    once = quantized(exported, "once.onnx", "dynamic", calibration=False, check=None).paths[0]
    with pytest.raises(QuantizeError, match="quantised already"):
        quantize(once, out, "dynamic", [], [], False, False)
    assert not list(tmp_path.glob("out*"))


def test_the_command_says_what_it_tried_and_fails_where_strings_differ(exported, tmp_path):
    given = ["--method", "static", "--calibration", exported / "many.json"]
    done = run_warm("quantization/quantize.py", exported / "tones.onnx", "--out", tmp_path / "out.onnx", *given)
    assert done.stdout.startswith("tried minmax: ")
    if done.returncode == 0:  # some machine may match
        assert "of 1056 digit strings as float32" in done.stdout
    else:
        assert done.returncode == 2
        assert done.stderr.startswith("error: ")
        assert done.stderr.count("\n") == 1
        assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["gone.onnx", "--out", "x.onnx", "--method", "static"], "file 'gone.onnx' does not exist"),
        (["README.md", "--out", "x.onnx", "--method", "static"], "README.md"),
        (["README.md", "--out", "x.onnx", "--method", "fp4"], "'fp4' is not one of 'static', 'dynamic'"),
        (["README.md", "--out", "x.onnx"], "Missing option '--method'"),
    ],
)
def test_a_wrong_command_is_one_line_and_status_2(arguments, told):
    done = run_warm("quantization/quantize.py", *arguments)
    assert done.returncode == 2
    assert done.stderr.startswith("error: ")
    assert told in done.stderr
    assert done.stderr.count("\n") == 1
