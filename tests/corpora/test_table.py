"""One's own recordings by a table: columns, labels, formats, splits, and every bad row by its line."""

import shutil
import subprocess

import corpus_makers as makers
import pytest
from corpus_makers import content, heard, rows_of, speakers_of

from spoken_numbers.corpora import table as tables
from spoken_numbers.corpora.table import NumbersAre, number_label
from spoken_numbers.corpora.table_file import USUAL, Columns, TableError
from spoken_numbers.errors import UserError
from spoken_numbers.labels import LabelError

SPOKEN = {"a1": "31", "a2": "52", "b1": "748", "b2": "90", "c1": "16", "c2": "27"}


@pytest.fixture
def folder(tmp_path):
    for voice, (name, digits) in enumerate(SPOKEN.items()):
        makers.write(tmp_path / "clips" / f"{name}.wav", makers.said(digits, voice, 24_000), 24_000)
    return tmp_path


def table_of(folder, *rows, header="filename,transcription,spk_id", name="train.csv"):
    path = folder / name
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return path


def good_rows(suffix="wav"):
    return [f"clips/{name}.{suffix},{digits},{name[0]}" for name, digits in SPOKEN.items()]


def prepare(table, **options):
    return tables.prepare(table, table.parent / "out", options.pop("columns", Columns()), **options)


def all_rows(folder):
    there = [split for split in ("train", "test") if (folder / "out" / f"{split}.json").exists()]
    return rows_of(folder / "out", *there)


def test_label_and_speaker_are_what_is_heard(folder):
    made = prepare(table_of(folder, *good_rows()), test_fraction=0.4)
    assert not any(one.left_out for one in made)
    rows = all_rows(folder)
    assert len(rows) == len(SPOKEN)
    for row in rows:
        name = row.audio_filepath.rsplit("/", 1)[1][:2]
        assert (row.text, row.speaker) == (SPOKEN[name], name[0])
        assert heard(folder / "out" / row.audio_filepath)[0] == row.text


def test_no_speaker_is_in_two_splits(folder):
    prepare(table_of(folder, *good_rows()), test_fraction=0.3)
    train, test = (speakers_of(rows_of(folder / "out", split)) for split in ("train", "test"))
    assert train | test == {"a", "b", "c"}
    assert len(test) == 1
    assert not train & test


def test_named_speakers_are_held_out(folder):
    prepare(table_of(folder, *good_rows()), test_speaker=["b"])
    assert speakers_of(rows_of(folder / "out", "test")) == {"b"}


def test_rows_without_a_speaker_are_split_one_by_one(folder):
    rows = [row.rsplit(",", 1)[0] for row in good_rows()]
    prepare(table_of(folder, *rows, header="path,text"), test_fraction=0.5)
    assert [len(rows_of(folder / "out", split)) for split in ("train", "test")] == [3, 3]


def test_nothing_held_out_leaves_no_empty_test_manifest(folder):
    prepare(table_of(folder, *good_rows()), test_fraction=0)
    assert not (folder / "out" / "test.json").exists()


@pytest.mark.parametrize("audio", USUAL["audio"])
@pytest.mark.parametrize("separator", [",", "\t", ";"])
def test_usual_columns_and_separators_are_guessed(folder, audio, separator):
    header = ["id", USUAL["speaker"][-1].upper(), audio, USUAL["text"][-1]]
    rows = [separator.join(["1", name[0], f"clips/{name}.wav", digits]) for name, digits in SPOKEN.items()]
    prepare(table_of(folder, *rows, header="\ufeff" + separator.join(header)))
    assert sorted((row.speaker, row.text) for row in all_rows(folder)) == sorted((n[0], d) for n, d in SPOKEN.items())


def test_columns_can_be_named_and_the_audio_lie_elsewhere(folder):
    (folder / "lists").mkdir()
    table = table_of(folder / "lists", "a1.wav,no,31", header="clip,text,said")
    prepare(table, columns=Columns(audio="clip", text="said"), audio_root=folder / "clips")
    assert [row.text for row in all_rows(folder / "lists")] == ["31"]


@pytest.mark.parametrize(
    ("header", "columns", "told"),
    [
        ("clip,text", Columns(), "columns are 'clip', 'text'.*--audio-column"),
        ("path,said", Columns(), "columns are 'path', 'said'.*--text-column"),
        ("path,text", Columns(speaker="who"), "no column 'who'; columns are 'path', 'text'.*--speaker-column"),
    ],
)
def test_a_missing_column_is_told_with_those_there_are(folder, header, columns, told):
    with pytest.raises(TableError, match=told):
        prepare(table_of(folder, "clips/a1.wav,31", header=header), columns=columns)
    assert not (folder / "out").exists()


BAD = {
    "clips/a1.wav,seventy-ate,a": "'seventy-ate' is no number word",
    "clips/a1.wav,,a": "the text is empty",
    "clips/a1.wav,-31,a": "'-31' is not a whole number",
    "clips/a1.wav,3.1,a": "'3.1' is not a whole number",
    "clips/none.wav,31,a": "no such recording",
    ",31,a": "no recording is named",
    "clips/broken.mp3,31,a": "cannot decode",
    "clips/silent.wav,31,a": "silent",
    "clips/b2.wav,90,b": "has a row already",
    "clips/a1.wav,31": "2 cells under 3 columns",
    "clips/a1.wav,31,a,b": "4 cells under 3 columns",
}


def test_every_bad_row_is_named_by_its_line_and_costs_only_itself(folder, capfd):
    (folder / "clips" / "broken.mp3").write_bytes(b"no sound")
    makers.write(folder / "clips" / "silent.wav", 0 * makers.said("1", 0), 16_000)
    good = good_rows()
    made = prepare(table_of(folder, *good[3:], "", '"clips/a2.wav","fifty\ntwo",a', *BAD))
    told = capfd.readouterr().err
    for line, fault in enumerate(BAD.values(), start=8):
        (named,) = [one for one in told.splitlines() if f"train.csv:{line} " in one]
        assert named.startswith("left out: ")
        assert fault in named
    assert sum(sum(one.left_out.values()) for one in made) == len(BAD)
    assert sorted(row.text for row in all_rows(folder)) == ["16", "27", "52", "90"]


def test_a_table_without_a_good_row_is_an_error(folder):
    with pytest.raises(TableError, match="no row can be used"):
        prepare(table_of(folder, "clips/a1.wav,yes,a"))
    assert not (folder / "out").exists()


@pytest.mark.parametrize("content_", [b"", b"\xff\xfe\x00", b'path,text\n"clips/a1.wav,31\n'])
def test_what_is_no_table_is_an_error(folder, content_):
    (folder / "train.csv").write_bytes(content_)
    with pytest.raises(TableError):
        prepare(folder / "train.csv")


@pytest.mark.parametrize(
    ("text", "digits", "cardinal"),
    [
        ("183037", "183037", "183*037"),
        ("183,037", "183037", "183*037"),
        ("183 037.", "183037", "183*037"),
        ("1 000 002", "1000002", "1*000*002"),
        ("7", "7", "7"),
        ("183*037", "183*037", "183*037"),
        ("one eight three", "183", "183"),
        ("one thousand two", "1*002", "1*002"),
        ("007", "007", None),
        ("12 34", "1234", None),
        ("1234567890", "1234567890", None),
        ("1*2", None, None),
        ("1.5", None, None),
        ("-5", None, None),
        ("५", None, None),
    ],
)
def test_figures_are_labelled_as_they_were_read(text, digits, cardinal):
    for numbers_are, label in ((NumbersAre.DIGITS, digits), (NumbersAre.CARDINAL, cardinal)):
        if label is None:
            with pytest.raises(LabelError):
                number_label(text, numbers_are, "en")
        else:
            assert number_label(text, numbers_are, "en") == label


def test_words_are_read_in_their_language(folder):
    prepare(table_of(folder, "clips/a1.wav,тридцать один,a"), language="ru")
    assert [row.text for row in all_rows(folder)] == ["31"]


@pytest.mark.parametrize("suffix", ["mp3", "flac", "ogg", "m4a"])
def test_recordings_may_have_any_format(folder, suffix):
    if suffix == "m4a" and shutil.which("ffmpeg") is None:
        pytest.skip("needs ffmpeg")
    for name, digits in SPOKEN.items():
        wav = folder / "clips" / f"{name}.wav"
        if suffix == "m4a":
            command = ["ffmpeg", "-v", "error", "-i", wav, wav.with_suffix(".m4a")]
            subprocess.run(command, check=True)
        else:
            makers.write(wav.with_suffix(f".{suffix}"), makers.said(digits, 0, 24_000), 24_000)
        wav.unlink()
    assert not any(one.left_out for one in prepare(table_of(folder, *good_rows(suffix))))
    assert len(all_rows(folder)) == len(SPOKEN)
    for row in all_rows(folder):
        assert heard(folder / "out" / row.audio_filepath)[0] == row.text


def test_two_formats_of_one_name_stay_two_recordings(folder):
    makers.write(folder / "clips" / "a1.flac", makers.said("88", 0), 16_000)
    prepare(table_of(folder, "clips/a1.wav,31,a", "clips/a1.flac,88,a"))
    assert len({row.audio_filepath for row in all_rows(folder)}) == 2


def test_a_run_broken_off_goes_on_to_the_same_bytes_and_other_options_do_not(folder):
    table = table_of(folder, *good_rows())
    prepare(table)
    whole = content(folder / "out")
    for name in sorted(whole)[::3]:
        (folder / "out" / name).unlink()
    prepare(table)
    assert content(folder / "out") == whole
    with pytest.raises(UserError, match="numbers was 'digits', now 'cardinal'"):
        prepare(table, numbers_are=NumbersAre.CARDINAL)
