"""A sweep reads every model in every condition, on recordings that the seed alone decides."""

import json

import numpy as np
import pytest
from commands import run
from tone_model import RATE, TONES, played, tone_model

from spoken_numbers import audio, clip_manifest, manifest
from spoken_numbers.assessment.noise_sweep import SNRS_DB
from spoken_numbers.clip_manifest import ImpulseResponse, NoiseClip
from spoken_numbers.manifest import Utterance


@pytest.fixture(scope="module")
def material(tmp_path_factory):
    """A tone model, eight utterances of two speakers that it reads, and noise that is heard as a digit at low SNR."""
    folder = tmp_path_factory.mktemp("sweep")
    rng = np.random.default_rng(0)
    rows = []
    for index in range(8):
        label = "".join(map(str, rng.integers(0, 10, 4)))
        seconds = audio.write(folder / f"{index}.wav", played(label).astype(np.float32), RATE)
        rows.append(Utterance(f"{index}.wav", seconds, label, "ab"[index % 2]))
    manifest.write(folder / "said.json", rows)
    whistle = 0.1 * np.sin(2 * np.pi * TONES[9] * np.arange(10 * RATE) / RATE)  # the tone that stands for a nine
    audio.write(folder / "whistle.wav", whistle.astype(np.float32), RATE)
    clip_manifest.write(folder / "whistle.json", [NoiseClip("whistle.wav", 10.0, "made", "whistle")], {})
    response = np.zeros(4000, np.float32)
    response[[100, 900]] = 1, 0.4
    audio.write(folder / "hall.wav", response, RATE)
    clip_manifest.write(folder / "hall.json", [ImpulseResponse("hall.wav", 0.25, "made", "hall", "hall", 100, 8.0)], {})
    tone_model(folder / "tones.onnx")
    return folder


def sweep(material, out, *more):
    given = [material / "tones.onnx", "--manifest", material / "said.json", "--noise", material / "whistle.json"]
    return run("evaluation/noise_sweep.py", *given, "--out", out, *more)


def test_every_condition_is_read_and_low_snr_costs_most(material, tmp_path):
    others = ("--codec", "alaw", "--codec", "gsm,alaw", "--silence", 0.5, "--tempo", 0.7, "--pauses", 1, "--level", -30)
    done = sweep(material, tmp_path, "--room", material / "hall.json", *others)
    assert done.returncode == 0, done.stderr
    points = json.loads((tmp_path / "noise_sweep.json").read_text())
    asked = [("clean", "", None), *[("noise", "whistle", snr) for snr in SNRS_DB]]
    asked += [("codec", "alaw", None), ("codec", "gsm,alaw", None), ("room", "hall", None), ("silence", "0.5 s", None)]
    asked += [("tempo", "0.7", None), ("pauses", "1 s", None), ("level", "-30 dB", None)]
    assert [(p["condition"], p["name"], p["snr_db"]) for p in points] == asked
    assert all(p["strings"] == 8 for p in points)
    clean, *noisy = points
    assert clean["strings_right"] == 8
    assert clean["interval"] == [1.0, 1.0]
    assert noisy[0]["strings_right"] > noisy[len(SNRS_DB) - 1]["strings_right"]
    assert f"| noise whistle 20 dB | {100 * noisy[0]['string_accuracy']:.1f} %" in done.stdout
    assert (tmp_path / "noise_sweep.svg").read_text().startswith("<?xml")


def test_the_same_seed_gives_the_same_recordings(material, tmp_path):
    for folder, seed in (("one", 0), ("two", 0), ("other", 1)):
        assert sweep(material, tmp_path / folder, "--seed", seed).returncode == 0
    one, two, other = (
        [path.read_bytes() for path in sorted((tmp_path / folder).rglob("*_0dB/wav/*.wav"))]
        for folder in ("one", "two", "other")
    )
    assert one == two != other
    assert len(one) == 8


def test_an_unknown_codec_is_one_line_and_leaves_nothing(material, tmp_path):
    done = sweep(material, tmp_path / "out", "--codec", "mp33")
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith("error: ")
    assert not (tmp_path / "out" / "noise_sweep.json").exists()
