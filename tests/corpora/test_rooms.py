"""Simulated rooms: the same bytes for the same seed, plausible acoustics, split by room."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
from clip_makers import rows_of, sources_of
from commands import run
from corpus_makers import content
from hypothesis import given
from hypothesis import strategies as st

from spoken_numbers.corpora import reverberation, rooms
from spoken_numbers.direct_path import direct_path
from spoken_numbers.errors import UserError

SCRIPT = Path(__file__).parents[2] / "scripts" / "simulate_rooms.py"
FEW = {"rooms": 3, "positions": 2, "test_fraction": 0.34, "longest_t60": 0.4}


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("rooms") / "out"
    rooms.prepare(out, **FEW)
    return out


def test_no_room_is_on_both_sides(made):
    train, test = (sources_of(made, split, "room") for split in ("train", "test"))
    assert train == {"room00000", "room00001"}
    assert test == {"room00002"}
    assert len(rows_of(made, "train", "test")) == 6


def test_each_response_is_cut_at_its_direct_path_and_has_energy_one(made):
    for row in rows_of(made, "train", "test"):
        response, rate = soundfile.read(made / row["audio_filepath"], dtype="float32")
        assert rate == 16_000
        assert soundfile.info(made / row["audio_filepath"]).subtype == "FLOAT"
        assert row["duration"] == len(response) / rate <= 1.0
        assert np.square(response).sum() == pytest.approx(1, abs=1e-5)
        assert np.abs(response[: row["direct"] + 8]).argmax() == row["direct"] == 16
        assert (row["text"], row["corpus"]) == ("", "simulated")


def test_t60_is_near_the_one_aimed_at_and_the_direct_path_where_it_must_be():
    for index in range(4):
        room = rooms.Room(5, index, 1, (0.3, 1.0), 1.0, Path())
        t60, sides, _ = room.drawn
        mouth, microphone = rooms._place(sides, np.random.default_rng((5, index, 0)))
        measured = reverberation.measure(rooms._response(room, 0))
        assert measured.t60 == pytest.approx(t60, rel=0.3)
        assert measured.direct == pytest.approx(40 + np.linalg.norm(mouth - microphone) / 343 * 16_000, abs=2)


def test_no_decay_has_a_hole_in_it_however_near_the_mouth(monkeypatch):
    """Each 20 ms from 20 ms on are as loud as any later ones, but for the roughness of a decay."""
    monkeypatch.setattr(rooms, "SMALLEST", (9.0, 7.0, 3.5))
    monkeypatch.setattr(rooms, "DISTANCE", (0.3, 0.35))
    for index in range(6):
        response = rooms._response(rooms.Room(0, index, 1, (0.3, 0.6), 1.0, Path()), 0)
        after = response[direct_path(response) + 320 :]
        level = 10 * np.log10(np.square(after[: len(after) // 320 * 320].reshape(-1, 320)).sum(axis=1))
        assert all(level[at] > level[at:].max() - 10 for at in range(len(level) // 2))


def test_the_same_seed_gives_the_same_bytes_whatever_was_drawn_before_and_in_however_many_processes(made, tmp_path):
    np.random.default_rng().random()
    rooms.pyroomacoustics.random.seed(123)
    rooms.prepare(tmp_path / "here", **FEW)
    options = ("--rooms", "3", "--positions", "2", "--test-fraction", "0.34", "--longest-t60", "0.4")
    done = run(SCRIPT, "--out", tmp_path / "there", *options)
    assert (done.returncode, done.stderr) == (0, "")
    assert f"{tmp_path}/there/train.json: 4 " in done.stdout
    assert content(made) == content(tmp_path / "here") == content(tmp_path / "there")


def test_more_rooms_leave_the_first_ones_as_they_are_and_another_seed_does_not(made, tmp_path, capsys):
    first = content(made / "wav")
    rooms.prepare(tmp_path / "more", **FEW | {"rooms": 4})
    assert first.items() < content(tmp_path / "more" / "wav").items()
    assert sources_of(made, "test", "room") <= sources_of(tmp_path / "more", "test", "room")
    rooms.prepare(tmp_path / "other", **FEW | {"rooms": 1, "seed": 1})
    assert not set(first.values()) & set(content(tmp_path / "other" / "wav").values())


def test_a_run_broken_off_goes_on_and_a_second_one_makes_nothing(made, capsys):
    whole = content(made)
    rooms.prepare(made, **FEW)
    assert "rooms: all 3 are already there" in capsys.readouterr().err
    (made / "wav" / "room00001_01.wav").unlink()
    (made / "train.json").unlink()
    rooms.prepare(made, **FEW)
    assert content(made) == whole
    with pytest.raises(UserError, match="other options: seed was 0, now 1"):
        rooms.prepare(made, **FEW, seed=1)


@given(fraction=st.floats(0, 0.9), count=st.integers(1, 300))
def test_the_share_held_out_is_the_one_asked_for(fraction, count):
    held = sum(rooms._is_held_out(index, fraction) for index in range(count))
    assert held == pytest.approx(fraction * count, abs=1)


@given(seed=st.integers(0, 2**31), index=st.integers(0, 10_000))
def test_mouth_and_microphone_are_inside_and_the_walls_absorb(seed, index):
    t60, sides, scattering = rooms.Room(seed, index, 1, (0.1, 1.0), 1.0, Path()).drawn
    mouth, microphone = rooms._place(sides, np.random.default_rng(seed))
    for point in (mouth, microphone):
        assert np.all(point >= rooms.MARGIN)
        assert np.all(point <= sides - rooms.MARGIN)
    assert rooms.DISTANCE[0] <= np.linalg.norm(mouth - microphone) <= rooms.DISTANCE[1]
    assert 0.02 < rooms._absorption(sides, t60) < 0.9
    assert rooms.SCATTERING[0] <= scattering <= rooms.SCATTERING[1]


def test_a_range_upside_down_is_told():
    with pytest.raises(UserError, match="is no range"):
        rooms.prepare(Path("nowhere"), shortest_t60=0.9, longest_t60=0.2)
