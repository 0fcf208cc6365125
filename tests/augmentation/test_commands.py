"""The commands that let augmentation be heard, seen and written."""

import json

import numpy as np
import pytest
import soundfile
from augmentation.sounds import clips, speech
from commands import run, run_warm
from PIL import Image


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("corpus")
    for index in range(3):
        soundfile.write(folder / f"u{index}.wav", speech(2.0, seed=index), 16_000)
    rows = [{"audio_filepath": f"u{i}.wav", "duration": 2.0, "text": "12", "speaker": f"s{i}"} for i in range(3)]
    (folder / "test.json").write_text("".join(json.dumps(row) + "\n" for row in rows))
    noise = (np.random.default_rng(0).standard_normal(32_000) * 0.1).astype(np.float32)
    clips(folder, {"noise": noise}, "noise.json")
    return folder


def test_a_corpus_through_noise_keeps_its_labels_and_has_the_snr(folder, tmp_path):
    wanted = [f"noise.manifest_path={folder}/noise.json", "noise.min_snr_db=10", "noise.max_snr_db=10"]
    arguments = ["scripts/perturb_corpus.py", folder / "test.json", *wanted, "--out", tmp_path, "--copies", "2"]
    done = run(*arguments)
    assert done.returncode == 0, done.stderr
    assert f"{tmp_path}/test.json: 6 utterances" in done.stdout
    rows = [json.loads(line) for line in (tmp_path / "test.json").read_text().splitlines()]
    assert [row["text"] for row in rows] == ["12"] * 6
    assert [row["speaker"] for row in rows] == ["s0", "s1", "s2"] * 2
    for row in rows:
        noisy, _ = soundfile.read(tmp_path / row["audio_filepath"])
        clean, _ = soundfile.read(folder / f"u{row['speaker'][1]}.wav")
        snr = np.mean(clean[clean != 0] ** 2) / np.mean((noisy - clean) ** 2)
        assert 10 * np.log10(snr) == pytest.approx(10, abs=0.3)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*.wav")}
    assert run(*arguments).returncode == 0
    assert {path: path.read_bytes() for path in tmp_path.rglob("*.wav")} == before
    assert len(set(before.values())) == 6
    gone = run("scripts/perturb_corpus.py", tmp_path / "gone.json", *wanted, "--out", tmp_path / "out")
    assert gone.returncode == 2
    assert not (tmp_path / "out").exists()
    other = run(*arguments, "--seed", "7")
    assert other.returncode == 2
    assert "seed was 0, now 7" in other.stderr


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (["noise"], "noise"),
        (["nois.x=3"], "did you mean 'noise'?"),
        (["gain.min_gain=3"], "did you mean 'min_gain_dbfs'?"),
        (["noise.manifest_path=nowhere.json"], "nowhere.json"),
    ],
)
def test_a_mistake_is_one_sentence_and_leaves_nothing(folder, tmp_path, wrong, told):
    done = run("scripts/perturb_corpus.py", folder / "test.json", *wrong, "--out", tmp_path / "out")
    assert done.returncode == 2
    assert done.stderr.startswith("error: ")
    assert told in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_an_audition_shows_every_perturbation_and_the_whole(folder, tmp_path):
    overrides = [
        f"model.train_ds.manifest_filepath={folder}/test.json",
        *(f"augment.{name}.manifest_path={folder}/noise.json" for name in ("noise", "impulse")),
    ]
    arguments = ["scripts/audition.py", "conf/quartznet_5x1_aug.yaml", *overrides, "--out", tmp_path]
    done = run_warm(*arguments, "--utterances", "2", "--draws", "2")
    assert done.returncode == 0, done.stderr
    names = ["speed", "impulse", "noise", "gain", "white_noise", "transcode_aug", "all"]
    for name in names:
        sheet = Image.open(tmp_path / name / "spectrograms.png")
        assert np.asarray(sheet.convert("L")).std() > 20
        before, after = (soundfile.read(tmp_path / name / f"utterance2_{what}.wav")[0] for what in ("before", "after1"))
        assert name == "all" or len(before) != len(after) or not np.allclose(before, after)
    assert done.stdout.splitlines() == [
        f"{tmp_path}/spectrograms.png",
        *(f"{tmp_path}/{name}/spectrograms.png" for name in names),
    ]


def test_an_audition_names_what_is_not_filled_in():
    done = run_warm("scripts/audition.py", "conf/quartznet_5x1_aug.yaml")
    assert done.returncode == 2
    for key in ("model.train_ds.manifest_filepath", "augment.noise.manifest_path", "augment.impulse.manifest_path"):
        assert key in done.stderr
    assert run_warm("scripts/audition.py", "conf/none.yaml").stderr.startswith("error: no such config")
