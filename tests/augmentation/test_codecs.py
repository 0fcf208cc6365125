"""Codecs leave speech that is aligned, as long and as loud, and only as good as the codec."""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import scipy.signal
from augmentation.sounds import speech
from hypothesis import given, settings
from hypothesis import strategies as st

from spoken_numbers import audio
from spoken_numbers.audio import SAMPLE_RATE
from spoken_numbers.augmentation.codecs import CODECS, check, transcode
from spoken_numbers.augmentation.transcode import Transcode
from spoken_numbers.errors import UserError
from spoken_numbers.synthesis.engine import Line
from spoken_numbers.synthesis.espeak import Espeak

CORPORA = Path(os.environ.get("SPOKEN_NUMBERS_CORPORA", "/nonexistent"))
CASES = [(name, bitrate) for name, codec in CODECS.items() for bitrate in codec.bitrates or (None,)]


@pytest.fixture(scope="module")
def spoken():
    """A synthetic voice saying digits, where there is one; syllables of noise else."""
    if shutil.which("espeak-ng") is None:
        return speech(3.0)
    voice = Espeak().voices("en")[0]
    (heard,) = Espeak().render([Line("eight three zero, one nine five", voice)])
    return heard


def in_telephone_band(waveform):
    sos = scipy.signal.butter(4, [300, 3300], "bandpass", fs=SAMPLE_RATE, output="sos")
    return scipy.signal.sosfiltfilt(sos, waveform.astype(np.float64))


def assert_speech_in_its_place(before, after):
    before, after = in_telephone_band(before), in_telephone_band(after)
    lags = scipy.signal.correlation_lags(len(after), len(before))
    correlation = scipy.signal.correlate(after, before) / np.sqrt(np.sum(before**2) * np.sum(after**2))
    assert abs(lags[correlation.argmax()]) <= SAMPLE_RATE // 1000
    assert correlation.max() > 0.75
    envelopes = [np.sqrt(np.convolve(x**2, np.ones(320) / 320, "same"))[::160] for x in (before, after)]
    assert np.corrcoef(*envelopes)[0, 1] > 0.95
    assert 20 * np.log10(np.sqrt(np.mean(after**2) / np.mean(before**2))) == pytest.approx(0, abs=2)


@pytest.mark.parametrize(("codec", "bitrate"), CASES)
def test_what_comes_out_is_speech_in_its_place(spoken, codec, bitrate):
    coded = transcode(spoken.copy(), codec, bitrate)
    assert coded.dtype == np.float32
    assert coded.shape == spoken.shape
    assert_speech_in_its_place(spoken, coded)
    assert np.abs(coded - spoken).max() > 1e-3


@pytest.mark.skipif(not (CORPORA / "fsdd").is_dir(), reason="needs SPOKEN_NUMBERS_CORPORA with fsdd/")
def test_recorded_digits_stay_in_their_place_too():
    recordings = sorted((CORPORA / "fsdd" / "recordings").glob("7_*_0.wav"))
    recorded = np.concatenate([audio.read(path) for path in recordings])
    for codec, bitrate in CASES:
        assert_speech_in_its_place(recorded, transcode(recorded.copy(), codec, bitrate))


def test_eight_kilohertz_leave_nothing_above_four(spoken):
    hiss = speech(2.0)
    for name, codec in CODECS.items():
        if codec.sample_rate == 8000:
            power = np.abs(np.fft.rfft(transcode(hiss.copy(), name))) ** 2
            above = power[len(power) * 41 // 80 :].sum() / power.sum()
            assert above < 1e-3, name


@pytest.mark.parametrize(("codec", "bitrate"), CASES)
def test_an_utterance_does_not_depend_on_those_before_it(spoken, codec, bitrate):
    first = transcode(spoken.copy(), codec, bitrate)
    transcode(speech(1.0), codec, bitrate)
    assert transcode(spoken.copy(), codec, bitrate).tobytes() == first.tobytes()


def test_another_process_hears_the_same():
    code = (
        "import hashlib\n"
        "from augmentation.sounds import speech\n"
        "from spoken_numbers.augmentation.codecs import CODECS, transcode\n"
        "for name in CODECS: print(hashlib.md5(transcode(speech(1.0), name).tobytes()).hexdigest())\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    here = [hashlib.md5(transcode(speech(1.0), name).tobytes()).hexdigest() for name in CODECS]
    assert done.stdout.split() == here


@settings(max_examples=25, deadline=None)
@given(
    codec=st.sampled_from(sorted(CODECS)),
    samples=st.integers(0, 4000),
    level=st.sampled_from([0.0, 1e-7, 1e-3, 1.0, 30.0]),
)
def test_any_length_and_level_keeps_both(codec, samples, level):
    waveform = speech(0.25, pause=0)[:samples] * np.float32(level)
    coded = transcode(waveform.copy(), codec)
    assert coded.shape == waveform.shape
    assert np.isfinite(coded).all()
    assert np.abs(coded).max(initial=0) <= 3 * np.abs(waveform).max(initial=0) + 1e-3  # A-law has no zero


def test_loud_speech_comes_out_as_loud(spoken):
    for name in CODECS:
        loud = transcode(spoken * np.float32(8 / np.abs(spoken).max()), name)
        assert np.abs(loud).max() > 4, name


@pytest.mark.parametrize(("codec", "bitrate"), CASES)
def test_clipped_speech_at_full_scale_is_coded_as_at_half(spoken, codec, bitrate):
    """Resampling lifts the peaks of clipped speech over full scale, where 16-bit samples would wrap around."""
    clipped = np.clip(spoken / np.abs(spoken).max() * np.float32(20), -1, 1)
    full, half = transcode(clipped.copy(), codec, bitrate), 2 * transcode(clipped / 2, codec, bitrate)
    assert np.sum((full - half) ** 2) < np.sum(half**2) / 4


def test_a_telephone_passes_300_to_3400_hz():
    time = np.arange(SAMPLE_RATE) / SAMPLE_RATE
    for hertz, low, high in ((60, -40, -20), (300, -5, -1), (1000, -1, 1), (2500, -2, 1)):
        tone = (0.5 * np.sin(2 * np.pi * hertz * time)).astype(np.float32)
        for codec in ("telephone-alaw", "telephone-mulaw"):
            heard = transcode(tone.copy(), codec)[4000:12000]
            level = 20 * np.log10(np.sqrt(np.mean(heard**2) / np.mean(tone**2)))
            assert low < level < high, (codec, hertz, level)


def test_the_draw_keeps_the_shares_and_nemos_names():
    drawn = dict.fromkeys(CODECS, 0)
    rng = np.random.default_rng(0)
    telephones = "telephone-alaw", "telephone-mulaw"
    transcoder = Transcode({"g711": 2, "narrowband": 1, "gsm": 0})
    wide, heard = speech(0.2, pause=0), {}
    for name in (*telephones, "narrowband", "gsm"):
        heard[transcode(wide.copy(), name).tobytes()] = name
    for _ in range(1500):
        drawn[heard[transcoder(wide.copy(), rng).tobytes()]] += 1
    assert drawn["gsm"] == 0
    for name in (*telephones, "narrowband"):
        assert drawn[name] / 1500 == pytest.approx(1 / 3, abs=0.05)
    assert Transcode(["ogg"])(wide.copy(), rng).tobytes() == transcode(wide.copy(), "vorbis").tobytes()


@pytest.mark.parametrize(
    ("wrong", "told"),
    [(["g729"], "no such codec 'g729'"), ({"alaw": 0.0}, "none has a share"), ({"alaw": -1.0}, "share of alaw is -1")],
)
def test_a_wrong_list_of_codecs_is_refused(wrong, told):
    with pytest.raises((UserError, ValueError), match=told):
        Transcode(wrong)


@pytest.mark.parametrize(
    ("broken", "codec", "told"),
    [
        (
            "codecs.CODECS['gone'] = codecs.Codec(8000, codecs._ffmpeg('libgone', 'amrnb', 8000), (1000,))",
            "gone",
            "UnknownCodec",
        ),
        ("sys.modules['av'] = None", "amr-nb", "ModuleNotFoundError"),
    ],
)
def test_an_encoder_or_package_that_is_missing_is_one_sentence(broken, codec, told):
    code = (
        "import sys\n"
        "from spoken_numbers.augmentation import codecs\n"
        f"{broken}\n"
        "from spoken_numbers.augmentation.config import chain_of\n"
        "from spoken_numbers.errors import UserError\n"
        f"try: chain_of({{'transcode_aug': {{'prob': 1, 'codecs': ['alaw', '{codec}']}}}})\n"
        "except UserError as error: print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.startswith(f"cannot code by {codec}: ")
    assert told in done.stdout
    assert f"leave {codec} out of codecs" in done.stdout
    assert "augment.transcode_aug" in done.stdout
    assert done.stdout.count("\n") == 1


def test_every_codec_runs_here():
    for name in CODECS:
        check(name)
