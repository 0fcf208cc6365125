"""Models side by side: each figure is the model's own, and a recording that cannot be read is named."""

import json

import pytest
from commands import run_warm as run

from spoken_numbers import manifest
from spoken_numbers.deploy.compare import compare, table
from spoken_numbers.deploy.quantize import quantize
from spoken_numbers.errors import UserError


@pytest.fixture(scope="module")
def models(exported_tones, tmp_path_factory):
    int8 = tmp_path_factory.mktemp("compared") / "tones_int8.onnx"
    quantize(exported_tones / "tones.onnx", int8, "static", [exported_tones / "train.json"], [], False, False)
    return [exported_tones / "tones.onnx", int8]


@pytest.mark.slow
def test_any_kind_of_model_is_compared_with_the_first(exported_tones, models, tmp_path):
    rows = (exported_tones / "train.json").read_text().splitlines()[:12]
    broken = dict(json.loads(rows[0]), audio_filepath="wav/broken.wav")
    (exported_tones / "wav" / "broken.wav").write_bytes(b"RIFF nothing")
    some = exported_tones / "some.json"
    some.write_text("\n".join([*rows, json.dumps(broken)]) + "\n")
    out = tmp_path / "comparison.json"
    done = run("quantization/compare.py", exported_tones / "tones.nemo", *models, "--manifest", some, "--json", out)
    assert done.returncode == 1, done.stderr
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("left out: ")
    assert "broken.wav" in done.stderr
    nemo, fp32, int8 = (said := json.loads(out.read_text()))["models"]
    assert len(said["left_out"]) == 1
    assert nemo["largest_difference"] == nemo["strings_that_differ"] == fp32["strings_that_differ"] == 0
    assert 0 < fp32["largest_difference"] < 1e-3 < int8["largest_difference"]
    assert nemo["peak_memory_bytes"] > fp32["peak_memory_bytes"] > 1e7
    for one, path in zip(said["models"], [exported_tones / "tones.nemo", *models], strict=True):
        assert (one["strings"], one["size_bytes"]) == (12, path.stat().st_size)
        for threads in ("one_thread", "all_threads"):
            assert 0 < one[threads]["median_ms"] <= one[threads]["p95_ms"]
        assert f"`{path.name}`" in done.stdout
    assert f"[{nemo['strings_right']}/12]" in done.stdout


def test_a_string_that_is_read_otherwise_is_counted(models, exported_tones, tmp_path):
    from tone_model import tone_model  # which hears other tones

    other = tone_model(tmp_path / "other.onnx")
    comparison = compare([models[0], other], [exported_tones / "train.json"])
    first, second = comparison.models
    texts = [row.text for row in manifest.read(exported_tones / "train.json")]
    assert first.counts.strings == len(texts)
    assert first.differing == 0
    assert second.largest_difference is None
    assert "other frames" in table(comparison)
    wrong = second.counts.strings - second.counts.strings_right
    assert abs(second.differing - wrong) <= first.counts.strings - first.counts.strings_right


def test_what_cannot_be_compared_is_one_sentence(models, tmp_path):
    nothing = tmp_path / "nothing.json"
    nothing.write_text('{"audio_filepath": "gone.wav", "duration": 1.0, "text": "1"}\n')
    with pytest.raises(UserError, match="no recording can be read"):
        compare(models, [nothing])
