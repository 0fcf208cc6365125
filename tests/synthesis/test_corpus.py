"""Numbers spoken by engines become a corpus: the same each time, whole, and split by person."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile

from spoken_numbers import audio, manifest
from spoken_numbers.errors import UserError
from spoken_numbers.labels import digit_string, label_of
from spoken_numbers.synthesis import ENGINES, corpus
from spoken_numbers.synthesis.corpus import Size, prepare
from spoken_numbers.synthesis.engine import NOTHING, EngineError, Voice
from spoken_numbers.synthesis.text import Texts
from spoken_numbers.synthesis.voices import SPLITS

SIZES = {"train": Size(30), "validation": Size(8), "test": Size(8)}
ESPEAK = [engine for engine in ENGINES if engine.name == "espeak-ng"]
needs_espeak = pytest.mark.skipif(ESPEAK[0].version() is None, reason=f"needs {ESPEAK[0].install}")


FAULTS = ("raises", "empty", "short", "long", "quiet")


class Hummer:
    """Hums 0.3 s a word, each voice at its own pitch; some voices are broken in ways in which engines are."""

    name, share, install = "hummer", 1.0, "cannot be installed"

    def __init__(self, broken: int = 0, version: str | None = "1.0") -> None:
        self.broken, self._version = broken, version

    def version(self):
        return self._version

    def voices(self, language):
        return [Voice(self.name, f"v{n}", f"hummer:v{n}", gender="M") for n in range(20)] if language == "en" else []

    def render(self, lines):
        return [self._hum(line) for line in lines]

    def _hum(self, line):
        number = int(line.voice.name[1:])
        fault = FAULTS[number % len(FAULTS)] if number < self.broken else "none"
        if fault == "raises":
            raise EngineError("broken voice")
        words = len(line.text.split()) * {"empty": 0, "short": 0.01, "long": 20}.get(fault, 1)
        time = np.arange(int(0.3 * words / line.prosody.rate * audio.SAMPLE_RATE)) / audio.SAMPLE_RATE
        loudness = 1e-5 if fault == "quiet" else 0.3
        return loudness * np.sin(2 * np.pi * (100 + 10 * number) * time).astype(np.float32)


class Mute(Hummer):
    def render(self, lines):
        return [NOTHING] * len(lines)


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def rows(out: Path, split: str) -> list[manifest.Utterance]:
    return list(manifest.read(out / f"{split}.json"))


@pytest.fixture(scope="module")
def spoken(tmp_path_factory):
    """A corpus of all installed engines and styles, made once by two processes."""
    if not any(engine.version() for engine in ENGINES):
        pytest.skip("needs a text-to-speech engine")
    out = tmp_path_factory.mktemp("spoken")
    prepare(out, Texts(), SIZES, seed=3, jobs=2)
    return out


def test_the_same_seed_gives_the_same_bytes_in_one_process_and_in_two(spoken, tmp_path):
    prepare(tmp_path, Texts(), SIZES, seed=3, jobs=1)
    assert files(tmp_path) == files(spoken)


def test_another_seed_says_something_else(tmp_path):
    for seed in (0, 1):
        prepare(tmp_path / str(seed), Texts(), SIZES, engines=[Hummer()], seed=seed, jobs=1)
    assert [r.text for r in rows(tmp_path / "0", "train")] != [r.text for r in rows(tmp_path / "1", "train")]
    assert [r.text for r in rows(tmp_path / "0", "train")][:8] != [r.text for r in rows(tmp_path / "0", "test")]


def test_rows_say_what_is_in_the_recordings(spoken):
    person = {voice.speaker: voice.person for engine in ENGINES if engine.version() for voice in engine.voices("en")}
    heard: dict[str, set[str]] = {}
    for split in SPLITS:
        assert len(rows(spoken, split)) == SIZES[split].utterances
        for row in rows(spoken, split):
            assert not Path(row.audio_filepath).is_absolute()
            waveform, rate = soundfile.read(row.path(spoken / f"{split}.json"), dtype="float32")
            assert rate == audio.SAMPLE_RATE
            assert len(waveform) / rate == row.duration
            assert not audio.is_silent(waveform)
            assert np.abs(waveform).max() < 1
            margin = rate // 10 - 1
            assert not waveform[:margin].any()
            assert not waveform[-margin:].any()
            assert label_of(row.words) == row.text
            assert row.style in Texts().styles
            heard.setdefault(split, set()).add(person[row.speaker])
    assert not heard["train"] & (heard["validation"] | heard["test"])
    assert not heard["validation"] & heard["test"]


@needs_espeak
def test_deleted_and_half_made_files_are_made_again_byte_for_byte(tmp_path):
    sizes = {"train": Size(20), "test": Size(4)}
    prepare(tmp_path, Texts(), sizes, engines=ESPEAK, jobs=1)
    before = files(tmp_path)
    (tmp_path / "wav/train/0000/000003.wav").unlink()
    (tmp_path / "wav/train/0000/000019.wav").unlink()
    (tmp_path / "wav/test/0000/manifest.json").unlink()
    (tmp_path / "train.json").unlink()
    kept = tmp_path / "wav/train/0000/000004.wav"
    made = kept.stat().st_mtime_ns
    prepare(tmp_path, Texts(), sizes, engines=ESPEAK, jobs=1)
    assert files(tmp_path) == before
    assert kept.stat().st_mtime_ns == made, "a file that was there has been made again"


def test_a_larger_corpus_goes_on_where_a_smaller_one_ended(tmp_path):
    small, large = {"train": Size(30)}, {"train": Size(130)}
    for sizes in (small, large):
        prepare(tmp_path / "grown", Texts(), sizes, engines=[Hummer()], jobs=1)
    prepare(tmp_path / "once", Texts(), large, engines=[Hummer()], jobs=1)
    assert files(tmp_path / "grown") == files(tmp_path / "once")
    prepare(tmp_path / "grown", Texts(), small, engines=[Hummer()], jobs=1)
    assert rows(tmp_path / "grown", "train") == rows(tmp_path / "once", "train")[:30]


def test_hours_are_met_by_no_more_than_one_utterance(tmp_path):
    (made,) = prepare(tmp_path, Texts(), {"train": Size(hours=0.2)}, engines=[Hummer()], jobs=1)
    longest = max(row.duration for row in rows(tmp_path, "train"))
    assert 0.2 <= made.hours <= 0.2 + longest / 3600


def test_broken_voices_are_spoken_over_by_others_and_counted(tmp_path):
    held_out = {"validation_voices": ["hummer:v0", "hummer:v18"], "test_voices": ["hummer:v4", "hummer:v19"]}
    sizes = {"train": Size(60), "validation": Size(4), "test": Size(4)}
    for out in (tmp_path / "once", tmp_path / "again"):
        made = prepare(out, Texts(), sizes, engines=[Hummer(broken=5)], seed=6, jobs=1, **held_out)
    assert [one.utterances for one in made] == [60, 4, 4]
    told = " ".join(made[0].left_out)
    for reason in ("silent", "too short for its label", "too long for its words"):
        assert f"{reason}, spoken again by another voice" in told
    speakers = {row.speaker for split in SPLITS for row in rows(out, split)}
    assert not speakers & {f"hummer:v{number}" for number in range(5)}
    assert files(tmp_path / "again") == files(tmp_path / "once")


def test_what_no_voice_can_speak_is_left_out_and_counted(tmp_path):
    (made,) = prepare(tmp_path, Texts(), {"train": Size(40)}, engines=[Hummer(broken=15)], jobs=1)
    given_up = sum(count for reason, count in made.left_out.items() if "given up" in reason)
    assert given_up > 0
    assert made.utterances == len(rows(tmp_path, "train")) == 40 - given_up


def test_voices_that_all_are_held_out_make_a_test_corpus_alone(tmp_path):
    held_out = {"engines": [Hummer()], "test_voices": [voice.speaker for voice in Hummer().voices("en")], "jobs": 1}
    with pytest.raises(UserError, match=r"no voice is left for train.*--utterances 0"):
        prepare(tmp_path / "both", Texts(), {"train": Size(3), "test": Size(3)}, **held_out)
    (made,) = prepare(tmp_path / "test", Texts(), corpus.sizes(0, None, 0, 3), **held_out)
    assert (made.path.name, made.utterances) == ("test.json", 3)


def test_an_engine_that_never_speaks_is_an_error_and_leaves_no_manifest(tmp_path):
    with pytest.raises(EngineError, match="no voice could speak"):
        prepare(tmp_path, Texts(), SIZES, engines=[Mute()], jobs=1)
    assert not (tmp_path / "train.json").exists()


@pytest.mark.parametrize(
    "change",
    [{"seed": 1}, {"texts": Texts(length=(2, 2))}, {"test_voices": ["hummer:v1"]}, {"engines": [Hummer(version="2")]}],
)
def test_other_options_in_the_same_folder_are_an_error(tmp_path, change):
    usual = {"texts": Texts(), "sizes": {"train": Size(3)}, "engines": [Hummer()], "jobs": 1}
    prepare(tmp_path, **usual)
    before = files(tmp_path)
    with pytest.raises(UserError, match="other options"):
        prepare(tmp_path, **(usual | change))
    assert files(tmp_path) == before


def test_a_missing_engine_is_an_error_with_the_command_that_installs_it(tmp_path, monkeypatch):
    with pytest.raises(EngineError, match="cannot be installed"):
        prepare(tmp_path, Texts(), SIZES, engines=[Hummer(version=None)])
    monkeypatch.setattr(shutil, "which", lambda command: None)
    with pytest.raises(EngineError, match=r"sudo apt-get install espeak-ng"):
        prepare(tmp_path, Texts(), SIZES)
    with pytest.raises(EngineError, match=r"sudo apt-get install flite"):
        prepare(tmp_path, Texts(), SIZES, engines=corpus.chosen(["flite"]))


@needs_espeak
def test_six_digits_take_as_long_as_people_take(tmp_path):
    prepare(tmp_path, Texts(styles={"digits": 1}, length=(6, 6)), {"train": Size(60)}, engines=ESPEAK, jobs=2)
    seconds = np.array([row.duration for row in rows(tmp_path, "train")]) - 0.4
    assert np.quantile(seconds, 0.05) > 1.2
    assert 2.0 < np.median(seconds) < 3.2
    assert np.quantile(seconds, 0.95) < 5.0


@needs_espeak
def test_russian_is_spoken_too(tmp_path):
    prepare(tmp_path, Texts("ru"), {"train": Size(10)}, engines=ESPEAK, jobs=1)
    for line in (tmp_path / "train.json").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        assert label_of(row["words"], "ru") == row["text"]
        assert 0.15 < row["duration"] / max(1, len(digit_string(row["text"]))) < 3
