"""Clips are read before training, and a faulty one is named there."""

import json

import numpy as np
import pytest
import soundfile
from augmentation.sounds import clips

from spoken_numbers.augmentation.clips import ClipBank
from spoken_numbers.errors import UserError


def plain(samples):
    return samples


def sounds(count, samples=1600):
    rng = np.random.default_rng(0)
    return {f"clip{i}": rng.standard_normal(samples).astype(np.float32) * 0.1 for i in range(count)}


def test_all_clips_are_drawn_as_they_are(tmp_path):
    waveforms = sounds(5)
    bank = ClipBank(str(clips(tmp_path, waveforms)), plain)
    drawn = {bank.draw(np.random.default_rng(seed)).tobytes() for seed in range(80)}
    assert drawn == {waveform.tobytes() for waveform in waveforms.values()}


def test_memory_is_bounded_and_the_rest_is_read_when_drawn(tmp_path):
    waveforms = sounds(20)
    bank = ClipBank(str(clips(tmp_path, waveforms)), plain, memory_mb=0.02)
    assert sum(kept.nbytes for kept in bank._kept) <= 0.02e6 + 6400
    assert len(bank) == 20
    drawn = {bank.draw(np.random.default_rng(seed)).tobytes() for seed in range(300)}
    assert drawn == {waveform.tobytes() for waveform in waveforms.values()}


def test_a_row_may_be_a_part_of_a_recording_at_any_rate_and_without_duration(tmp_path):
    soundfile.write(tmp_path / "long.flac", np.tile([0.5, 0.25], 22_050), 44_100, subtype="PCM_24")
    manifest = tmp_path / "parts.json"
    rows = [{"audio_filepath": "long.flac", "offset": 0.5, "duration": 0.25}, {"audio_filepath": "long.flac"}]
    manifest.write_text("\n".join(map(json.dumps, rows)))
    bank = ClipBank([str(manifest)], plain)
    assert sorted(len(kept) for kept in bank._kept) == [4000, 16_000]


def test_manifests_may_be_several(tmp_path):
    names = [str(clips(tmp_path, {name: one}, f"{name}.json")) for name, one in sounds(3).items()]
    assert len(ClipBank(names, plain)) == len(ClipBank(",".join(names), plain)) == 3


@pytest.mark.parametrize(
    ("broken", "told"),
    [
        (lambda f: (f / "clip1.wav").write_bytes(b""), "clip1.wav"),
        (lambda f: (f / "clip1.wav").unlink(), "no such recording"),
        (lambda f: soundfile.write(f / "clip1.wav", np.zeros(1600), 16_000), "recording is silent"),
        (lambda f: soundfile.write(f / "clip1.wav", np.zeros(0), 16_000), "no samples"),
        (lambda f: soundfile.write(f / "clip1.wav", np.full(99, np.nan), 16_000, subtype="FLOAT"), "NaN"),
        (lambda f: (f / "clips.json").write_text("[1, 2]\n"), "clips.json:1"),
        (lambda f: (f / "clips.json").write_text('{"duration": 1}\n'), "audio_filepath"),
        (lambda f: (f / "clips.json").write_text('{"audio_filepath": "clip0.wav", "offset": "x"}\n'), "clips.json:1"),
        (lambda f: (f / "clips.json").write_text("\n"), "manifest without rows"),
        (lambda f: (f / "clips.json").unlink(), "cannot read manifest"),
    ],
)
def test_what_cannot_be_used_is_one_sentence_before_training(tmp_path, broken, told):
    manifest = clips(tmp_path, sounds(3))
    broken(tmp_path)
    with pytest.raises(UserError) as caught:
        ClipBank(str(manifest), plain)
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)


def test_all_faulty_clips_are_counted(tmp_path):
    manifest = clips(tmp_path, sounds(9))
    for index in range(5):
        (tmp_path / f"clip{index}.wav").write_bytes(b"")
    with pytest.raises(UserError, match=r"5 unusable recordings: .*; and 2 more"):
        ClipBank(str(manifest), plain)


def test_a_clip_that_vanishes_is_an_error_when_drawn(tmp_path):
    bank = ClipBank(str(clips(tmp_path, sounds(3))), plain, memory_mb=0)
    for path in tmp_path.glob("*.wav"):
        path.unlink()
    with pytest.raises(UserError, match="no such recording"):
        bank.draw(np.random.default_rng(0))
