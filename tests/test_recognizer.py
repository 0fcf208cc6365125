"""What an application hears from the recogniser, on a model whose right answers are known."""

import io
import shutil
import subprocess
from pathlib import Path

import numpy as np
import onnx
import pytest
import soundfile
from commands import run
from hypothesis import given
from hypothesis.strategies import lists, sampled_from, text
from manifest_makers import row, write
from tone_model import RATE, played, tone_model

from spoken_numbers import Recognizer
from spoken_numbers.audio import AudioError
from spoken_numbers.labels import LABELS, digit_string
from spoken_numbers.onnx_model import OnnxModelError
from spoken_numbers.recording import pieces

ROOT = Path(__file__).parents[1]
WAVE = played("8968*67")
labels = text(alphabet=sampled_from(LABELS), max_size=8)


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> Path:
    return tone_model(tmp_path_factory.mktemp("model") / "tones.onnx")


@pytest.fixture(scope="module")
def recognizer(model) -> Recognizer:
    return Recognizer(model)


def encoded(waveform: np.ndarray, rate: int = RATE, **form: str) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, waveform, rate, **{"format": "WAV", **form})
    return file.getvalue()


@given(label=labels)
def test_what_was_played_is_read(recognizer, label):
    heard = recognizer.transcribe(played(label), sample_rate=RATE)
    assert (heard.label, heard.digits) == (label, digit_string(label))
    assert heard.seconds == pytest.approx(0.1 + 0.3 * len(label))
    assert heard.confidence > 0.99


@pytest.mark.parametrize(
    "samples",
    [
        WAVE,
        WAVE.astype(np.float16),
        WAVE.astype(">f8"),
        (WAVE * 2**15).astype(np.int16),
        (WAVE * 2**15).astype(">i2"),
        (WAVE * 2**31).astype(np.int32),
        (WAVE * 2**7).astype(np.int8),
        (WAVE * 2**7 + 2**7).astype(np.uint8),
        (WAVE * 2**15 + 2**15).astype(np.uint16),
        np.repeat(WAVE, 3)[::3],
        WAVE[::-1].copy()[::-1],
        WAVE[:, None],
        np.stack([2 * WAVE, 0 * WAVE]).T,
        np.clip(20 * WAVE, -1, 1),
    ],
    ids=lambda samples: f"{samples.dtype.str}-{samples.ndim}d-{samples.strides}",
)
def test_samples_of_any_type_and_layout_are_read(recognizer, samples):
    samples.flags.writeable = False
    assert recognizer.transcribe(samples, sample_rate=RATE).label == "8968*67"


def test_integers_are_scaled_by_their_range(recognizer):
    faint = played("5", peak=0.115)  # near the threshold, where posteriors tell the scale
    expected = recognizer.transcribe(faint, sample_rate=RATE).confidence
    assert 0.1 < expected < 0.95
    for samples in ((faint * 2**15).astype(np.int16), (faint * 2**31).astype(np.int32)):
        assert recognizer.transcribe(samples, sample_rate=RATE).confidence == pytest.approx(expected, abs=0.01)
    unsigned = (faint * 2**15 + 2**15).astype(np.uint16)
    assert np.concatenate([*pieces(unsigned, RATE, RATE)]) == pytest.approx(faint, abs=1e-4)


@pytest.mark.parametrize("rate", [8000, 11_025, 16_000, 44_100, 96_000])
def test_any_rate_is_read_from_path_text_bytes_and_samples(recognizer, tmp_path, rate):
    wave = played("308*274", rate)
    content = encoded(np.stack([wave, wave]).T, rate, format="FLAC")
    path = tmp_path / "stereo ü.flac"
    path.write_bytes(content)
    for recording in (path, str(path), content, bytearray(content), wave):
        heard = recognizer.transcribe(recording, sample_rate=rate)
        assert heard.label == "308*274"
        assert heard.seconds == pytest.approx(len(wave) / rate, abs=0.001)


def test_what_only_ffmpeg_decodes_is_read_from_path_and_bytes(recognizer, tmp_path):
    (tmp_path / "a.wav").write_bytes(encoded(played("60714")))
    path = tmp_path / "a.m4a"
    subprocess.run(["ffmpeg", "-v", "error", "-i", tmp_path / "a.wav", path], check=True)
    assert recognizer.transcribe(path).label == "60714"
    assert recognizer.transcribe(path.read_bytes()).label == "60714"


@pytest.mark.parametrize("gap", [0.1, 0.7, 9.0])
@pytest.mark.parametrize("rate", [RATE, 22_050])
def test_no_digit_is_lost_or_doubled_where_a_long_recording_is_cut(recognizer, gap, rate):
    rng = np.random.default_rng(round(10 * gap))
    label = "".join(rng.choice(LABELS, max(10, round(100 / (gap + 0.2)))))
    wave = played(label, rate, gap)
    noisy = wave + rng.normal(0, 0.002, len(wave))
    heard = recognizer.transcribe(noisy, sample_rate=rate)
    assert heard.label == label
    assert heard.seconds == pytest.approx(len(wave) / rate, abs=0.001)
    assert recognizer.transcribe(encoded(noisy, rate)).label == label


def test_speech_without_a_pause_is_read_all_the_same(recognizer):
    heard = recognizer.transcribe(np.tile(played("7", gap=0)[: RATE // 25], 1000), sample_rate=RATE)
    assert heard.seconds == 40
    assert set(heard.label) == {"7"}


def test_long_recordings_take_bounded_memory(model, tmp_path):
    path, rate = tmp_path / "long.wav", 48_000
    block = (played("4", rate) * 2**15).astype(np.int16)
    with soundfile.SoundFile(path, "w", rate, 1, subtype="PCM_U8") as file:
        for _ in range(2400):  # 16 minutes, 184 MB decoded
            file.write(block)
    code = f"""
from spoken_numbers import Recognizer
print(Recognizer({str(model)!r}).transcribe({str(path)!r}).digits == "4" * 2400)
print(open("/proc/self/status").read().split("VmHWM:")[1].split()[0])  # getrusage's peak begins with the parent's
"""
    right, kilobytes = run("-c", code).stdout.split()
    assert right == "True"
    assert int(kilobytes) < 150_000


@given(some=lists(labels, max_size=12))
def test_a_list_is_read_as_each_alone_in_its_order(recognizer, some):
    recordings = [played(label) for label in some]
    together = recognizer.transcribe(recordings, sample_rate=RATE)
    assert [one.label for one in together] == some
    for one, recording in zip(together, recordings, strict=True):
        alone = recognizer.transcribe(recording, sample_rate=RATE)
        assert one.confidence == pytest.approx(alone.confidence, abs=1e-5)
        assert one.seconds == alone.seconds


def test_a_list_holds_long_and_short_files_bytes_and_samples(recognizer, tmp_path):
    long = "0123456789" * 20
    (tmp_path / "long.wav").write_bytes(encoded(played(long)))
    recordings = [encoded(played("11")), str(tmp_path / "long.wav"), played("2"), np.zeros(RATE), played("*3")]
    heard = recognizer.transcribe(recordings, sample_rate=RATE)
    assert [one.label for one in heard] == ["11", long, "2", "", "*3"]


@pytest.mark.parametrize(("method", "alike"), [("dynamic", True), ("static", False)])
def test_neighbours_do_not_change_what_a_dynamic_model_reads(tmp_path, method, alike):
    recognizer = Recognizer(tone_model(tmp_path / "m.onnx", by_loudest=True, quantization={"method": method}))
    recordings = [played("31", peak=0.05), played("58", peak=0.5)]
    alone = [recognizer.transcribe(one, sample_rate=RATE) for one in recordings]
    assert [one.label for one in alone] == ["31", "58"]
    assert (recognizer.transcribe(recordings, sample_rate=RATE) == alone) is alike


def test_confidence_is_the_product_over_the_characters(recognizer):
    clear, faint = played("3"), played("5", peak=0.115)
    both = recognizer.transcribe(np.concatenate([clear, faint]), sample_rate=RATE)
    one, other = recognizer.transcribe([clear, faint], sample_rate=RATE)
    assert both.label == "35"
    assert other.confidence < 0.95 < one.confidence
    assert both.confidence == pytest.approx(one.confidence * other.confidence, rel=0.05)
    in_pieces = recognizer.transcribe(np.concatenate([faint, played("3" * 60)]), sample_rate=RATE)
    assert in_pieces.confidence == pytest.approx(other.confidence, rel=0.05)


@pytest.mark.parametrize("samples", [played("1", gap=0)[: RATE // 10 - 1], np.ones(1), np.zeros(100 * RATE)])
def test_too_short_and_silent_recordings_give_the_empty_label(recognizer, samples):
    heard = recognizer.transcribe(samples, sample_rate=RATE)
    assert (heard.label, heard.digits, heard.confidence) == ("", "", 1.0)
    assert heard.seconds == pytest.approx(len(samples) / RATE)


def test_what_is_too_faint_to_be_speech_is_not_guessed_at(tmp_path):
    recognizer = Recognizer(tone_model(tmp_path / "m.onnx", by_loudest=True))
    heard = [recognizer.transcribe(played("31", peak=peak), sample_rate=RATE).label for peak in (0.001, 0.00005)]
    assert heard == ["31", ""]


@pytest.mark.parametrize(
    ("recording", "rate", "told"),
    [
        ("gone.wav", None, "no such recording"),
        (str(ROOT), None, "no such recording"),
        (str(ROOT / "README.md"), None, "cannot decode"),
        (b"", None, "cannot decode"),
        (encoded(WAVE, format="FLAC")[:2000], None, "cannot decode"),
        (encoded(WAVE[:0]), None, "no samples"),
        (WAVE[:0], RATE, "no samples"),
        (np.zeros((100, 0)), RATE, "no samples"),
        (np.append(WAVE, np.nan), RATE, "NaN or infinite"),
        (np.append(WAVE, -np.inf), RATE, "NaN or infinite"),
        (np.append(WAVE, 1e300), RATE, "NaN or infinite"),
        (encoded(np.append(WAVE, np.nan), subtype="FLOAT"), None, "NaN or infinite"),
        (WAVE, None, "without their rate"),
        (WAVE, 0, "sample rate of 0 Hz"),
        (WAVE, float("nan"), "sample rate of nan Hz"),
        (np.stack([WAVE, WAVE]), RATE, "another shape"),
        (np.float32(1), RATE, "cannot be a|another shape"),
        (WAVE + 0j, RATE, "no real numbers"),
        (np.array(["8"]), RATE, "no real numbers"),
        ((WAVE * 2**15).astype(np.int64), RATE, "64-bit"),
        (None, None, "cannot be a NoneType"),
    ],
)
def test_what_cannot_be_read_is_told_in_one_line(recognizer, recording, rate, told):
    with pytest.raises(AudioError, match=told) as error:
        recognizer.transcribe(recording, sample_rate=rate)
    assert "\n" not in str(error.value)
    assert str(error.value).count(" – ") == 2


def test_models_that_cannot_be_used_say_why(model, tmp_path):
    features = tmp_path / "features.onnx"
    shutil.copy(ROOT / "models" / "quartznet_5x1_int8_features.onnx", features)
    letters = tone_model(tmp_path / "letters.onnx", labels=tuple("abcdefghijk"))
    huge = tmp_path / "huge.onnx"
    with huge.open("wb") as out:
        out.truncate(10**12)
    bare, broken = tmp_path / "bare.onnx", tmp_path / "broken.onnx"
    without = onnx.load(model)
    del without.metadata_props[:]
    onnx.save(without, bare)
    broken.write_bytes(model.read_bytes()[:-1000])
    for path, told in [
        (features, "takes features"),
        (letters, "other labels"),
        (bare, "metadata says nothing"),
        (broken, "cannot load model"),
        (tmp_path / "gone.onnx", "no such model"),
        (huge, "1000000 MB are no small recogniser"),
    ]:
        with pytest.raises(OnnxModelError, match=told) as error:
            Recognizer(path)
        assert str(path) in str(error.value)


def test_the_command_prints_digits_and_paths_and_names_what_is_broken(model, tmp_path):
    good, broken = tmp_path / "good.wav", tmp_path / "broken.wav"
    good.write_bytes(encoded(WAVE))
    broken.write_bytes(b"RIFF nothing")
    done = run("-m", "spoken_numbers", "transcribe", model, broken, good)
    assert done.returncode == 1
    assert done.stdout == f"896867\t{good}\n"
    first, second = done.stderr.splitlines()
    assert first.startswith("error: cannot decode")
    assert str(broken) in first
    assert second == "1 of 2 recordings could not be read"


@pytest.mark.parametrize(
    "wrong", [[], ["transcribe"], ["transcribe", "gone.onnx", "a.wav"], ["transcribe", "README.md", "a.wav"], ["sing"]]
)
def test_a_wrong_command_is_one_line_and_status_2(wrong):
    done = run("-m", "spoken_numbers", *wrong)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert done.stderr.startswith("error: ")


def test_evaluation_commands_read_onnx_models_without_torch(model, tmp_path):
    for name, label in {"a": "123", "b": "4*567"}.items():
        (tmp_path / f"{name}.wav").write_bytes(encoded(played(label)))
    manifest = write(tmp_path / "m.json", row("a.wav", label="123"), row("b.wav", label="999"))
    commands = [
        ["evaluation/evaluate.py", model, "--manifest", manifest],
        ["evaluation/transcribe.py", model, tmp_path / "a.wav", tmp_path / "b.wav"],
    ]
    evaluated, transcribed = (run("-X", "importtime", *command) for command in commands)
    assert "[1/2]" in evaluated.stdout
    assert [line.split("\t")[0] for line in transcribed.stdout.splitlines()] == ["123", "4567"]
    for done in (evaluated, transcribed):
        assert done.returncode == 0
        imported = {line.rsplit("|", 1)[-1].strip() for line in done.stderr.splitlines()}
        assert "onnxruntime" in imported
        assert not imported & {"torch", "nemo", "lightning"}
