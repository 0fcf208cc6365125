"""Digits of a telephone exchange's voices become strings of each voice, and its phrases what holds no number."""

import gzip
import subprocess
import sys
from itertools import groupby
from pathlib import Path

import corpus_makers as makers
import numpy as np
import pytest
from corpus_makers import content, heard, rows_of

from spoken_numbers import audio
from spoken_numbers.corpora import prompts
from spoken_numbers.corpora.common import UNREADABLE
from spoken_numbers.corpora.layout import LayoutError
from spoken_numbers.errors import UserError

SCRIPT = Path(__file__).parents[2] / "scripts" / "prepare_prompts.py"
VOICES = ("en_US_f_ann", "en_US_m_ben")


@pytest.fixture
def sounds(tmp_path):
    for voice, name in enumerate(VOICES):
        folder = tmp_path / "sounds" / name / "digits"
        for digit in range(10):
            makers.write(folder / f"{digit}.wav", makers.said(str(digit), voice, 8_000), 8_000)
        makers.write(folder / "h-1.wav", makers.said("1", voice, 8_000), 8_000)  # "first"
    return tmp_path / "sounds"


@pytest.mark.parametrize("split", ["train", "test"])
def test_every_voice_says_strings_of_its_own_digits(sounds, tmp_path, split):
    command = [
        sys.executable,
        SCRIPT,
        sounds,
        "--out",
        tmp_path / "out",
        "--split",
        split,
        "--strings-per-speaker",
        "4",
    ]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    strings, digits = (rows_of(tmp_path / "out", name) for name in (split, f"{split}_isolated"))
    assert len(strings) == 8
    assert sorted(row.text for row in digits) == sorted("0123456789" * 2)
    for row in [*strings, *digits]:
        expected = "".join(key for key, _ in groupby(row.text))
        assert heard(tmp_path / "out" / row.audio_filepath) == (expected, VOICES.index(row.speaker))


def test_a_voice_with_links_to_it_speaks_once(sounds, tmp_path):
    (sounds / "en").symlink_to(sounds / VOICES[0])
    made = prompts.prepare(sounds, tmp_path / "out", strings_per_speaker=3)
    assert {row.speaker for row in rows_of(tmp_path / "out", "test")} == set(VOICES)
    assert made[0].utterances == 6


@pytest.mark.parametrize("suffix", [".txt", ".txt.gz"])
def test_phrases_without_a_number_are_taken(sounds, tmp_path, suffix):
    folder = sounds / VOICES[1]
    for name in ("hello", "letters/z", "press-two", "menu", "oh", "gone"):
        makers.write(folder / f"{name}.wav", makers.said("1", 1, 8_000), 8_000)
    makers.write(folder / "silent.wav", np.zeros(8_000, np.float32), 8_000)
    said = "; a list\n\nhello: Hello, and welcome.\nletters/z: zee\npress-two: Press two.\nmenu: Press 1 now\noh: O\n"
    said += "beep: [a tone]\nsilent: Nothing.\nabsent: Not there.\n../../gone: Elsewhere.\n"
    transcripts = tmp_path / f"said{suffix}"
    transcripts.write_bytes(gzip.compress(said.encode()) if suffix.endswith("gz") else said.encode())
    made = prompts.prepare_phrases(sounds, transcripts, tmp_path / "out")
    rows = rows_of(tmp_path / "out", "test_phrases")
    assert [(row.words, row.text, row.speaker) for row in rows] == [
        ("Hello, and welcome.", "", VOICES[1]),
        ("zee", "", VOICES[1]),
    ]
    assert made.left_out == {prompts.NUMBER: 3, UNREADABLE: 1}
    assert heard(tmp_path / "out" / rows[0].audio_filepath) == ("1", 1)


def test_transcripts_that_are_none_are_one_line(sounds, tmp_path):
    torn = tmp_path / "torn.txt.gz"
    torn.write_bytes(gzip.compress(b"hello: Hello.\n" * 99)[:-9])
    with pytest.raises(UserError, match="cannot read transcripts"):
        prompts.prepare_phrases(sounds, torn, tmp_path / "out")
    (tmp_path / "empty.txt").touch()
    with pytest.raises(LayoutError, match=r"that empty\.txt names"):
        prompts.prepare_phrases(sounds, tmp_path / "empty.txt", tmp_path / "out")


def test_the_form_of_most_bandwidth_is_taken(sounds, tmp_path):
    wideband = sounds / VOICES[0] / "digits" / "3.g722"
    whole = makers.said("7", 0)
    subprocess.run(
        ["ffmpeg", "-v", "error", "-f", "f32le", "-ar", "16000", "-i", "-", "-f", "g722", str(wideband)],
        input=whole.astype("float32").tobytes(),
        check=True,
    )
    prompts.prepare(sounds, tmp_path / "out", strings_per_speaker=1)
    taken = tmp_path / "out" / "wav" / "isolated" / VOICES[0] / "3.wav"
    assert heard(taken) == ("7", 0)
    assert abs(len(audio.read(taken)) - len(whole)) < 400


def test_the_same_seed_gives_the_same_bytes(sounds, tmp_path):
    for name in ("one", "two"):
        prompts.prepare(sounds, tmp_path / name, strings_per_speaker=3)
    assert content(tmp_path / "one") == content(tmp_path / "two")


def test_another_folder_is_one_line(tmp_path):
    with pytest.raises(LayoutError, match=r"expected \{voice\}/digits/"):
        prompts.prepare(tmp_path, tmp_path / "out")
