"""The recipes on the published recordings, where SPOKEN_NUMBERS_CORPORA names a folder that holds them."""

import os
from pathlib import Path

import pytest
from corpus_makers import rows_of, speakers_of

from spoken_numbers.corpora import an4, fsdd

CORPORA = Path(os.environ.get("SPOKEN_NUMBERS_CORPORA", "/nonexistent"))


@pytest.mark.skipif(not (CORPORA / "an4").is_dir(), reason="needs SPOKEN_NUMBERS_CORPORA with an4/")
def test_an4_numbers_are_all_found_and_read(tmp_path):
    made = an4.prepare(CORPORA / "an4", tmp_path)
    assert not any("read" in reason for one in made for reason in one.left_out)
    rows = rows_of(tmp_path, "train", "test")
    assert len(speakers_of(rows)) <= 50
    by_words = {row.words: row.text for row in rows}
    assert by_words["twelve twenty four sixty eight"] == "122468"
    assert len(rows) == 167
    assert not speakers_of(rows_of(tmp_path, "train")) & speakers_of(rows_of(tmp_path, "test"))


@pytest.mark.skipif(not (CORPORA / "an4").is_dir(), reason="needs SPOKEN_NUMBERS_CORPORA with an4/")
def test_an4_rest_holds_every_other_utterance_of_all_fifty_speakers(tmp_path):
    an4.prepare(CORPORA / "an4", tmp_path, rest=an4.Rest.DIGITS)
    rows = rows_of(tmp_path, "train", "test", "train_rest", "test_rest")
    assert len(speakers_of(rows)) == 50
    assert {row.words: row.text for row in rows}["enter six two four"] == "624"


@pytest.mark.skipif(not (CORPORA / "fsdd").is_dir(), reason="needs SPOKEN_NUMBERS_CORPORA with fsdd/")
def test_every_take_of_fsdd_is_usable(tmp_path):
    made = fsdd.prepare(CORPORA / "fsdd", tmp_path, 3, "6", ["lucas"], test_strings_per_speaker=3)
    assert not any(one.left_out for one in made)
    takes = list((CORPORA / "fsdd" / "recordings").glob("*.wav"))
    assert len(rows_of(tmp_path, "train_isolated", "test_isolated")) == len(takes)
    assert {len(row.text) for row in rows_of(tmp_path, "train", "test")} == {6}
    assert speakers_of(rows_of(tmp_path, "test")) == {"lucas"}
