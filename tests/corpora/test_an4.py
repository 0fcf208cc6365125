"""AN4: labels, its published test part, and what becomes of utterances that are no numbers."""

import corpus_makers as makers
import pytest
from corpus_makers import content, heard, rows_of, speakers_of

from spoken_numbers.corpora import an4
from spoken_numbers.corpora.layout import LayoutError
from spoken_numbers.errors import UserError

LABELS = {"an01": "122959", "an02": "500", "an03": "1*002"}


@pytest.fixture
def corpus(tmp_path):
    return makers.make_an4(tmp_path / "an4")


def test_numbers_are_labelled_as_they_were_read(corpus, tmp_path):
    an4.prepare(corpus, tmp_path / "out")
    rows = rows_of(tmp_path / "out", "train", "test", "published_test")
    assert len(rows) == len(LABELS) * 7
    for row in rows:
        assert row.text == LABELS[row.audio_filepath.rsplit("/", 1)[1][:4]]
    assert {row.text: row.style for row in rows} == {"122959": "groups", "500": "digits", "1*002": "cardinal"}


def test_every_row_names_its_own_recording(corpus, tmp_path):
    an4.prepare(corpus, tmp_path / "out", rest="digits")
    for row in rows_of(tmp_path / "out", "train", "test", "train_rest", "test_rest"):
        name = row.audio_filepath.rsplit("/", 1)[1]
        digits, voice = heard(tmp_path / "out" / row.audio_filepath)
        assert digits == makers.AN4_SAID[name[:4]][1].replace("00", "0").replace("22", "2")
        assert voice == makers.AN4["train"].index(row.speaker)


def test_splits_share_no_speaker_and_the_published_test_part_stays_apart(corpus, tmp_path):
    an4.prepare(corpus, tmp_path / "out")
    train, test, published = (
        speakers_of(rows_of(tmp_path / "out", split)) for split in ("train", "test", "published_test")
    )
    assert train | test == set(makers.AN4["train"])
    assert not train & test
    assert {speaker[0] for speaker in test} == {"f", "m"}
    assert published == set(makers.AN4["test"])


def test_a_corpus_without_the_published_test_part_is_prepared_without_it(corpus, tmp_path):
    for name in ("transcription", "fileids"):
        (corpus / "etc" / f"an4_test.{name}").unlink()
    made = an4.prepare(corpus, tmp_path / "out", test_speaker=["mblw"])
    assert [one.path.stem for one in made] == ["train", "test"]
    assert speakers_of(rows_of(tmp_path / "out", "test")) == {"mblw"}


@pytest.mark.parametrize(("rest", "labels"), [("empty", {""}), ("digits", {"", "624"})])
def test_the_rest_is_labelled_as_asked(corpus, tmp_path, rest, labels):
    an4.prepare(corpus, tmp_path / "out", rest=an4.Rest(rest))
    rows = rows_of(tmp_path / "out", "train_rest", "test_rest")
    assert {row.text for row in rows} == labels
    assert len(rows) == 2 * 5


def test_the_rest_is_left_out_and_counted(corpus, tmp_path):
    made = an4.prepare(corpus, tmp_path / "out")
    assert sum(sum(one.left_out.values()) for one in made) == 2 * 7
    assert not (tmp_path / "out" / "train_rest.json").exists()


def test_the_same_bytes_from_the_same_seed_and_after_a_broken_run(corpus, tmp_path):
    for name in ("one", "two"):
        an4.prepare(corpus, tmp_path / name, seed=3)
    whole = content(tmp_path / "one")
    assert whole == content(tmp_path / "two")
    for name in sorted(whole)[::3]:
        (tmp_path / "one" / name).unlink()
    an4.prepare(corpus, tmp_path / "one", seed=3)
    assert content(tmp_path / "one") == whole


def test_a_folder_of_other_options_is_not_gone_on_with(corpus, tmp_path):
    an4.prepare(corpus, tmp_path / "out", test_speaker=["fbbh"])
    with pytest.raises(UserError, match="other options"):
        an4.prepare(corpus, tmp_path / "out", test_speaker=["mblb"])


def test_a_corrupt_recording_is_named_counted_and_costs_only_itself(corpus, tmp_path, capsys):
    bad = corpus / "wav" / "an4_clstk" / "mblb" / "an02-mblb-b.sph"
    bad.write_bytes(b"NIST_1A\n")
    made = an4.prepare(corpus, tmp_path / "out", test_speaker=["fbbh"])
    assert made[0].left_out["recording that cannot be read or is silent"] == 1
    assert made[0].utterances == 4 * len(LABELS) - 1
    assert str(bad) in capsys.readouterr().err


@pytest.mark.parametrize(
    ("file", "line"),
    [("transcription", "FIVE"), ("transcription", "FIVE (an99-fbbh-b)"), ("fileids", "an4_clstk/fbbh/an01-fbbh-b")],
)
def test_transcriptions_and_recordings_belong_together(corpus, tmp_path, file, line):
    with (corpus / "etc" / f"an4_train.{file}").open("a") as listing:
        listing.write(line + "\n")
    with pytest.raises(LayoutError, match=rf"an4_train\.{file}"):
        an4.prepare(corpus, tmp_path / "out")
    assert not (tmp_path / "out").exists()
