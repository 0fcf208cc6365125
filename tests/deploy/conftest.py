"""A model that has learnt tones, exported: enough to quantise and to compare."""

from pathlib import Path

import pytest
from tiny_models import teach_tones, tiny_quartznet
from training_fixtures import tones

from spoken_numbers.deploy import quantize
from spoken_numbers.deploy.export import export


@pytest.fixture(scope="session")
def exported_tones(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with ``tones.nemo``, ``tones.onnx`` its features graph, ``train.json`` and ``many.json``, 1 056 rows."""
    heard = tones(tmp_path_factory.mktemp("int8"), "train", 96, 0)
    model = tiny_quartznet(blocks=[0, 1, 7], kernel=[11])
    teach_tones(model, heard)
    model.save_to(str(heard.parent / "tones.nemo"))
    export(heard.parent / "tones.nemo", heard.parent / "tones.onnx", [heard], "Apache-2.0", 16)
    (heard.parent / "many.json").write_text(heard.read_text() * 11)
    return heard.parent


@pytest.fixture(autouse=True)
def any_speed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A network of sixteen channels gains nothing from int8, and a busy machine is no fault."""
    monkeypatch.setattr(quantize, "NOT_SLOWER", 0.0)
