"""Recordings whose paths tell who says what."""

import corpus_makers as makers
import pytest
from commands import run
from corpus_makers import heard, rows_of, speakers_of

from spoken_numbers.corpora import named
from spoken_numbers.errors import UserError
from spoken_numbers.labels import LabelError

SAID = {"ann/set/two_1.wav": "2", "ann/31.wav": "31", "ben/four five.wav": "45", "ben/90.ogg": "90"}
NUMBERED = r"(?P<speaker>\w+)/(set/)?(?P<number>[a-z ]+|\d+)(_\d)?\.(wav|ogg)"


@pytest.fixture
def corpus(tmp_path):
    for path, digits in SAID.items():
        voice = ("ann", "ben").index(path[:3])
        makers.write(tmp_path / "corpus" / path, makers.said(digits, voice, 24_000), 24_000)
    makers.write(tmp_path / "corpus" / "ann" / "notes" / "x-7.wav", makers.said("7", 0), 16_000)
    (tmp_path / "corpus" / "ann" / "31.txt").write_text("31")
    return tmp_path / "corpus"


def test_who_speaks_and_what_is_read_off_the_path(corpus, tmp_path):
    named.prepare(corpus, tmp_path / "out", NUMBERED, test_speaker=["ben"])
    for split, speaker in (("train", "ann"), ("test", "ben")):
        rows = rows_of(tmp_path / "out", split)
        assert speakers_of(rows) == {speaker}
        assert sorted(row.text for row in rows) == sorted(digits for path, digits in SAID.items() if speaker in path)
        for row in rows:
            assert heard(tmp_path / "out" / row.audio_filepath)[0] == row.text


def test_without_a_number_in_the_expression_no_number_is_said(corpus, tmp_path):
    (made,) = named.prepare(corpus, tmp_path / "out", r"(?P<speaker>\w+)/(?!notes).*\.(wav|ogg)", test_fraction=0)
    rows = rows_of(tmp_path / "out", "train")
    assert made.left_out == {}
    assert {(row.text, row.style) for row in rows} == {("", "other")}
    assert sorted(row.speaker for row in rows) == ["ann", "ann", "ben", "ben"]


def test_a_name_that_is_no_number_costs_only_itself_and_status_1(corpus, tmp_path):
    makers.write(corpus / "ann" / "twelf.wav", makers.said("7", 0), 16_000)
    script = ["scripts/prepare_named.py", corpus, "--out", tmp_path / "out", "--test-fraction", 0]
    done = run(*script, "--recordings", NUMBERED)
    assert done.returncode == 1
    assert done.stderr == (
        f"left out: 'twelf' is no number word in English – {corpus / 'ann' / 'twelf.wav'} – "
        "correct the expression, or rename the recording\n"
    )
    assert "left out 1: text that is no number" in done.stdout
    assert sorted(row.text for row in rows_of(tmp_path / "out", "train")) == sorted(SAID.values())


def test_by_default_a_folder_is_a_speaker_and_nothing_a_number(corpus, tmp_path):
    (corpus / "ann" / "31.txt").unlink()
    named.prepare(corpus, tmp_path / "out", test_fraction=0.5)
    train, test = (rows_of(tmp_path / "out", split) for split in ("train", "test"))
    assert {row.text for row in [*train, *test]} == {""}
    assert speakers_of(train) | speakers_of(test) == {"ann", "ben"}
    assert not speakers_of(train) & speakers_of(test)


@pytest.mark.parametrize(
    ("recordings", "says"),
    [
        ("(?P<speaker>", "no regular expression"),
        (r"\w+/.*", "no group named speaker"),
        (r"(?P<speaker>\w+)/.*\.flac", "no recording matches"),
    ],
)
def test_an_expression_that_cannot_be_is_refused_before_anything_is_written(corpus, tmp_path, recordings, says):
    with pytest.raises(UserError, match=says):
        named.prepare(corpus, tmp_path / "out", recordings)
    assert not (tmp_path / "out").exists()


def test_an_unknown_language_is_refused_even_where_names_are_figures(corpus, tmp_path):
    with pytest.raises(LabelError, match="unknown language 'xx'"):
        named.prepare(corpus, tmp_path / "out", r"(?P<speaker>ann)/(?P<number>\d+)\.wav", language="xx")
