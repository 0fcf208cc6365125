"""Recipes that splice strings from isolated digits: FSDD, AudioMNIST, Speech Commands."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import corpus_makers as makers
import pytest
from corpus_makers import content, heard, rows_of, speakers_of

from spoken_numbers.corpora import audiomnist, fsdd, speech_commands
from spoken_numbers.errors import UserError
from spoken_numbers.manifest import Made


@dataclass(frozen=True)
class Recipe:
    make: Callable[[Path], Path]
    prepare: Callable[..., list[Made]]
    voices: tuple[str, ...]
    splits: tuple[str, ...] = ("train", "test")


RECIPES = {
    "fsdd": Recipe(makers.make_fsdd, fsdd.prepare, makers.FSDD),
    "audiomnist": Recipe(makers.make_audiomnist, audiomnist.prepare, tuple(makers.AUDIOMNIST)),
    "speech_commands": Recipe(
        makers.make_speech_commands,
        speech_commands.prepare,
        tuple(makers.SPEECH_COMMANDS),
        ("train", "validation", "test"),
    ),
}
FEW = {"strings_per_speaker": 4, "test_strings_per_speaker": 3, "length": "3-5"}


@pytest.fixture(autouse=True)
def one_process(monkeypatch):
    """To start processes costs more here than the work; the commands' tests start them."""
    monkeypatch.setattr("os.cpu_count", lambda: 1)


@pytest.fixture(params=RECIPES)
def recipe(request) -> Recipe:
    return RECIPES[request.param]


@pytest.fixture
def corpus(recipe, tmp_path) -> Path:
    return recipe.make(tmp_path / "corpus")


def test_no_speaker_is_in_two_splits_and_none_is_lost(recipe, corpus, tmp_path):
    made = recipe.prepare(corpus, tmp_path / "out", **FEW)
    names = [name for split in recipe.splits for name in (split, f"{split}_isolated")]
    assert [one.path.stem for one in made] == names
    by_split = {split: speakers_of(rows_of(tmp_path / "out", split, f"{split}_isolated")) for split in recipe.splits}
    assert sorted(speaker for speakers in by_split.values() for speaker in speakers) == sorted(recipe.voices)
    assert all(by_split.values())


def test_label_and_speaker_are_what_is_heard(recipe, corpus, tmp_path):
    recipe.prepare(corpus, tmp_path / "out", **FEW)
    rows = rows_of(tmp_path / "out", *recipe.splits)
    assert speakers_of(rows) == set(recipe.voices)
    for row in rows + rows_of(tmp_path / "out", "train_isolated", "test_isolated"):
        expected = "".join(key for key, _ in groupby(row.text))
        assert heard(tmp_path / "out" / row.audio_filepath) == (expected, recipe.voices.index(row.speaker))
        assert row.words.split() == [makers.WORDS[int(digit)] for digit in row.text]


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(recipe, corpus, tmp_path):
    for name, seed in (("one", 0), ("two", 0), ("other", 1)):
        recipe.prepare(corpus, tmp_path / name, seed=seed, **FEW)
    one, two, other = (content(tmp_path / name) for name in ("one", "two", "other"))
    assert one == two
    strings = {name for name in one if name.startswith("wav/strings/") and name.endswith(".wav")}
    assert strings
    assert not {one[name] for name in strings} & set(other.values())


def test_a_run_broken_off_goes_on_to_the_same_bytes(recipe, corpus, tmp_path):
    out = tmp_path / "out"
    recipe.prepare(corpus, out, **FEW)
    whole = content(out)
    for name in sorted(whole)[::3]:
        (out / name).unlink()
    recipe.prepare(corpus, out, **FEW)
    assert content(out) == whole


def test_a_second_run_makes_nothing_again(recipe, corpus, tmp_path, capsys):
    out = tmp_path / "out"
    recipe.prepare(corpus, out, **FEW)
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*.wav")}
    recipe.prepare(corpus, out, **FEW)
    assert {path: path.stat().st_mtime_ns for path in out.rglob("*.wav")} == before
    assert "are already there" in capsys.readouterr().err


def test_more_strings_leave_the_first_ones_as_they_are(recipe, corpus, tmp_path):
    recipe.prepare(corpus, tmp_path / "few", **FEW)
    recipe.prepare(corpus, tmp_path / "more", **FEW | {"strings_per_speaker": 6})
    few, more = (content(tmp_path / name / "wav") for name in ("few", "more"))
    assert few.items() < more.items()


@pytest.mark.parametrize("other", [{"seed": 7}, {"length": "6"}])
def test_a_folder_of_other_options_is_not_gone_on_with(recipe, corpus, tmp_path, other):
    recipe.prepare(corpus, tmp_path / "out", **FEW)
    before = content(tmp_path / "out")
    with pytest.raises(UserError, match=f"other options: {next(iter(other))} was"):
        recipe.prepare(corpus, tmp_path / "out", **FEW | other)
    assert content(tmp_path / "out") == before


def test_a_corrupt_take_is_named_counted_and_costs_only_itself(recipe, corpus, tmp_path, capsys):
    bad = sorted(corpus.rglob("*.wav"))[-1]
    bad.write_bytes(b"RIFF, it says")
    made = recipe.prepare(corpus, tmp_path / "out", **FEW)
    assert sum(sum(one.left_out.values()) for one in made) == 1
    assert str(bad) in capsys.readouterr().err
    assert not any(bad.stem in row.audio_filepath for row in rows_of(tmp_path / "out", "train_isolated"))


def test_a_silent_take_is_left_out(recipe, corpus, tmp_path, capsys):
    quiet = sorted(corpus.rglob("*.wav"))[-1]
    makers.write(quiet, 0 * makers.said("1", 0), 16_000)
    made = recipe.prepare(corpus, tmp_path / "out", **FEW)
    assert sum(sum(one.left_out.values()) for one in made) == 1
    assert "silent" in capsys.readouterr().err


@pytest.mark.parametrize("folder", ["data", "."])
def test_audiomnist_holds_out_the_same_share_of_women_and_men(tmp_path, folder):
    corpus = makers.make_audiomnist(tmp_path / "corpus")
    (corpus / "data" / audiomnist.META).rename(corpus / folder / audiomnist.META)
    for seed in range(3):
        out = tmp_path / str(seed)
        audiomnist.prepare(corpus, out, test_fraction=0.4, seed=seed, **FEW | {"test_strings_per_speaker": 1})
        held = speakers_of(rows_of(out, "test"))
        assert sorted(makers.AUDIOMNIST[speaker] for speaker in held) == ["female", "male"]


@pytest.mark.parametrize("meta", [None, "no JSON", "[]", '{"01": {}}'])
def test_audiomnist_does_without_genders(tmp_path, meta, capsys):
    corpus = makers.make_audiomnist(tmp_path / "corpus")
    file = corpus / "data" / audiomnist.META
    file.unlink() if meta is None else file.write_text(meta)
    audiomnist.prepare(corpus, tmp_path / "out", **FEW)
    assert len(speakers_of(rows_of(tmp_path / "out", "test"))) == 1
    assert "tells no genders" in capsys.readouterr().err


def test_speech_commands_keeps_the_published_splits(tmp_path):
    corpus = makers.make_speech_commands(tmp_path / "corpus")
    speech_commands.prepare(corpus, tmp_path / "out", **FEW)
    for split in ("train", "validation", "test"):
        published = {speaker for speaker, there in makers.SPEECH_COMMANDS.items() if there == split}
        assert speakers_of(rows_of(tmp_path / "out", split, f"{split}_isolated")) == published


def test_a_speaker_who_is_listed_once_is_wholly_held_out(tmp_path):
    corpus = makers.make_speech_commands(tmp_path / "corpus")
    (corpus / "testing_list.txt").write_text("seven/1b4c9b89_nohash_0.wav\n")
    speech_commands.prepare(corpus, tmp_path / "out", **FEW)
    assert speakers_of(rows_of(tmp_path / "out", "test", "test_isolated")) == {"1b4c9b89"}


@pytest.mark.parametrize("named", [["nobody"], list(makers.FSDD)])
def test_fsdd_needs_speakers_on_both_sides(tmp_path, named):
    corpus = makers.make_fsdd(tmp_path / "corpus")
    with pytest.raises(UserError, match="speaker"):
        fsdd.prepare(corpus, tmp_path / "out", test_speaker=named)
    assert not (tmp_path / "out").exists()
