"""Model files from strangers take no absurd time or memory: each hostile file here is small and unfolds."""

import gzip
import io
import resource
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
import yaml
from nemo.collections.asr.models import EncDecCTCModel
from nemo_archives import name_of, pack, sized
from omegaconf import ListConfig, OmegaConf

from spoken_numbers.training.checkpoints import load
from spoken_numbers.training.load import ModelError, load_model


@pytest.fixture
def little_memory() -> Iterator[None]:
    """A gigabyte more than what is taken."""
    before = resource.getrlimit(resource.RLIMIT_AS)
    taken = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (taken + (1 << 30), before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_AS, before)


def test_the_largest_quartznet_loads(honest, tmp_path, little_memory):
    config = yaml.safe_load(honest[name_of(honest, "model_config.yaml")])
    first, block, *_, last = config["encoder"]["jasper"]
    blocks = [block | {"filters": filters, "repeat": 5, "residual": True} for filters in 6 * [256] + 9 * [512]]
    config["encoder"]["jasper"] = [first, *blocks, last | {"filters": 1024}]
    config["decoder"]["feat_in"] = 1024
    EncDecCTCModel(cfg=OmegaConf.create(config)).save_to(str(tmp_path / "large.nemo"))
    assert sum(one.numel() for one in load_model(tmp_path / "large.nemo").parameters()) > 15_000_000


def test_a_bomb_is_refused_without_unpacking_it(tmp_path):
    header = sized("bomb", 1 << 40).tobuf(tarfile.GNU_FORMAT)
    (tmp_path / "bomb.nemo").write_bytes(header + bytes(1024))
    with pytest.raises(ModelError, match="absurdly much at 'bomb'"):
        load_model(tmp_path / "bomb.nemo")


def laughs(first: str, more: str) -> bytes:
    """Ten to the eighth of what stands first."""
    return "".join(
        [f"a0: &a0 {first}\n", *(f"a{i}: &a{i} {more.format(','.join(10 * [f'*a{i - 1}']))}\n" for i in range(1, 9))]
    ).encode()


@pytest.mark.parametrize(
    ("addition", "told"),
    [
        (laughs("[x]", "[{}]"), "holds a YAML alias"),
        (laughs("{x: 1}", "{{<<: [{}]}}"), "holds a YAML alias"),
        (b"a: &a [*a]", "holds a YAML alias"),
        (b"a: [" + 60_000 * b"1," + b"]", "absurdly long"),
        (b"a: " + 2_000_000 * b"x", "absurdly long"),
        (b"a: " + 10_000 * b"[", "RecursionError"),
    ],
    ids=["aliases", "merges", "itself", "many", "long", "deep"],
)
def test_a_config_that_unfolds_is_refused_at_once(honest, tmp_path, little_memory, addition, told):
    config = name_of(honest, "model_config.yaml")
    hostile = pack(tmp_path / "hostile.nemo", honest | {config: honest[config] + b"\n" + addition})
    with pytest.raises(ModelError, match=told):
        load_model(hostile)


def test_a_checkpoint_whose_config_unfolds_is_refused_at_once(trained, tmp_path):
    checkpoint = load(next((trained / "checkpoints").glob("last-*")))
    laugh = ListConfig(["x"])
    for _ in range(8):
        outer = ListConfig([])
        outer.__dict__["_content"] = 10 * [laugh]
        laugh = outer
    checkpoint["hyper_parameters"]["cfg"].__dict__["_content"]["laugh"] = laugh
    torch.save(checkpoint, tmp_path / "hostile.ckpt")
    with pytest.raises(ModelError, match="config is absurdly long"):
        load_model(tmp_path / "hostile.ckpt")


@pytest.mark.parametrize("kind", [tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGNAME])
def test_a_header_that_expands_is_refused_before_it_does(tmp_path, little_memory, kind):
    header = sized("x", 1500 << 20)
    header.type = kind
    with gzip.open(tmp_path / "hostile.nemo", "wb", 1) as file:
        file.write(header.tobuf(tarfile.USTAR_FORMAT))
        for _ in range(64):
            file.write(bytes(1 << 20))
    with pytest.raises(ModelError, match="headers or its config are absurdly long"):
        load_model(tmp_path / "hostile.nemo")


def test_a_million_empty_members_are_refused(tmp_path):
    with gzip.open(tmp_path / "hostile.nemo", "wb", 1) as file:
        for _ in range(100):
            file.write(10_000 * sized("x", 0).tobuf())
    with pytest.raises(ModelError, match="headers or its config are absurdly long"):
        load_model(tmp_path / "hostile.nemo")


def test_a_sparse_member_is_refused(honest, tmp_path):
    sparse = sized("holes", 0)
    sparse.pax_headers = {"GNU.sparse.size": str(1 << 28), "GNU.sparse.numblocks": "0", "GNU.sparse.map": "0,0"}
    with pytest.raises(ModelError, match="'holes', which is no plain file"):
        load_model(pack(tmp_path / "hostile.nemo", honest, sparse))


def deflated(content: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, old.read(name))
    return out.getvalue()


def overlapping(content: bytes) -> bytes:
    """Its directory names every record a hundred times, at the same bytes."""
    out = io.BytesIO(content)
    with zipfile.ZipFile(out, "a") as archive:
        archive.filelist *= 100
        archive._didModify = True
    return out.getvalue()


@pytest.mark.parametrize(
    ("change", "told"), [(deflated, "weights are compressed"), (overlapping, "unfold to more than the file holds")]
)
def test_weights_that_expand_are_refused_before_they_do(trained, honest, tmp_path, little_memory, change, told):
    checkpoint = next((trained / "checkpoints").glob("last-*")).read_bytes()
    (tmp_path / "hostile.ckpt").write_bytes(change(checkpoint))
    weights = name_of(honest, ".ckpt")
    pack(tmp_path / "hostile.nemo", honest | {weights: change(honest[weights])})
    for name in ("hostile.ckpt", "hostile.nemo"):
        with pytest.raises(ModelError, match=told):
            load_model(tmp_path / name)


def test_a_checkpoint_of_objects_is_refused(tmp_path, little_memory):
    torch.save(b"x" * 5_000_000, tmp_path / "hostile.ckpt")
    with pytest.raises(ModelError, match="absurdly much besides tensors"):
        load_model(tmp_path / "hostile.ckpt")


@pytest.mark.parametrize(
    ("place", "settings", "told"),
    [
        ("encoder.jasper[1]", {"filters": 10_500, "repeat": 2}, "more than 100 million parameters"),
        ("encoder.jasper[1]", {"filters": 1, "repeat": 10**9}, "more than 100 million parameters or 10000 tensors"),
        ("decoder", {"num_classes": 10**7, "vocabulary": None}, "more than 100 million parameters"),
        ("preprocessor", {"n_fft": 1 << 40}, "n_fft 1099511627776, 65536 are plenty"),
        ("preprocessor", {"features": 10**9}, "features 1000000000, 512 are plenty"),
        ("preprocessor", {"window_size": 1e9}, "window_size 1000000000.0, 1.0 are plenty"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else "",
)
def test_a_config_of_absurd_sizes_is_refused_before_they_are_filled(
    honest, tmp_path, little_memory, place, settings, told
):
    config = OmegaConf.create(honest[name_of(honest, "model_config.yaml")].decode())
    OmegaConf.select(config, place).update(settings)
    hostile = honest | {name_of(honest, "model_config.yaml"): OmegaConf.to_yaml(config).encode()}
    with pytest.raises(ModelError, match=told):
        load_model(pack(tmp_path / "hostile.nemo", hostile))
