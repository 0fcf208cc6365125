"""Digits are cut out of connected speech where they lie, and spliced in their speaker's voice."""

import shutil

import numpy as np
import pytest
from commands import run
from numpy.lib.stride_tricks import sliding_window_view

from spoken_numbers import audio, manifest
from spoken_numbers.corpora import cut
from spoken_numbers.errors import UserError
from spoken_numbers.labels import label_of
from spoken_numbers.manifest import Utterance
from spoken_numbers.synthesis.engine import Line
from spoken_numbers.synthesis.flite import Flite

SAID = {"ann-1": "one five oh four four", "ann-2": "rubout nine six two seven", "ann-3": "fifty one"}

pytestmark = pytest.mark.skipif(shutil.which("flite") is None, reason="needs flite")


@pytest.fixture(scope="module")
def said(tmp_path_factory):
    folder = tmp_path_factory.mktemp("said")
    voice = next(one for one in Flite().voices("en") if "rms" in one.name or "slt" in one.name)
    rows = []
    for name, words in SAID.items():
        (waveform,) = Flite().render([Line(words, voice)])
        seconds = audio.write(folder / f"{name}.wav", waveform)
        digits = "".join(label_of(word) for word in words.split() if word in cut.DIGITS)
        rows.append(Utterance(f"{name}.wav", seconds, digits, "ann", words=words))
    return manifest.write(folder / "said.json", rows).path


def test_every_digit_that_was_said_is_cut_and_no_other_word(said, tmp_path):
    made = cut.prepare([said], tmp_path / "cut", "mine", 5, "3-6")
    assert (made.digits, made.words, made.left_out, made.implausible) == (10, 1, [], 0)
    digits = list(manifest.read(tmp_path / "cut" / "train_isolated.json"))
    assert sorted(row.text for row in digits) == sorted("15044" + "9627" + "1")
    whole = {name: audio.read(said.parent / f"{name}.wav") for name in SAID}
    for row in digits:
        piece = audio.read(row.path(tmp_path / "cut" / "train_isolated.json"))
        name = row.audio_filepath.split("/")[-1].rsplit("-", 2)[0]
        apart = [np.abs(window - piece).max() for window in sliding_window_view(whole[name], len(piece))[::160]]
        assert min(apart) < 1e-4  # it lies in the recording as it is, at a multiple of 10 ms
    order = [row.audio_filepath.split("-")[-1] for row in digits if "ann-1" in row.audio_filepath]
    assert order == [f"{digit}.wav" for digit in "15044"]


def test_strings_are_of_one_speakers_digits_and_the_same_twice(said, tmp_path):
    for folder in ("one", "two"):
        cut.prepare([said], tmp_path / folder, "mine", 7, "3-6")
    one, two = (list(manifest.read(tmp_path / folder / "train.json")) for folder in ("one", "two"))
    assert one == two
    assert len(one) == 7
    assert all(3 <= len(row.text) <= 6 and set(row.text) <= set("15049627") for row in one)
    for row in one:
        pair = [row.path(tmp_path / folder / "train.json").read_bytes() for folder in ("one", "two")]
        assert pair[0] == pair[1]


def test_what_cannot_be_aligned_is_named_and_the_rest_goes_on(said, tmp_path):
    rows = list(manifest.read(said))
    unknown = Utterance("ann-1.wav", rows[0].duration, "1", "ann", words="one qqxzzv")
    mixed = manifest.write(said.parent / "mixed.json", [*rows, unknown]).path
    done = run("scripts/cut_digits.py", mixed, "--out", tmp_path / "cut")
    assert done.returncode == 0, done.stderr
    assert "10 digits and 1 other number words cut" in done.stdout
    assert done.stderr.splitlines()[-1] == f"left out: cannot be aligned – {said.parent / 'ann-1.wav'}"


def test_a_manifest_without_words_is_one_sentence(said, tmp_path):
    silent = manifest.write(said.parent / "silent.json", [Utterance("ann-1.wav", 1.0, "1", "ann")]).path
    with pytest.raises(UserError, match="no digit could be cut"):
        cut.prepare([silent], tmp_path / "cut", "mine", 5, "3-6")
