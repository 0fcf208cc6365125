"""Model files from strangers run nothing: each hostile file here would leave a trace if it were obeyed."""

import io
import os
import tarfile
from pathlib import Path

import pytest
import torch
from commands import run_warm
from nemo_archives import name_of, pack, sized

from spoken_numbers.training.checkpoints import load
from spoken_numbers.training.load import ModelError, load_model

WRITER = "nemo.collections.asr.parts.utils.manifest_utils.write_manifest"
"""A function that NeMo would call for a config."""


class Trap:
    """Pickled, a call; unpickled naively, a file."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> tuple[object, ...]:
        return os.mkdir, (str(self.trace),)


@pytest.mark.parametrize("mode", ["w:", "w:gz"])
def test_an_honest_archive_packed_again_loads(honest, tmp_path, mode):
    assert load_model(pack(tmp_path / "again.nemo", honest, mode=mode)).decoder.vocabulary


@pytest.mark.parametrize("forced", [False, True])
def test_weights_that_call_are_not_obeyed(honest, tmp_path, monkeypatch, forced):
    if forced:
        monkeypatch.setenv("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", "1")
    weights = io.BytesIO()
    torch.save({"weight": Trap(tmp_path / "trace")}, weights)
    hostile = honest | {name_of(honest, ".ckpt"): weights.getvalue()}
    with pytest.raises(ModelError, match="cannot load model"):
        load_model(pack(tmp_path / "hostile.nemo", hostile))
    assert not (tmp_path / "trace").exists()


@pytest.mark.parametrize("place", ["hyper_parameters", "state_dict", "callbacks"])
def test_a_checkpoint_that_calls_is_not_obeyed(trained, tmp_path, place):
    checkpoint = load(next((trained / "checkpoints").glob("last-*")))
    checkpoint[place] = dict(checkpoint[place]) | {"trap": Trap(tmp_path / "trace")}
    torch.save(checkpoint, tmp_path / "hostile.ckpt")
    with pytest.raises(ModelError, match="cannot load model"):
        load_model(tmp_path / "hostile.ckpt")
    assert not (tmp_path / "trace").exists()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"_target_: nemo.collections.asr.modules.ConvASRDecoder", b"_target_: os.mkdir\n  path: TRACE"),
        (
            b"_target_: nemo.collections.asr.modules.ConvASRDecoder",
            b"_target_: subprocess.check_call\n  args: [mkdir, TRACE]",
        ),
        (b"target: nemo.collections.asr.models.EncDecCTCModel", b"target: builtins.exec"),
        (b"target: nemo.collections.asr.models.EncDecCTCModel", b"target: antigravity.geohash"),
        (
            b"_target_: nemo.collections.asr.modules.ConvASRDecoder",
            f"_target_: {WRITER}\n  output_path: TRACE\n  target_manifest: []".encode(),
        ),
        (b"sample_rate: 16000", b"sample_rate: ${oc.env:HOME}"),
        (b"sample_rate: 16000", b"sample_rate: ${decoder.num_classes}"),
        (b"sample_rate: 16000", b"sample_rate: !!python/object/apply:os.mkdir [TRACE]"),
    ],
)
def test_a_config_that_names_other_code_is_refused(honest, tmp_path, old, new):
    trace = tmp_path / "trace"
    config = name_of(honest, "model_config.yaml")
    hostile = honest[config].replace(old, new.replace(b"TRACE", str(trace).encode()), 1)
    assert hostile != honest[config]
    with pytest.raises(ModelError, match="cannot load model"):
        load_model(pack(tmp_path / "hostile.nemo", honest | {config: hostile}))
    assert not trace.exists()


def test_a_second_config_does_not_hide_the_first(honest, tmp_path):
    config = name_of(honest, "model_config.yaml")
    with pytest.raises(ModelError, match=r"model_config\.yaml twice"):
        load_model(pack(tmp_path / "hostile.nemo", honest | {"x/model_config.yaml": honest[config]}))


def test_a_checkpoint_whose_config_names_other_code_is_refused(trained, tmp_path):
    checkpoint = load(next((trained / "checkpoints").glob("last-*")))
    cfg = checkpoint["hyper_parameters"]["cfg"]
    cfg.decoder = {"_target_": WRITER, "output_path": str(tmp_path / "trace"), "target_manifest": []}
    torch.save(checkpoint, tmp_path / "hostile.ckpt")
    with pytest.raises(ModelError, match="no part of a speech model"):
        load_model(tmp_path / "hostile.ckpt")
    assert not (tmp_path / "trace").exists()


def link(name: str, target: str, kind: bytes = tarfile.SYMTYPE) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


@pytest.mark.parametrize(
    "member",
    [
        link("out", "/etc"),
        link("out", "/etc/passwd", tarfile.LNKTYPE),
        sized("../trace", 5),
        sized("/tmp/spoken-numbers-trace", 5),
        link("fifo", "", tarfile.FIFOTYPE),
    ],
    ids=lambda info: f"{info.name}-{info.type!r}",
)
def test_an_archive_that_leads_out_is_refused(honest, tmp_path, member):
    with pytest.raises(ModelError, match="no plain file within it"):
        load_model(pack(tmp_path / "hostile.nemo", honest, member))
    assert not (tmp_path / "trace").exists()
    assert not Path("/tmp/spoken-numbers-trace").exists()


def test_a_command_says_it_in_one_line(honest, tmp_path):
    hostile = pack(tmp_path / "hostile.nemo", honest, link("out", "/etc"))
    (tmp_path / "m.json").write_text('{"audio_filepath": "a.wav", "duration": 1, "text": "1"}\n')
    done = run_warm("evaluation/evaluate.py", hostile, "--manifest", tmp_path / "m.json")
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith("error: cannot load model: UntrustedError: archive holds 'out'")
