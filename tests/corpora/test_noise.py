"""Noise corpora: recognised by their layout, cut into clips, and split so that no recording is on both sides."""

import os
from pathlib import Path

import clip_makers as makers
import numpy as np
import pytest
import soundfile
from clip_makers import rows_of, sources_of
from commands import run
from corpus_makers import content, write
from hypothesis import given, settings
from hypothesis import strategies as st

from spoken_numbers import audio, manifest
from spoken_numbers.augmentation.clips import ClipBank
from spoken_numbers.corpora import noise
from spoken_numbers.corpora.noise_layouts import Layout
from spoken_numbers.errors import UserError

SCRIPT = Path(__file__).parents[2] / "scripts" / "prepare_noise.py"
CORPORA = Path(os.environ.get("SPOKEN_NUMBERS_CORPORA", "/nonexistent"))
MADE = {
    "demand": (makers.make_demand, set(makers.DEMAND), set(makers.DEMAND), 2),
    "dcase2017": (makers.make_dcase2017, {"a001", "a003", "b006", "b091", "a128"}, {"street"}, 2),
    "esc": (makers.make_esc10, None, {"Dog bark", "Rain"}, 2),
    "musan": (
        makers.make_musan,
        {f"noise-{part}-000{n}" for part in ("free-sound", "sound-bible") for n in (0, 1)}
        | {f"music-{part}-000{n}" for part in ("fma", "jamendo") for n in (0, 1)},
        {"noise", "music"},
        1,
    ),
    "speech_commands": (
        makers.make_background,
        {"doing_the_dishes", "dude_miaowing", "exercise_bike", "pink_noise", "running_tap"},
        None,
        3,
    ),
    "folder": (
        makers.make_folder,
        {"kitchen/monday", "kitchen/tuesday", "tram/1.wav", "tram/1.flac", "x"},
        {"kitchen", "tram", None},
        1,
    ),
}


@pytest.fixture(autouse=True)
def one_process(monkeypatch):
    """To start processes costs more here than the work; the command's test starts them."""
    monkeypatch.setattr("os.cpu_count", lambda: 1)


@pytest.mark.parametrize("layout", MADE)
def test_each_layout_is_recognised_and_no_recording_is_on_both_sides(tmp_path, layout):
    make, sources, classes, clips = MADE[layout]
    noise.prepare(make(tmp_path / "corpus"), tmp_path / "out")
    rows = rows_of(tmp_path / "out", "train", "test")
    train, test = (sources_of(tmp_path / "out", split) for split in ("train", "test"))
    assert train
    assert test
    assert not train & test
    assert sources is None or train | test == sources
    assert classes is None or {row.get("class") for row in rows} == classes
    assert {row["corpus"] for row in rows} == {layout}
    assert {row["duration"] for row in rows} == {2.0}
    files = {row["audio_filepath"] for row in rows}
    assert len(files) == len(rows) == clips * len({name.rsplit("_", 1)[0] for name in files})
    for row in rows:
        info = soundfile.info(tmp_path / "out" / row["audio_filepath"])
        assert (info.samplerate, info.channels, info.frames) == (16_000, 1, 32_000)


@pytest.mark.parametrize(("layout", "inside"), [("demand", "TBUS"), ("speech_commands", "_background_noise_")])
def test_the_innermost_folder_will_do(tmp_path, layout, inside):
    noise.prepare(MADE[layout][0](tmp_path / "corpus") / inside, tmp_path / "out")
    assert {row["corpus"] for row in rows_of(tmp_path / "out", "train")} == {layout}


def test_a_row_is_an_utterance_without_a_number(tmp_path):
    noise.prepare(makers.make_folder(tmp_path / "corpus"), tmp_path / "out")
    for utterance in manifest.read(tmp_path / "out" / "train.json"):
        assert (utterance.text, utterance.corpus) == ("", "folder")
        assert utterance.path(tmp_path / "out" / "train.json").is_file()


def test_demands_sixteen_channels_are_one_recording(tmp_path):
    corpus = makers.make_demand(tmp_path / "corpus")
    made = noise.prepare(corpus, tmp_path / "first")
    assert made[0].left_out[noise.CHANNEL] == 15 * len(makers.DEMAND)
    noise.prepare(corpus, tmp_path / "all", all_channels=True)
    assert not sources_of(tmp_path / "all", "train") & sources_of(tmp_path / "all", "test")
    assert len(rows_of(tmp_path / "all", "train", "test")) == 2 * len(rows_of(tmp_path / "first", "train", "test"))


def test_musans_speech_is_left_out_and_counted_unless_asked_for(tmp_path):
    corpus = makers.make_musan(tmp_path / "corpus")
    made = noise.prepare(corpus, tmp_path / "out")
    assert made[0].left_out == {noise.SPEECH: 4}
    noise.prepare(corpus, tmp_path / "speech", only_class=["speech"])
    assert {row["class"] for row in rows_of(tmp_path / "speech", "train", "test")} == {"speech"}


@pytest.mark.parametrize("table", [True, False])
def test_esc50_takes_its_classes_from_the_table(tmp_path, table):
    noise.prepare(makers.make_esc50(tmp_path / "corpus", table), tmp_path / "out", test_fold=[3])
    rows = rows_of(tmp_path / "out", "train", "test")
    assert {row["class"] for row in rows} == ({"dog", "rain"} if table else {"0", "10"})
    assert {Path(row["audio_filepath"]).name[0] for row in rows_of(tmp_path / "out", "test")} == {"3"}


def test_takes_of_one_clip_stay_together_whatever_fold_they_are_in(tmp_path):
    corpus = makers.make_esc10(tmp_path / "corpus")
    for path in corpus.rglob("2-*-B.ogg"):
        path.rename(path.with_name("3" + path.name[1:]))
    noise.prepare(corpus, tmp_path / "out", test_fold=[3])
    assert not sources_of(tmp_path / "out", "train") & sources_of(tmp_path / "out", "test")
    assert any(
        "-A" in row["audio_filepath"] and "/2-" in row["audio_filepath"] for row in rows_of(tmp_path / "out", "test")
    )


def test_every_class_is_tested_on(tmp_path):
    corpus = makers.make_esc10(tmp_path / "corpus")
    for seed in range(3):
        noise.prepare(corpus, tmp_path / str(seed), seed=seed)
        assert {row["class"] for row in rows_of(tmp_path / str(seed), "test")} == {"Dog bark", "Rain"}


@settings(max_examples=25)
@given(samples=st.integers(0, 80_000), seconds=st.sampled_from([0.5, 1.0, 2.0]), channels=st.sampled_from([1, 2, 16]))
def test_clips_are_the_recording_in_order_and_only_a_remainder_is_lost(tmp_path_factory, samples, seconds, channels):
    out = tmp_path_factory.mktemp("clips")
    recorded = makers.hiss(samples / 16_000, 16_000, samples, channels)
    write(out / "it.wav", recorded, 16_000, subtype="PCM_24")
    recording = noise.Recording(out / "it.wav", "it", "it")
    if samples == 0:
        with pytest.raises(UserError, match="no samples"):
            noise._cut(noise.Cut(recording, "folder", out, seconds, -70))
        return
    pieces = noise._cut(noise.Cut(recording, "folder", out, seconds, -70))
    length = round(seconds * 16_000)
    expected = max(1, samples // length) if 2 * samples >= length else 0
    assert len(pieces.clips) == expected
    assert sum(pieces.left_out.values()) == (expected == 0)
    if expected:
        read = np.concatenate([soundfile.read(out / clip.audio_filepath)[0] for clip in pieces.clips])
        np.testing.assert_allclose(read, recorded.mean(axis=1)[: len(read)], atol=1e-4)
        assert len(read) == (samples if samples < length else expected * length)


def test_broken_empty_silent_and_short_recordings_cost_only_themselves(tmp_path, capsys):
    corpus = makers.make_demand(tmp_path / "corpus")
    (corpus / "DKITCHEN" / "ch01.wav").write_bytes(b"")
    (corpus / "TBUS" / "ch01.wav").write_bytes(b"RIFF, it says")
    write(corpus / "NFIELD" / "ch01.wav", np.zeros(70_000), 16_000)
    write(corpus / "OOFFICE" / "ch01.wav", makers.hiss(0.5, 16_000), 16_000)
    made = noise.prepare(corpus, tmp_path / "out", test_fraction=0)
    del made[0].left_out[noise.CHANNEL]
    assert made[0].left_out == {
        "recording that cannot be read or is silent": 2,
        noise.QUIET: 2,
        noise.SHORT: 1,
    }
    told = capsys.readouterr().err
    assert "DKITCHEN/ch01.wav" in told
    assert "TBUS/ch01.wav" in told
    assert sources_of(tmp_path / "out", "train") == {"PSTATION"}


def test_a_name_that_is_not_utf8_is_a_name_like_any_other(tmp_path):
    corpus = makers.make_folder(tmp_path / "corpus")
    (corpus / "x.wav").rename(os.fsdecode(os.fsencode(corpus) + b"/\xff.wav"))
    made = noise.prepare(corpus, tmp_path / "out", test_fraction=0)
    assert not made[0].left_out
    (odd,) = [row["audio_filepath"] for row in rows_of(tmp_path / "out", "train") if "\udcff" in row["audio_filepath"]]
    assert len(audio.read(tmp_path / "out" / odd))
    assert len(ClipBank(str(made[0].path), lambda clip: clip)) == made[0].utterances


def test_a_quiet_recording_is_noise_and_a_near_silent_clip_of_it_is_not(tmp_path):
    recorded = makers.hiss(6, 16_000)
    recorded[:32_000] *= 1e-3
    recorded[32_000:] *= 10 ** (-40 / 20)
    write(tmp_path / "corpus" / "fridge.wav", recorded, 16_000, subtype="PCM_24")
    made = noise.prepare(tmp_path / "corpus", tmp_path / "out")
    assert made[0].left_out == {noise.QUIET: 1}
    assert [row["audio_filepath"] for row in rows_of(tmp_path / "out", "train")] == [
        "wav/fridge_0001.wav",
        "wav/fridge_0002.wav",
    ]


def test_the_same_seed_gives_the_same_bytes_and_another_seed_another_split(tmp_path):
    corpus = makers.make_dcase2017(tmp_path / "corpus")
    for name, seed in (("one", 0), ("two", 0)):
        noise.prepare(corpus, tmp_path / name, seed=seed)
    assert content(tmp_path / "one") == content(tmp_path / "two")
    splits = set()
    for seed in range(6):
        noise.prepare(corpus, tmp_path / f"seed{seed}", seed=seed)
        splits.add(tuple(sources_of(tmp_path / f"seed{seed}", "test")))
    assert len(splits) > 1


def test_a_run_broken_off_goes_on_to_the_same_bytes(tmp_path):
    corpus, out = makers.make_musan(tmp_path / "corpus"), tmp_path / "out"
    noise.prepare(corpus, out)
    whole = content(out)
    for name in sorted(whole)[::3]:
        (out / name).unlink()
    noise.prepare(corpus, out)
    assert content(out) == whole


def test_a_second_run_makes_nothing_again_and_tells_the_same(tmp_path, capsys):
    corpus, out = makers.make_demand(tmp_path / "corpus"), tmp_path / "out"
    made = noise.prepare(corpus, out)
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*.wav")}
    assert noise.prepare(corpus, out) == made
    assert {path: path.stat().st_mtime_ns for path in out.rglob("*.wav")} == before
    assert "demand recordings: all 5 are already there" in capsys.readouterr().err


def test_a_recording_that_was_changed_since_is_cut_again(tmp_path):
    corpus = makers.make_dcase2017(tmp_path / "corpus")
    noise.prepare(corpus, tmp_path / "out")
    changed = corpus / "audio" / "street" / "b006.wav"
    write(changed, makers.hiss(6.5, 44_100, 99), 44_100)
    os.utime(changed, (2**31, 2**31))
    made = noise.prepare(corpus, tmp_path / "out")
    assert sum(one.utterances for one in made) == 11


def test_clips_made_inside_the_corpus_are_not_taken_for_recordings(tmp_path):
    corpus = makers.make_folder(tmp_path / "corpus")
    made = noise.prepare(corpus, corpus / "clips")
    assert noise.prepare(corpus, corpus / "clips") == made


@pytest.mark.parametrize("other", [{"seconds": 1.0}, {"test_source": ["a001"]}, {"floor_db": -50.0}])
def test_a_folder_of_other_options_is_not_gone_on_with(tmp_path, other):
    corpus = makers.make_dcase2017(tmp_path / "corpus")
    noise.prepare(corpus, tmp_path / "out", test_source=["b006"])
    with pytest.raises(UserError, match="other options"):
        noise.prepare(corpus, tmp_path / "out", **{"test_source": ["b006"], **other})


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"test_fold": [7]}, "only ESC has folds"),
        ({"test_source": ["a999"]}, "no source 'a999'"),
        ({"test_source": ["a001", "a003", "b006", "b091", "a128"]}, "every source is held out"),
        ({"only_class": ["home"]}, "no class 'home'.*choose among street"),
        ({"layout": Layout.DEMAND}, "expected {ENVIRONMENT}/ch01.wav, found audio/"),
    ],
)
def test_what_is_not_there_is_told_and_nothing_is_written(tmp_path, wrong, said):
    corpus = makers.make_dcase2017(tmp_path / "corpus")
    with pytest.raises(UserError, match=said):
        noise.prepare(corpus, tmp_path / "out", **wrong)
    assert not (tmp_path / "out").exists()


def test_the_command_tells_what_it_made_and_a_wrong_folder_in_one_line(tmp_path):
    done = run(
        SCRIPT, makers.make_esc10(tmp_path / "corpus"), "--out", tmp_path / "out", "--test-fold", "3", "--seconds", "1"
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert f"{tmp_path}/out/train.json: 40 " in done.stdout
    assert f"{tmp_path}/out/test.json: 20 " in done.stdout
    (tmp_path / "empty").mkdir()
    done = run(SCRIPT, tmp_path / "empty", "--out", tmp_path / "none")
    assert done.returncode == 2
    assert done.stderr == (
        f"error: expected recordings of noise, found an empty folder – {tmp_path}/empty – "
        "give the folder as it was unpacked, see scripts/readme.md\n"
    )
    assert not (tmp_path / "none").exists()


@pytest.mark.skipif(not (CORPORA / "esc10").is_dir(), reason="needs SPOKEN_NUMBERS_CORPORA with esc10/")
def test_every_recording_of_esc10_is_read_and_its_folds_are_kept(tmp_path):
    made = noise.prepare(CORPORA / "esc10", tmp_path, test_fold=[3])
    assert {reason for one in made for reason in one.left_out} <= {noise.QUIET}
    rows = rows_of(tmp_path, "train", "test")
    assert {row["corpus"] for row in rows} == {"esc"}
    assert len({row["class"] for row in rows}) == 10
    assert {Path(row["audio_filepath"]).name[0] for row in rows_of(tmp_path, "test")} == {"3"}
    assert len(rows) + sum(one.left_out.get(noise.QUIET, 0) for one in made) == 482
    assert not sources_of(tmp_path, "train") & sources_of(tmp_path, "test")
