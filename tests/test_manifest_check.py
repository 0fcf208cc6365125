import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import HealthCheck, given, settings
from hypothesis.strategies import binary, integers, lists, text
from manifest_makers import row, write

from spoken_numbers.labels import LABELS
from spoken_numbers.manifest import ManifestError
from spoken_numbers.manifest_check import check, check_before_training, splits_of
from spoken_numbers.manifest_report import report
from spoken_numbers.row_check import Audio, Kind, ctc_frames_needed, frames


def said(path: Path, *more: Path, **options: object) -> list[str]:
    """What the check says, with the temporary folder's name left out."""
    return [str(fault).replace(f"{path.parent}/", "") for fault in check([path, *more], **options)]


@pytest.mark.parametrize("audio", list(Audio))
def test_good_rows_have_no_faults(good_manifest, audio):
    assert said(good_manifest, audio=audio) == []


DROP = "correct the row or drop it with scripts/check_manifest.py --fix"


@pytest.mark.parametrize(
    ("bad", "kind", "message"),
    [
        ("{no", Kind.ROW, "row is not JSON: Expecting property name enclosed in double quotes: line 1 column 2 (char 1)"
         f" – m.json:2 – {DROP}"),
        (b'{"text": "\xe9"}', Kind.ROW, f"row is not UTF-8: byte 11 – m.json:2 – {DROP}"),
        ({"audio_filepath": "a1.wav", "text": ""}, Kind.FIELD,
         f"row has no usable 'duration': missing – m.json:2 – {DROP}"),
        (row("tone.wav", seconds=float("nan")), Kind.FIELD,
         f"row has no usable 'duration': NaN is not a positive number of seconds – m.json:2 – {DROP}"),
        (row("tone.wav", "two five"), Kind.LABEL,
         "text holds ' ' 'e' 'f' 'i' 'o' …, outside the vocabulary 0123456789* – m.json:2"
         " – write the label, such as 183*037, and what was said under 'words'"),
        (row("short.wav", "8888", 0.12), Kind.TOO_SHORT,
         "0.12 s give 6 frames, but CTC needs 7 for '8888' – m.json:2 – correct the label or record it again"),
        (row("none.wav"), Kind.UNREADABLE, "no such recording: none.wav – m.json:2 – correct audio_filepath"),
        (row("folder"), Kind.UNREADABLE, "no such recording: folder – m.json:2 – correct audio_filepath"),
        (row("text.wav"), Kind.UNREADABLE,
         "cannot decode text.wav: Format not recognised. – m.json:2 – convert it to WAV"),
        (row("nan.wav"), Kind.UNREADABLE,
         "recording holds NaN or infinite samples: nan.wav – m.json:2 – export it again"),
        (row("empty.wav"), Kind.EMPTY, "recording has no samples: empty.wav – m.json:2 – record it again"),
        (row("silent.wav"), Kind.SILENT, "recording is silent, but its label is '1234': silent.wav – m.json:2"
         " – record it again, or empty its text to teach silence"),
        (row("tone.wav", seconds=1.06), Kind.DURATION,
         "row says 1.06 s, recording lasts 1.000 s: tone.wav – m.json:2 – write 1.000 as its duration"),
        (row("tone.wav", seconds=0.94), Kind.DURATION,
         "row says 0.94 s, recording lasts 1.000 s: tone.wav – m.json:2 – write 1.000 as its duration"),
        (row("stereo.flac"), Kind.FORMAT,
         "recording has 2 channels and NeMo takes one: stereo.flac – m.json:2 – mix it down to mono"),
        (row("slow.wav"), Kind.FORMAT,
         "recording has 4000 Hz, less than 8000 Hz: slow.wav – m.json:2 – export it again"),
        (row("folder/../first.wav"), Kind.DUPLICATE,
         "recording is in m.json:1 too: folder/../first.wav – m.json:2 – keep one of the rows"),
    ],
    ids=lambda value: str(value)[:50],
)  # fmt: skip
def test_each_fault_is_named_with_its_line(bad, kind, message, tone, tmp_path):
    tone(tmp_path / "first.wav")
    tone(tmp_path / "tone.wav")
    tone(tmp_path / "short.wav", seconds=0.12)
    tone(tmp_path / "empty.wav", seconds=0)
    tone(tmp_path / "silent.wav", peak=0.0005)
    tone(tmp_path / "stereo.flac", channels=2)
    tone(tmp_path / "slow.wav", rate=4000)
    soundfile.write(tmp_path / "nan.wav", np.full(16_000, np.nan), 16_000, subtype="FLOAT")
    (tmp_path / "text.wav").write_text("no sound")
    (tmp_path / "folder").mkdir()
    manifest = write(tmp_path / "m.json", row("first.wav"), bad, row("tone.wav", "*"))
    faults = list(check([manifest], jobs=1))
    assert [str(fault).replace(f"{tmp_path}/", "") for fault in faults] == [message]
    assert faults[0].kind is kind


def test_all_faults_of_a_row_are_reported(tone, tmp_path):
    tone(tmp_path / "x.wav", seconds=0.5, channels=2)
    manifest = write(tmp_path / "m.json", row("x.wav", "x", 1.0))
    assert [fault.kind for fault in check([manifest])] == [Kind.LABEL, Kind.FORMAT, Kind.DURATION]


def test_headers_alone_show_no_silence_and_no_audio_shows_no_recording(tone, tmp_path):
    tone(tmp_path / "silent.wav", peak=0)
    manifest = write(tmp_path / "m.json", row("silent.wav"), row("none.wav"))
    assert len(said(manifest, audio="samples")) == 2
    assert said(manifest, audio="headers") == ["no such recording: none.wav – m.json:2 – correct audio_filepath"]
    assert said(manifest, audio="none") == []


def test_a_recording_of_another_rate_or_within_the_tolerance_is_good(tone, tmp_path):
    tone(tmp_path / "x.flac", rate=44_100)
    tone(tmp_path / "y.ogg", seconds=1.04, rate=8_000)
    tone(tmp_path / "silence.wav", peak=0)
    manifest = write(tmp_path / "m.json", row("x.flac"), row("y.ogg"), row("silence.wav", ""))
    assert said(manifest) == []


@pytest.mark.parametrize("second", [0, 94])
def test_a_long_recording_that_speaks_only_once_is_not_silent(second, tmp_path):
    wave = np.zeros(95 * 16_000)
    wave[second * 16_000 :][:8_000] = 0.1
    soundfile.write(tmp_path / "x.wav", wave, 16_000)
    assert said(write(tmp_path / "m.json", row("x.wav", seconds=95))) == []


def test_blank_lines_and_endless_lines_count_as_lines(tmp_path):
    manifest = write(tmp_path / "m.json", "", " ", "{", b"[" + b" " * 3_000_000 + b"]", "", "{")
    assert [str(fault.error.where).rsplit(":")[-1] for fault in check([manifest])] == ["3", "4", "6"]


def test_a_cut_off_recording_is_found(tone, tmp_path):
    flac = tone(tmp_path / "x.flac", seconds=4)
    flac.write_bytes(flac.read_bytes()[:-2000])
    wav = tone(tmp_path / "y.wav", seconds=4)
    wav.write_bytes(wav.read_bytes()[:-64_000])
    manifest = write(tmp_path / "m.json", row("x.flac", seconds=4), row("y.wav", seconds=4))
    assert len(said(manifest)) == 2
    assert "recording lasts 2.000 s: y.wav" in said(manifest)[1]


def test_a_recording_in_two_splits_is_a_leak(tone, tmp_path):
    tone(tmp_path / "x.wav")
    (tmp_path / "test").mkdir()
    train = write(tmp_path / "train.json", row("x.wav"))
    test = write(tmp_path / "test" / "test.json", row("../x.wav"))
    message = "recording is in train.json:1 too: ../x.wav – test/test.json:1 – keep one of the rows"
    for audio in Audio:
        assert said(train, test, audio=audio) == [message]
    assert next(iter(check([train, test]))).kind is Kind.RECORDING_LEAK
    assert next(iter(check([train, test], splits=[0, 0]))).kind is Kind.DUPLICATE


def test_a_speaker_in_two_splits_is_a_leak_at_each_row(tmp_path):
    train = write(tmp_path / "train.json", row("a", speaker="ann"), row("b", speaker="bob", corpus="x"))
    test = write(tmp_path / "test.json", row("c", speaker="ann"), row("d"), row("e", speaker="bob", corpus="y"))
    message = "speaker 'ann' is in train.json:1 too – test.json:1 – keep each speaker in one split"
    assert said(train, test, audio="none") == [message]
    assert said(train, test, audio="none", splits=[0, 0]) == []


def test_a_faulty_row_does_not_make_its_good_double_a_duplicate(tone, tmp_path):
    tone(tmp_path / "x.wav")
    manifest = write(tmp_path / "m.json", row("x.wav", "one"), row("x.wav", "1"))
    assert [fault.kind for fault in check([manifest])] == [Kind.LABEL]


@pytest.mark.parametrize("content", [b"", b"\n \n"])
def test_a_manifest_without_rows_is_a_fault(content, tmp_path):
    (tmp_path / "m.json").write_bytes(content)
    assert said(tmp_path / "m.json") == ["manifest has no rows – m.json – prepare its corpus again"]


def test_workers_find_the_same_in_the_same_order(tone, tmp_path):
    for index in range(0, 300, 2):
        tone(tmp_path / f"{index}.wav", seconds=0.3, rate=8000, peak=0.5 * (index % 3))
    rows = [row(f"{index % 290}.wav", "1" if index % 7 else "x", 0.3) for index in range(300)]
    manifest = write(tmp_path / "m.json", *rows)
    alone = said(manifest, jobs=1)
    assert len(alone) > 150
    assert said(manifest, jobs=2) == alone


@given(label=text(alphabet="".join(LABELS), max_size=30))
def test_ctc_spells_a_label_in_as_many_frames_as_said_and_no_fewer(label):
    """Against the path itself: a blank where two neighbours are equal, which collapses back to the label."""
    path = "".join(("_" if label[i - 1 : i] == symbol else "") + symbol for i, symbol in enumerate(label))
    assert ctc_frames_needed(label) == len(path)
    collapsed = "".join(symbol for i, symbol in enumerate(path) if symbol != path[i - 1 : i] or i == 0)
    assert collapsed.replace("_", "") == label


@given(samples=integers(0, 16_000 * 20))
def test_frames_are_those_of_nemos_quartznet_or_one_fewer(samples):
    """Hop 160 (get_seq_len of FilterbankFeatures), then a convolution of stride 2 with same padding."""
    nemo = (samples // 160 + 1) // 2
    assert nemo - 1 <= frames(samples / 16_000, 0.02) <= nemo


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lines=lists(binary(max_size=40), max_size=10))
def test_no_bytes_break_the_check_and_every_line_is_accounted_for(lines, tmp_path):
    (tmp_path / "m.json").write_bytes(b"\n".join(lines))
    checked = check([tmp_path / "m.json"], jobs=1)
    assert len(list(checked)) == max(1, sum(bool(line.strip()) for line in b"\n".join(lines).split(b"\n")))
    assert report(check([tmp_path / "m.json"], jobs=1), fix=False) == 1


def test_a_speaker_in_training_and_validation_is_warned_of_and_no_more(good_manifest, tone, tmp_path, capsys):
    tone(tmp_path / "a3.wav")
    check_before_training([good_manifest], [write(tmp_path / "same.json", row("a3.wav", speaker="a"))])
    assert capsys.readouterr().err.startswith("warning: 1 validation rows are of speakers also trained on")


def test_training_is_refused_with_the_first_faults_and_their_number(good_manifest, tmp_path):
    rows = [row("a1.wav", speaker="c"), *(row(f"no{index}.wav") for index in range(4))]
    bad = write(tmp_path / "bad.json", *rows)
    check_before_training([good_manifest], [])
    with pytest.raises(ManifestError) as raised:
        check_before_training([good_manifest], [bad])
    assert str(raised.value).replace(f"{tmp_path}/", "") == (
        "5 faults in the manifests: recording is in good.json:1 too: a1.wav (bad.json:1); "
        "no such recording: no0.wav (bad.json:2); no such recording: no1.wav (bad.json:3); and 2 more"
        " – scripts/check_manifest.py good.json bad.json --fix"
    )


def test_training_manifests_may_share_speakers(good_manifest, tone, tmp_path):
    tone(tmp_path / "a3.wav")
    check_before_training([good_manifest, write(tmp_path / "more.json", row("a3.wav", speaker="a"))], [])


def test_manifests_joined_by_commas_are_one_split(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("odd,name.json").touch()
    assert splits_of(["a,b", "odd,name.json"]) == ([Path("a"), Path("b"), Path("odd,name.json")], [0, 0, 1])


def test_fixing_refuses_to_overwrite_a_manifest_that_is_checked(tmp_path):
    names = [write(tmp_path / name, row(name)) for name in ("a.json", "a.fixed.json")]
    with pytest.raises(ManifestError, match="--fix would overwrite this manifest"):
        report(check(names, audio=Audio.NONE), fix=True)


def test_a_manifest_without_one_good_row_is_not_written(tmp_path, capsys):
    manifest = write(tmp_path / "m.json", "{", row("none.wav"))
    assert report(check([manifest]), fix=True) == 1
    assert "no good row is left, nothing written" in capsys.readouterr().out
    assert not (tmp_path / "m.fixed.json").exists()


def test_memory_grows_by_little_more_than_a_hash_per_row(tmp_path):
    """100 000 rows of 1 kB are 100 MB as text; kept as hashes they must stay below 25 MB."""
    manifest, words = tmp_path / "m.json", "x" * 900
    with manifest.open("w") as out:
        for index in range(100_000):
            out.write(json.dumps(row(f"{index}.wav", speaker=f"s{index % 300}", words=words)) + "\n")
    code = (
        "import resource, sys; from pathlib import Path; from spoken_numbers.manifest_check import check\n"
        "def peak(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "before = peak(); faults = sum(1 for _ in check([Path(sys.argv[1])], audio='none'))\n"
        "print(faults, peak() - before)"
    )
    done = subprocess.run([sys.executable, "-c", code, manifest], capture_output=True, text=True, check=True)
    faults, kilobytes = map(int, done.stdout.split())
    assert faults == 0
    assert kilobytes < 25_000
