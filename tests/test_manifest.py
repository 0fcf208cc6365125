import json
import os
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis.strategies import (
    binary,
    booleans,
    builds,
    dictionaries,
    floats,
    integers,
    just,
    lists,
    none,
    one_of,
    recursive,
    sampled_from,
    text,
)

from spoken_numbers import manifest
from spoken_numbers.manifest import FieldError, ManifestError, RowError, Utterance, parse_row

anything = text(max_size=30)
file_names = text(min_size=1, max_size=60).filter(lambda name: "\0" not in name)
utterances = builds(
    Utterance,
    audio_filepath=file_names,
    duration=floats(min_value=0, exclude_min=True, allow_infinity=False),
    text=anything,
    speaker=anything,
    corpus=anything,
    style=anything,
    words=anything,
)
same_folder = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


@same_folder
@given(rows=lists(utterances, max_size=20))
def test_what_is_written_is_read_back(rows, tmp_path):
    made = manifest.write(tmp_path / "m.json", rows)
    assert list(manifest.read(tmp_path / "m.json")) == rows
    assert made.utterances == len(rows)


@same_folder
@given(name=binary(min_size=1, max_size=40).filter(lambda name: b"\0" not in name))
def test_a_file_name_of_any_bytes_is_read_back(name, tmp_path):
    row = Utterance(os.fsdecode(name), 1.0, "1")
    manifest.write(tmp_path / "m.json", [row])
    assert os.fsencode(next(manifest.read(tmp_path / "m.json")).audio_filepath) == name


json_values = recursive(
    one_of(none(), booleans(), integers(), just(10**400), floats(), anything, just("\ud800"), just("\0")),
    lambda inner: one_of(lists(inner, max_size=3), dictionaries(anything, inner, max_size=3)),
    max_leaves=5,
)
rows_of_any_values = dictionaries(
    sampled_from(["audio_filepath", "duration", "text", "speaker", "words", "offset", "other"]), json_values
)


@given(row=rows_of_any_values)
def test_a_row_of_any_values_is_an_utterance_or_a_manifest_error(row):
    with suppress(ManifestError):
        utterance = parse_row(json.dumps(row), "m.json:1")
        assert 0 < utterance.duration < float("inf")
        os.fsencode(utterance.audio_filepath)


@given(line=one_of(text(), binary()))
def test_any_line_is_an_utterance_or_a_manifest_error(line):
    with pytest.raises(ManifestError):  # no random text is a whole row
        parse_row(line, "m.json:1")


@pytest.mark.parametrize(
    ("line", "error", "message"),
    [
        ("{", RowError, "row is not JSON: Expecting property name enclosed in double quotes: line 1 column 2 (char 1)"),
        ("[" * 100_000, RowError, "row is not JSON: nested too deeply"),
        ("[1]", RowError, "row is not a JSON object"),
        (b'{"text": "\xff"}', RowError, "row is not UTF-8: byte 11"),
        ('{"x": "' + "a" * (1 << 20), RowError, "row is longer than 1048576 bytes"),
        ('{"duration": 1, "text": ""}', FieldError, "row has no usable 'audio_filepath': missing"),
        ('{"audio_filepath": "a", "text": ""}', FieldError, "row has no usable 'duration': missing"),
        ('{"audio_filepath": "a", "duration": 1}', FieldError, "row has no usable 'text': missing"),
        ('{"audio_filepath": ["a"], "duration": 1, "text": ""}', FieldError, "'audio_filepath': a list is not text"),
        ('{"audio_filepath": "", "duration": 1, "text": ""}', FieldError, "'audio_filepath': \"\" cannot be a path"),
        ('{"audio_filepath": "a", "duration": 1, "text": 12}', FieldError, "'text': 12 is not text"),
        (
            '{"audio_filepath": "a", "duration": 1, "text": "", "speaker": {}}',
            FieldError,
            "'speaker': an object is not",
        ),
        *(
            (f'{{"audio_filepath": "a", "duration": {value}, "text": ""}}', FieldError, "not a positive number of s")
            for value in ("NaN", "Infinity", "0", "-1.5", '"3"', "true", "1" + "0" * 400)
        ),
        ('{"audio_filepath": "a", "duration": 1, "text": "", "offset": 2.5}', FieldError, "no usable 'offset'"),
    ],
    ids=lambda value: str(value)[:60],
)
def test_an_unusable_row_is_said_to_be_so(line, error, message):
    with pytest.raises(error) as raised:
        parse_row(line, "train.json:7")
    assert message in raised.value.what
    assert raised.value.where == "train.json:7"


def test_unknown_fields_and_blank_lines_are_no_fault(tmp_path):
    path = tmp_path / "m.json"
    path.write_text('\n{"audio_filepath": "a", "duration": 2, "text": "1", "lang": "en", "offset": 0}\r\n \n')
    assert list(manifest.read(path)) == [Utterance("a", 2.0, "1")]


def test_a_number_as_speaker_is_read_as_text():
    assert parse_row('{"audio_filepath": "a", "duration": 2, "text": "1", "speaker": 7}', "").speaker == "7"


def test_a_missing_manifest_is_a_manifest_error(tmp_path):
    with pytest.raises(ManifestError, match="cannot read manifest: No such file or directory"):
        next(manifest.read(tmp_path / "none.json"))


@pytest.fixture
def recordings(tmp_path, monkeypatch):
    """Names of recordings, as a manifest in ``corpus`` would give them, and where they lie."""
    corpus, work, home = tmp_path / "corpus", tmp_path / "work", tmp_path / "home"
    for folder, names in ((corpus, ["a", "both"]), (work, ["b", "both"]), (home, ["c"])):
        folder.mkdir()
        for name in names:
            (folder / name).touch()
    monkeypatch.chdir(work)
    monkeypatch.setenv("HOME", str(home))
    too_long = "./" * 127 + "b"
    return {
        "a": corpus / "a",
        "both": corpus / "both",
        "b": work / "b",
        "~/c": home / "c",
        str(work / "b"): work / "b",
        too_long: work / "b",
        "./" * 127 + "both": work / "both",
    }


def test_recordings_are_found_where_nemo_finds_them(recordings, tmp_path):
    for name, place in recordings.items():
        assert Utterance(name, 1.0, "").path(tmp_path / "corpus" / "m.json").resolve() == place


@pytest.mark.slow
def test_nemo_finds_them_there(recordings, tmp_path):
    from nemo.collections.common.parts.preprocessing.manifest import get_full_path

    for name, place in recordings.items():
        assert Path(get_full_path(name, str(tmp_path / "corpus" / "m.json"))).resolve() == place


@pytest.mark.parametrize("name", ["nowhere", "~no-such-user/x"])
def test_a_recording_that_is_nowhere_is_missed_beside_the_manifest(name, tmp_path):
    assert Utterance(name, 1.0, "").path(tmp_path / "m.json") == tmp_path / name
