"""AN4's utterances that hold numbers among other words."""

import corpus_makers as makers
import pytest
from corpus_makers import rows_of

from spoken_numbers.corpora import an4

SAID = [
    ("erase z p eight hundred and twenty three", "823"),
    ("erase t x two thousand five hundred and fifty two", "2*552"),
    ("fifty eight oh nine and a half", "5809"),
    ("n and p nine", "9"),
    ("a six a b seven", "67"),
    ("rubout and and", ""),
    ("go twenty and six", "206"),
]


@pytest.mark.parametrize(("words", "label"), SAID)
def test_the_rest_is_labelled_with_the_numbers_that_are_said(tmp_path, words, label):
    corpus = makers.make_an4(tmp_path / "an4")
    transcription = corpus / "etc" / "an4_train.transcription"
    transcription.write_text(transcription.read_text().replace("ENTER SIX TWO FOUR", words.upper()))
    an4.prepare(corpus, tmp_path / "out", test_speaker=["mblw"], rest=an4.Rest.DIGITS)
    rows = rows_of(tmp_path / "out", "train_rest", "test_rest")
    assert {row.text for row in rows if row.words == words} == {label}
