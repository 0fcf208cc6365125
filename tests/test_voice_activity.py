"""A stream is cut into its utterances, however its blocks fall, in bounded memory."""

import shutil
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tone_model import tone_model

from spoken_numbers import audio, voice_activity
from spoken_numbers.errors import UserError
from spoken_numbers.synthesis.engine import Line
from spoken_numbers.synthesis.flite import Flite
from spoken_numbers.transcription import transcribe
from spoken_numbers.voice_activity import LONGEST, RATE, VoiceActivity

pytestmark = pytest.mark.skipif(shutil.which("flite") is None, reason="needs flite")
NUMBERS = ("one five oh four four", "nine six two seven", "eight hundred and six")


@pytest.fixture(scope="module")
def spoken():
    voice = next(one for one in Flite().voices("en") if "rms" in one.name)
    return Flite().render([Line(words, voice) for words in NUMBERS])


@pytest.fixture(scope="module")
def stream(spoken):
    """The numbers with a second of faint noise around each, and where each begins and ends, in seconds."""
    rng = np.random.default_rng(0)
    pause = (rng.standard_normal(RATE) * 1e-4).astype(np.float32)
    pieces, spans, at = [pause], [], 1.0
    for one in spoken:
        spans.append((at, at + len(one) / RATE))
        pieces += [one, pause]
        at += len(one) / RATE + 1
    return np.concatenate(pieces), spans


def blocks(waveform, sizes):
    start = 0
    while start < len(waveform):
        size = sizes[start % len(sizes)]
        yield waveform[start : start + size]
        start += size


def test_each_number_is_an_utterance_where_it_was_said(stream):
    waveform, spans = stream
    found = list(VoiceActivity().utterances([waveform]))
    assert len(found) == len(spans)
    for one, (start, end) in zip(found, spans, strict=True):
        assert start - 0.3 < one.start < start + 0.4
        assert end - 0.6 < one.start + len(one.waveform) / RATE < end + 0.4
        at = round(one.start * RATE)
        np.testing.assert_array_equal(one.waveform, waveform[at : at + len(one.waveform)])


@settings(max_examples=5)
@given(st.lists(st.integers(1, 9000), min_size=1, max_size=5))
def test_it_does_not_matter_how_blocks_fall(stream, sizes):
    waveform, _ = stream
    whole = list(VoiceActivity().utterances([waveform]))
    cut = list(VoiceActivity().utterances(blocks(waveform, sizes)))
    assert [one.start for one in cut] == [one.start for one in whole]
    for one, other in zip(cut, whole, strict=True):
        np.testing.assert_array_equal(one.waveform, other.waveform)


def test_an_utterance_comes_before_the_next_is_heard(stream):
    waveform, spans = stream
    heard = 0

    def live():
        nonlocal heard
        for block in blocks(waveform, [1600]):
            heard += len(block)
            yield block

    first = next(VoiceActivity().utterances(live()))
    assert first.start < spans[0][1]
    assert heard / RATE < spans[1][0]


def test_silence_and_nothing_hold_no_utterance():
    assert list(VoiceActivity().utterances([np.zeros(5 * RATE, np.float32)])) == []
    assert list(VoiceActivity().utterances([])) == []


def test_speech_without_a_pause_is_cut_and_nothing_of_it_lost(spoken):
    talk = np.concatenate([spoken[0]] * 40)[: 70 * RATE]
    found = list(VoiceActivity().utterances(blocks(talk, [8000]), pause=3.0))
    assert all(len(one.waveform) <= (LONGEST + 0.5) * RATE for one in found)
    for one, other in pairwise(found):
        assert other.start - (one.start + len(one.waveform) / RATE) < 0.7
    assert found[-1].start + len(found[-1].waveform) / RATE > len(talk) / RATE - 1


def test_without_the_detector_it_says_what_to_install(monkeypatch):
    monkeypatch.setattr(voice_activity, "find_spec", lambda _: None)
    with pytest.raises(UserError, match="pip install --no-deps silero-vad"):
        VoiceActivity()


def test_a_recording_gives_a_record_for_each_utterance(stream, tmp_path):
    waveform, spans = stream
    audio.write(tmp_path / "three.wav", waveform)
    model = tone_model(tmp_path / "tones.onnx")
    paths = [str(tmp_path / name) for name in ("three.wav", "gone.wav")]
    three, gone = transcribe(model, [(path, path) for path in paths], by_utterance=True)
    assert isinstance(gone, UserError)
    assert [one.start < end and one.end > start for one, (start, end) in zip(three, spans, strict=True)] == [True] * 3
    assert all(one.recording == paths[0] for one in three)
