"""Impulse responses: measured rightly, cut where the direct path is, and split by room."""

import json
import os
import subprocess
import sys
from pathlib import Path

import clip_makers as makers
import numpy as np
import pytest
import soundfile
from clip_makers import decaying, rows_of, sources_of
from commands import run
from corpus_makers import content, write
from hypothesis import given
from hypothesis import strategies as st

from spoken_numbers.corpora import impulses, noise, reverberation
from spoken_numbers.corpora.impulses import Layout
from spoken_numbers.direct_path import direct_path
from spoken_numbers.errors import UserError

SCRIPT = Path(__file__).parents[2] / "scripts" / "prepare_impulses.py"
CORPORA = Path(os.environ.get("SPOKEN_NUMBERS_CORPORA", "/nonexistent"))
MADE = {
    "but_reverbdb": (makers.make_but_reverbdb, set(makers.BUT_ROOMS), 6),
    "mit_survey": (makers.make_mit_survey, {"h001_Bedroom", "h042_Hallway_ElementarySchool", "h229_Office_Lobby"}, 3),
    "openair": (makers.make_openair, {"maes-howe", "hamilton-mausoleum"}, 6),
}


@pytest.fixture(autouse=True)
def one_process(monkeypatch):
    """To start processes costs more here than the work; the command's test starts them."""
    monkeypatch.setattr("os.cpu_count", lambda: 1)


@given(
    t60=st.floats(0.15, 1.5),
    seed=st.integers(0, 1000),
    noise_db=st.sampled_from([None, -60, -50]),
    length=st.sampled_from([1.0, 2.0, 3.0]),
)
def test_t60_of_decaying_noise_is_measured_within_a_tenth(t60, seed, noise_db, length):
    response = _tail(t60, max(length, 1.2 * t60), seed)
    if noise_db is not None:
        response += 10 ** (noise_db / 20) * np.random.default_rng(seed + 1).standard_normal(len(response))
    measured = reverberation.measure(response.astype(np.float32))
    assert measured.t60 == pytest.approx(t60, rel=0.1)


@pytest.mark.parametrize("noise_db", [-20, -10, 0])
def test_no_t60_is_told_where_noise_hides_the_decay(noise_db):
    response = _tail(0.5, 2.0, 0) + 10 ** (noise_db / 20) * np.random.default_rng(1).standard_normal(32_300)
    assert reverberation.measure(response.astype(np.float32)).t60 is None


@given(drr=st.floats(-5, 20), t60=st.floats(0.2, 1.0), seed=st.integers(0, 1000), delay=st.integers(0, 2000))
def test_the_direct_to_reverberant_ratio_is_what_was_put_in(drr, t60, seed, delay):
    late = _tail(t60, 1.5, seed)
    late[: 300 + 40 + 1] = 0  # 2.5 ms
    late *= 10 ** (-drr / 20) / np.sqrt(np.square(late).sum())
    late[300] = max(1.0, 1.01 * np.abs(late).max())
    drr += 20 * np.log10(late[300])
    response = np.concatenate([np.zeros(delay), late]).astype(np.float32)
    measured = reverberation.measure(response)
    assert measured.direct == 300 + delay
    assert measured.drr == pytest.approx(drr, abs=0.5)


def test_a_response_without_reverberation_has_the_highest_ratio_and_no_t60():
    response = np.zeros(8000, np.float32)
    response[100] = 0.5
    assert reverberation.measure(response) == (reverberation.Acoustics(100, None, reverberation.HIGHEST_DRR))


def test_a_recording_of_noise_has_no_direct_path_to_speak_of():
    measured = reverberation.measure(makers.hiss(2, 16_000)[:, 0].astype(np.float32))
    assert measured.t60 is None
    assert measured.drr < -10


@pytest.mark.parametrize(("wall", "pre_echo"), [(2.0, 0.1), (0.9, 0.2)])
def test_a_stronger_reflection_or_a_weak_pre_echo_is_not_the_direct_path(wall, pre_echo):
    response = np.zeros(8000, np.float32)
    response[300], response[1000], response[1320] = pre_echo, 1.0, wall
    assert direct_path(response) == 1000


@given(
    delay=st.integers(0, 3000),
    length=st.integers(1, 30_000),
    seconds=st.sampled_from([0.1, 1.0]),
    scale=st.floats(-6, 3),
)
def test_a_cut_response_has_energy_one_its_peak_in_place_and_no_step_at_its_end(delay, length, seconds, scale):
    response = 10**scale * decaying(0.5, length / 16_000, delay=delay).astype(np.float32)
    direct = direct_path(response)
    cut = reverberation.cut(response, direct, seconds)
    assert direct == delay
    assert cut.dtype == np.float32
    assert np.square(cut, dtype=np.float64).sum() == pytest.approx(1, abs=1e-5)
    assert np.abs(cut).argmax() == reverberation.LEAD_IN
    assert len(cut) == min(round(seconds * 16_000), length + reverberation.LEAD_IN)
    if length > 200:
        assert abs(cut[-1]) < 1e-2 * np.abs(cut).max()


@pytest.mark.parametrize("layout", MADE)
def test_each_layout_is_recognised_and_no_room_is_on_both_sides(tmp_path, layout):
    make, rooms, responses = MADE[layout]
    noise_free = impulses.prepare(make(tmp_path / "corpus"), tmp_path / "out")
    train, test = (sources_of(tmp_path / "out", split, "room") for split in ("train", "test"))
    assert train
    assert test
    assert not train & test
    assert train | test == rooms
    rows = rows_of(tmp_path / "out", "train", "test")
    assert len(rows) == len({row["audio_filepath"] for row in rows}) == responses
    assert not any(one.left_out for one in noise_free)
    for row in rows:
        assert (row["corpus"], row["text"], row["direct"]) == (layout, "", 16)
        assert 0.25 < row["t60"] < 0.8
        response, rate = soundfile.read(tmp_path / "out" / row["audio_filepath"], dtype="float32")
        assert (rate, len(response), response.ndim) == (16_000, 16_000, 1)
        assert row["duration"] == 1.0
        assert np.abs(response).argmax() == row["direct"]
        assert np.square(response).sum() == pytest.approx(1, abs=1e-5)


def test_any_other_folder_gives_a_response_of_each_channel(tmp_path):
    both = np.stack([decaying(t60, 2.0, 96_000, delay=3000) for t60 in (0.3, 0.6)], axis=1)
    write(tmp_path / "corpus" / "hall.wav", both, 96_000, subtype="PCM_24")
    write(tmp_path / "corpus" / "church" / "near" / "1.flac", both[:, 0], 48_000)
    impulses.prepare(tmp_path / "corpus", tmp_path / "out", test_room=["church"])
    rows = rows_of(tmp_path / "out", "train")
    assert [(row["room"], row["source"]) for row in rows] == [("hall", "hall")] * 2
    assert [row["t60"] for row in rows] == pytest.approx([0.3, 0.6], rel=0.1)
    assert [row["room"] for row in rows_of(tmp_path / "out", "test")] == ["church"]


def test_broken_empty_and_silent_recordings_cost_only_themselves(tmp_path, capsys):
    corpus = makers.make_mit_survey(tmp_path / "corpus")
    (corpus / "h002_Kitchen_1txts.wav").write_bytes(b"")
    (corpus / "h003_Cellar_1txts.wav").write_bytes(b"RIFF, it says")
    write(corpus / "h004_Attic_1txts.wav", np.zeros(1000), 16_000)
    write(corpus / "h005_Half_1txts.wav", np.stack([decaying(0.4, 1.0), 0 * decaying(0.4, 1.0)], axis=1), 16_000)
    made = impulses.prepare(corpus, tmp_path / "out", test_room=["h001_Bedroom"])
    assert made[0].left_out == {"recording that cannot be read or is silent": 3, impulses.SILENT: 1}
    told = capsys.readouterr().err
    assert all(name in told for name in ("h002_Kitchen", "h003_Cellar", "h004_Attic"))
    assert made[0].utterances == 3


def test_the_same_bytes_again_and_nothing_is_made_twice(tmp_path, capsys):
    corpus = makers.make_openair(tmp_path / "corpus")
    made = impulses.prepare(corpus, tmp_path / "one")
    impulses.prepare(corpus, tmp_path / "two")
    whole = content(tmp_path / "one")
    assert whole == content(tmp_path / "two")
    before = {path: path.stat().st_mtime_ns for path in tmp_path.glob("one/wav/**/*.wav")}
    assert impulses.prepare(corpus, tmp_path / "one") == made
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert "are already there" in capsys.readouterr().err
    for name in sorted(whole)[::3]:
        (tmp_path / "one" / name).unlink()
    impulses.prepare(corpus, tmp_path / "one")
    assert content(tmp_path / "one") == whole


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"test_room": ["Q301"]}, "no room 'Q301'.*--test-room"),
        ({"test_room": list(makers.BUT_ROOMS)}, "every room is held out"),
        ({"layout": Layout.MIT_SURVEY}, "expected h001_Bedroom_65txts.wav, found Hotel_SkalskyDvur_ConferenceRoom2/"),
    ],
)
def test_what_is_not_there_is_told_and_nothing_is_written(tmp_path, wrong, said):
    corpus = makers.make_but_reverbdb(tmp_path / "corpus")
    with pytest.raises(UserError, match=said):
        impulses.prepare(corpus, tmp_path / "out", **wrong)
    assert not (tmp_path / "out").exists()


def test_the_command_tells_what_it_made_and_a_wrong_folder_in_one_line(tmp_path):
    done = run(
        SCRIPT, makers.make_but_reverbdb(tmp_path / "corpus"), "--out", tmp_path / "out", "--test-room", "VUT_FIT_L207"
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert f"{tmp_path}/out/train.json: 4 " in done.stdout
    assert f"{tmp_path}/out/test.json: 2 " in done.stdout
    done = run(SCRIPT, tmp_path / "nothing", "--out", tmp_path / "none")
    assert done.returncode == 2
    assert done.stderr.startswith("error: no such folder, expected impulse responses – ")
    assert len(done.stderr.splitlines()) == 1


def test_nemos_own_perturbations_take_the_manifests(tmp_path):
    noise.prepare(makers.make_folder(tmp_path / "noises"), tmp_path / "noise")
    impulses.prepare(makers.make_openair(tmp_path / "rooms"), tmp_path / "impulses")
    code = """
import json, sys
import numpy as np
from nemo.collections.asr.parts.preprocessing.perturb import ImpulsePerturbation, NoisePerturbation
from nemo.collections.asr.parts.preprocessing.segment import AudioSegment
speech = np.sin(np.arange(48_000, dtype=np.float32))
told = []
for perturbation in (
    NoisePerturbation(f"{sys.argv[1]}/noise/train.json", min_snr_db=10, max_snr_db=10),
    ImpulsePerturbation(f"{sys.argv[1]}/impulses/train.json", shift_impulse=True),
):
    segment = AudioSegment(speech.copy(), 16_000)
    perturbation.perturb(segment)
    told.append([len(segment.samples), float(np.abs(segment.samples - speech).max())])
print(json.dumps(told))
"""
    done = subprocess.run([sys.executable, "-c", code, tmp_path], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    for length, difference in json.loads(done.stdout.splitlines()[-1]):
        assert length == 48_000
        assert difference > 0.01


@pytest.mark.skipif(not (CORPORA / "rooms").is_dir(), reason="needs SPOKEN_NUMBERS_CORPORA with rooms/")
def test_two_measured_halls_of_four_channels(tmp_path):
    hall, studio = "Arthur Sykes Rymer Auditorium", "Genesis 6 Studio Live Room"
    made = impulses.prepare(CORPORA / "rooms", tmp_path, test_room=[studio])
    assert [one.utterances for one in made] == [4, 4]
    for split, room, t60 in (("train", hall, 0.38), ("test", studio, 0.25)):
        rows = rows_of(tmp_path, split)
        assert {row["room"] for row in rows} == {room}
        assert [row["t60"] for row in rows] == pytest.approx([t60] * 4, rel=0.2)
        assert all(-20 < row["drr"] < 10 for row in rows)


def _tail(t60: float, seconds: float, seed: int) -> np.ndarray:
    """300 samples of silence, then decaying noise, whose first sample is the largest."""
    time = np.arange(round(seconds * 16_000)) / 16_000
    tail = np.random.default_rng(seed).standard_normal(len(time)) * 10 ** (-3 * time / t60)
    tail[0] = 1.01 * np.abs(tail).max()
    return np.concatenate([np.zeros(300), tail])
