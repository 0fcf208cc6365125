"""Shards: every recording in them to the last bit, the same bytes however made, and nothing made twice."""

import json
import tarfile
from io import BytesIO
from pathlib import Path

import corpus_makers as makers
import numpy as np
import pytest
import soundfile
from commands import run
from hypothesis import given
from hypothesis import strategies as st
from manifest_makers import row, write

from spoken_numbers import audio
from spoken_numbers.corpora.shards import MANIFEST, ShardError, prepare
from spoken_numbers.errors import UserError

COMMAND = Path(__file__).parents[2] / "scripts" / "make_shards.py"


@pytest.fixture
def source(tmp_path):
    """Ten utterances of 16 bits at 16 kHz."""
    rng, rows = np.random.default_rng(0), []
    for index in range(10):
        seconds = audio.write(tmp_path / "wav" / f"{index}.wav", rng.uniform(-1, 1, 16_000 + 999 * index))
        rows.append(row(f"wav/{index}.wav", f"12{index}", seconds, speaker=f"s{index % 3}", lang="en"))
    return write(tmp_path / "train.json", *rows)


def members(out):
    """Shard → name of a recording → its content."""
    found = {}
    for path in sorted(out.glob("audio_*.tar")):
        with tarfile.open(path) as tar:
            found[path.name] = {name: tar.extractfile(name).read() for name in tar.getnames()}
    return found


def rows_of(out):
    return [json.loads(line) for line in (out / MANIFEST).read_text().splitlines()]


def files(out):
    return {path.relative_to(out): path.read_bytes() for path in out.rglob("*") if path.is_file()}


def test_every_row_keeps_its_fields_and_its_samples(source, tmp_path):
    made = prepare([source], tmp_path / "out", 4, seed=0)
    assert (made.utterances, made.speakers, made.left_out) == (10, 3, {})
    found, before = members(tmp_path / "out"), [json.loads(line) for line in source.read_text().splitlines()]
    assert sorted(map(len, found.values())) == [2, 4, 4]
    for old, new in zip(before, rows_of(tmp_path / "out"), strict=True):
        content = found[f"audio_{new['shard_id']}.tar"][new["audio_filepath"]]
        samples, rate = soundfile.read(BytesIO(content), dtype="int16")
        np.testing.assert_array_equal(samples, soundfile.read(source.parent / old["audio_filepath"], dtype="int16")[0])
        assert rate == 16_000
        assert {**new, "audio_filepath": old["audio_filepath"]} == {**old, "shard_id": new["shard_id"]}


@given(st.lists(st.integers(-32768, 32767), min_size=1, max_size=50))
def test_flac_holds_16_bits_to_the_last(samples):
    waveform = (np.array(samples) / 32768).astype(np.float32)
    np.testing.assert_array_equal(soundfile.read(BytesIO(audio.flac(waveform)), dtype="float32")[0], waveform)


def test_the_number_of_processes_changes_no_byte_and_the_seed_changes_the_order(source, tmp_path):
    for jobs, seed in ((1, 0), (2, 0), (1, 1)):
        prepare([source], tmp_path / f"{jobs}{seed}", 3, seed, jobs)
    assert files(tmp_path / "10") == files(tmp_path / "20")
    assert members(tmp_path / "10") != members(tmp_path / "11")


def test_several_manifests_become_one(source, tmp_path):
    made = prepare([source, source], tmp_path / "out", 8, seed=0)
    assert made.utterances == len({one["audio_filepath"] for one in rows_of(tmp_path / "out")}) == 20


def test_any_format_is_read(tmp_path):
    makers.write(tmp_path / "a.mp3", makers.said("47", 0, 22_050), 22_050)
    stereo = np.repeat(makers.said("12", 0, 48_000)[:, None], 2, axis=1)
    soundfile.write(tmp_path / "b.wav", stereo, 48_000)
    source = write(tmp_path / "m.json", row("a.mp3", "47", 0.5), row("b.wav", "12", 0.5))
    prepare([source], tmp_path / "out", 2, seed=0)
    (shard,) = members(tmp_path / "out").values()
    for name, digits in (("00000000.flac", "47"), ("00000001.flac", "12")):
        waveform, rate = soundfile.read(BytesIO(shard[name]), dtype="float32")
        assert rate == 16_000
        assert waveform.ndim == 1
        expected = makers.said(digits, 0)
        assert np.corrcoef(waveform[:7000], expected[:7000])[0, 1] > 0.97


def test_typed_again_finished_shards_are_kept_and_broken_ones_made_anew(source, tmp_path, capsys):
    out = tmp_path / "out"
    prepare([source], out, 3, seed=0)
    whole, times = files(out), {path: path.stat().st_mtime_ns for path in out.glob("*.tar")}
    prepare([source], out, 3, seed=0)
    assert "all 4 are already there" in capsys.readouterr().err
    assert {path: path.stat().st_mtime_ns for path in out.glob("*.tar")} == times
    changed, cut = out / "audio_0.tar", out / "audio_1.tar"
    changed.write_bytes(changed.read_bytes()[:600] + b"x" + changed.read_bytes()[601:])
    cut.write_bytes(cut.read_bytes()[:5000])
    (out / "audio_2.tar").unlink()
    prepare([source], out, 3, seed=0)
    assert files(out) == whole
    assert (out / "audio_3.tar").stat().st_mtime_ns == times[out / "audio_3.tar"]


def test_a_recording_made_anew_is_taken_up_and_shards_no_longer_filled_go(source, tmp_path):
    out = tmp_path / "out"
    prepare([source], out, 3, seed=0)
    audio.write(source.parent / "wav" / "5.wav", np.full(16_000 + 999 * 5, 0.25, np.float32))
    before = members(out)
    prepare([source], out, 3, seed=0)
    after = members(out)
    changed = [name for shard in after for name in after[shard] if after[shard][name] != before[shard][name]]
    assert changed == ["00000005.flac"]
    source.write_text("".join(source.read_text().splitlines(keepends=True)[:5]))
    prepare([source], out, 3, seed=0)
    assert sum(map(len, members(out).values())) == len(rows_of(out)) == 5
    assert len(members(out)) == 2


def test_other_options_are_refused(source, tmp_path):
    prepare([source], tmp_path / "out", 3, seed=0)
    with pytest.raises(UserError, match="utterances_per_shard was 3, now 4"):
        prepare([source], tmp_path / "out", 4, seed=0)


def command(*arguments):
    return run(COMMAND, *arguments)


def test_a_bad_recording_costs_its_row_is_named_and_is_status_1_also_when_typed_again(source, tmp_path):
    (tmp_path / "wav" / "3.wav").write_bytes(b"RIFF")
    audio.write(tmp_path / "wav" / "4.wav", np.zeros(16_000 + 999 * 4, np.float32))
    audio.write(tmp_path / "wav" / "5.wav", np.ones(16_000, np.float32))
    (tmp_path / "wav" / "6.wav").unlink()
    with source.open("a") as lines:
        lines.write('{"audio_filepath": "wav/1.wav", "duration": 1.0, "text": "one"}\n{\n')
    for _ in range(2):
        done = command(source, "--out", tmp_path / "out", "--utterances-per-shard", 4)
        assert done.returncode == 1, done.stderr
        named = sorted(line for line in done.stderr.splitlines() if line.startswith("left out: "))
        assert len(named) == 6
        for line in (4, 5, 6, 7, 11, 12):
            assert sum(f"{source}:{line} " in one for one in named) == 1
        assert "tarred_audio_manifest.json: 6 utterances" in done.stdout
        assert "left out 2: unreadable recording" in done.stdout
    kept = [one["audio_filepath"] for one in rows_of(tmp_path / "out")]
    assert kept == [f"{index:08d}.flac" for index in (0, 1, 2, 7, 8, 9)]
    assert sorted(name for shard in members(tmp_path / "out").values() for name in shard) == kept


def test_a_good_manifest_is_status_0_and_a_missing_one_is_one_line_and_status_2(source, tmp_path):
    done = command(source, "--out", tmp_path / "out")
    assert (done.returncode, done.stderr) == (0, "")
    done = command(tmp_path / "gone.json", "--out", tmp_path / "none")
    assert done.returncode == 2
    assert done.stderr.startswith("error: cannot read manifest")
    assert done.stderr.count("\n") == 1


def test_nothing_usable_is_an_error(tmp_path):
    with pytest.raises(ShardError, match="no row can be used"):
        prepare([write(tmp_path / "m.json", row("gone.wav"))], tmp_path / "out", 3, seed=0)
