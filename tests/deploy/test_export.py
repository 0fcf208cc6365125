"""An exported model is the model: its answers, its masks, its labels, and what is known of it."""

import runpy
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
from commands import ROOT
from commands import run_warm as run
from nemo.collections.asr.models import EncDecClassificationModel, EncDecCTCModel
from omegaconf import OmegaConf, open_dict
from tiny_models import tiny_quartznet
from training_fixtures import tones

from spoken_numbers import audio, manifest
from spoken_numbers.deploy.dynamic import dynamic_forms
from spoken_numbers.deploy.export import DisagreementError, export
from spoken_numbers.deploy.network import prepared
from spoken_numbers.deploy.network_graph import network_graph
from spoken_numbers.deploy.pair import read_pair
from spoken_numbers.deploy.quantize import quantize
from spoken_numbers.errors import UserError
from spoken_numbers.onnx_model import Metadata, OnnxModel, open_model
from spoken_numbers.training.load import ModelError, features_of_batch, load_model, log_probabilities_of_batch

LETTERS = [" ", *"abcdefghijklmnopqrstuvwxyz", "'"]
PROVENANCE = {"git_revision": "abc1234", "metrics": {"strings": 0.5}, "training_config": {"seed": 3, "name": "ё"}}


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tones(tmp_path_factory.mktemp("said"), "said", 11, 2)


@pytest.fixture(scope="module")
def waveforms(said: Path) -> list[np.ndarray]:
    noise = [np.random.default_rng(n).normal(0, 0.1, n).astype(np.float32) for n in (1600, 1601, 5000, 40000)]
    return noise + [audio.read(row.path(said)) for row in manifest.read(said)]


def saved(model: EncDecCTCModel, folder: Path) -> Path:
    model.save_to(str(folder / "model.nemo"))
    return folder / "model.nemo"


KINDS = {
    "letters": lambda: tiny_quartznet(labels=LETTERS),
    "repeats and dropout": lambda: tiny_quartznet(blocks=[0, 1, 2, 7], repeat=3, dropout=0.2, stride=[1]),
    "hardtanh": lambda: tiny_quartznet("model.encoder.activation=hardtanh", blocks=[0, 1, 6, 7]),
    "a stride in each of two blocks": lambda: tiny_quartznet(blocks=[0, 0, 7]),
    "80 bands": lambda: tiny_quartznet("frontend=nemo80", "size.epilogue=[16,24]", blocks=[0, 1, 7]),
    "relative guard": lambda: tiny_quartznet("model.relative_guard=1e-5", blocks=[0, 1, 7]),
}


@pytest.fixture(scope="module", params=KINDS)
def exported(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, said: Path) -> Path:
    """A folder with a model of a kind, exported."""
    folder = tmp_path_factory.mktemp("exported")
    model = KINDS[request.param]()
    with open_dict(model.cfg):
        model.cfg.provenance = PROVENANCE
    export(saved(model, folder), folder / "model.onnx", [said], "CC-BY-4.0", 11)
    return folder


def answers(exported: OnnxModel, model: EncDecCTCModel, batch: list[np.ndarray]) -> list[np.ndarray]:
    if exported.metadata.graph == "waveform":
        return exported.log_probabilities(batch)
    return exported.run(*features_of_batch(model, batch))


@pytest.mark.parametrize("name", ["model.onnx", "model_features.onnx"])
def test_it_answers_as_the_model_alone_and_in_unequal_batches(exported, waveforms, name):
    model, graph = load_model(exported / "model.nemo"), open_model(exported / name)
    for batch in [[one] for one in waveforms] + [waveforms]:
        expected = log_probabilities_of_batch(model, batch)
        for one, other in zip(answers(graph, model, batch), expected, strict=True):
            np.testing.assert_allclose(one, other, atol=1e-3)


@pytest.mark.parametrize("name", ["model.onnx", "model_features.onnx"])
def test_a_longer_neighbour_changes_nothing(exported, waveforms, name):
    model, graph = load_model(exported / "model.nemo"), open_model(exported / name)
    loud = np.random.default_rng(0).normal(0, 0.5, 64000).astype(np.float32)
    for waveform in waveforms:
        (alone,) = answers(graph, model, [waveform])
        together = answers(graph, model, [loud, waveform])[1]
        np.testing.assert_allclose(together, alone, atol=1e-4)


def test_its_file_says_what_a_runtime_must_know(exported):
    model, metadata = load_model(exported / "model.nemo"), open_model(exported / "model.onnx").metadata
    frontend = model.cfg.preprocessor
    assert metadata.labels == tuple(model.cfg.labels)
    assert metadata.sample_rate == 16000
    assert metadata.front_end["features"] == frontend.features
    assert metadata.front_end["hop_length"] == round(frontend.window_stride * 16000)
    second = np.zeros(16000 * 4, np.float32)
    frames = len(log_probabilities_of_batch(model, [second])[0])
    assert metadata.frame_seconds == pytest.approx(4 / frames, rel=0.02)
    assert metadata.licence == "CC-BY-4.0"
    recorded = metadata.git_revision, metadata.metrics, metadata.training_config
    assert recorded == tuple(PROVENANCE.values())
    properties = metadata.as_properties()
    assert properties["blank"] == str(len(model.cfg.labels))
    assert Metadata.from_properties(properties, "here") == metadata
    tokens = (exported / "tokens.txt").read_text(encoding="utf-8").splitlines()
    assert tokens[-1] == f"<blk> {len(model.cfg.labels)}"
    assert [line.rsplit(" ", 1)[0].replace("▁", " ") for line in tokens[:-1]] == list(model.cfg.labels)


def test_read_back_it_is_the_same_pair(exported, waveforms, tmp_path):
    model = load_model(exported / "model.nemo")
    for takes, graph in read_pair(exported / "model.onnx").graphs().items():
        onnx.save(graph, tmp_path / f"{takes}.onnx")
        again = open_model(tmp_path / f"{takes}.onnx")
        once = open_model(exported / ("model.onnx" if takes == "waveform" else "model_features.onnx"))
        assert again.metadata == once.metadata
        batch = waveforms[:3]
        for one, other in zip(answers(again, model, batch), answers(once, model, batch), strict=True):
            np.testing.assert_array_equal(one, other)
    (features,) = read_pair(exported / "model_features.onnx").graphs().values()
    assert features.SerializeToString() == onnx.load(exported / "model_features.onnx").SerializeToString()


def test_every_kind_is_quantised(exported, said, waveforms, tmp_path):
    longer = said.parent / "longer.json"
    longer.write_text(said.read_text() * 3)
    for method in ("static", "dynamic"):
        made = quantize(exported / "model.onnx", tmp_path / f"{method}.onnx", method, [longer], [], False, False)
        int8, exact = open_model(made.paths[0]), open_model(exported / "model.onnx")
        assert int8.metadata.labels == exact.metadata.labels
        for waveform in waveforms[4:]:
            (one,), (other,) = int8.log_probabilities([waveform]), exact.log_probabilities([waveform])
            assert np.sqrt(np.mean(np.square(np.exp(one) - np.exp(other)))) < 0.05


def test_every_dynamic_form_is_a_valid_graph_of_every_kind(exported):
    network = prepared(read_pair(exported / "model.onnx").network)
    for form in dynamic_forms().values():
        onnx.checker.check_model(form(network), full_check=True)


def test_nothing_is_left_behind_by_an_export_that_disagrees(said, tmp_path):
    model = tiny_quartznet(blocks=[0, 1, 7])
    model.decoder.decoder_layers[0].bias.data[3] = float("nan")  # as a training that diverged leaves it
    with pytest.raises(DisagreementError, match="utterance 1"):
        export(saved(model, tmp_path), tmp_path / "out" / "model.onnx", [said], "", 4)
    assert not [path for path in tmp_path.rglob("*") if path.suffix in (".onnx", ".txt") or "tmp" in path.name]


def test_a_graph_that_computes_a_little_else_is_refused(said, tmp_path, monkeypatch):
    def a_little_off(model):
        bias = model.decoder.decoder_layers[0].bias.data
        bias[3] += 0.01
        graph = network_graph(model)
        bias[3] -= 0.01
        return graph

    monkeypatch.setattr("spoken_numbers.deploy.export.network_graph", a_little_off)
    with pytest.raises(DisagreementError, match=r"0\.0\d+ off those of float64"):
        export(saved(tiny_quartznet(blocks=[0, 1, 7]), tmp_path), tmp_path / "model.onnx", [said], "", 4)


@pytest.mark.parametrize(
    ("override", "settings", "told"),
    [
        ("model.encoder.conv_mask=true", {"se": True}, "squeeze-and-excitation"),
        ("model.encoder.conv_mask=false", {}, "no masks"),
    ],
)
def test_layers_that_the_graph_does_not_compute_are_refused(said, tmp_path, override, settings, told):
    model = tiny_quartznet(override, blocks=[0, 1, 7], **settings)
    with pytest.raises(ModelError, match=told):
        export(saved(model, tmp_path), tmp_path / "model.onnx", [said], "")


def test_a_model_of_another_kind_is_refused(said, tmp_path):
    plain = OmegaConf.to_container(tiny_quartznet(blocks=[0, 7]).cfg)
    decoder = "nemo.collections.asr.modules.ConvASRDecoderClassification"
    plain["decoder"] = {"_target_": decoder, "feat_in": 16, "num_classes": 11}
    del plain["target"]
    other = EncDecClassificationModel(cfg=OmegaConf.create(plain))
    with pytest.raises(ModelError, match="EncDecClassificationModel is no CTC model"):
        export(saved(other, tmp_path), tmp_path / "model.onnx", [said], "")


def test_without_utterances_to_compare_on_it_says_what_to_give(tmp_path):
    with pytest.raises(UserError, match="give --manifest"):
        export(saved(tiny_quartznet(blocks=[0, 7]), tmp_path), tmp_path / "model.onnx", [], "")


def test_another_models_labels_are_not_overwritten(said, tmp_path):
    (tmp_path / "tokens.txt").write_text("да 0\n<blk> 1\n")
    with pytest.raises(UserError, match=r"tokens\.txt is another model's"):
        export(saved(tiny_quartznet(blocks=[0, 7]), tmp_path), tmp_path / "model.onnx", [said], "", 4)
    assert (tmp_path / "tokens.txt").read_text() == "да 0\n<blk> 1\n"
    assert not list(tmp_path.glob("*.onnx"))


def test_the_command_writes_three_files_and_says_how_well_they_agree(said, tmp_path):
    path = saved(tiny_quartznet(blocks=[0, 1, 7]), tmp_path)
    done = run(
        "quantization/export_onnx.py", path, "--out", tmp_path / "out" / "m.onnx", "--manifest", said, "--utterances", 5
    )
    assert done.returncode == 0, done.stderr
    assert {one.name for one in (tmp_path / "out").iterdir()} == {"m.onnx", "m_features.onnx", "tokens.txt"}
    assert done.stdout.count("agrees with PyTorch on 5 utterances") == 2


def test_a_cut_file_is_one_line_and_status_2(said, tmp_path, monkeypatch, capsys):
    path = saved(tiny_quartznet(blocks=[0, 7]), tmp_path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    arguments = ["export_onnx.py", path, "--out", tmp_path / "m.onnx", "--manifest", said]
    monkeypatch.setattr(sys, "argv", list(map(str, arguments)))
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(ROOT / "quantization" / "export_onnx.py"), run_name="__main__")
    told = capsys.readouterr().err
    assert ended.value.code == 2
    assert told.startswith("error: cannot load model")
    assert told.count("\n") == 1
    assert not list(tmp_path.glob("*.onnx"))


def test_a_missing_manifest_is_one_line_and_status_2(tmp_path):
    path = tmp_path / "model.nemo"
    path.write_bytes(b"")
    done = run("quantization/export_onnx.py", path, "--out", tmp_path / "m.onnx", "--manifest", tmp_path / "gone.json")
    assert done.returncode == 2
    assert "gone.json" in done.stderr
    assert done.stderr.count("\n") == 1
