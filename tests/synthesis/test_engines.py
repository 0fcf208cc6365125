"""Each installed engine speaks as asked."""

import numpy as np
import pytest

from spoken_numbers import audio
from spoken_numbers.synthesis import USUAL
from spoken_numbers.synthesis.engine import Engine, Line, Prosody, Voice
from spoken_numbers.synthesis.finish import fault, trimmed

INSTALLED = [
    pytest.param(
        engine, id=engine.name, marks=pytest.mark.skipif(engine.version() is None, reason=f"needs {engine.install}")
    )
    for engine in USUAL
]
WORDS = {"en": "four two seven nine one oh", "ru": "четыре два семь девять один ноль"}
LABEL = "427910"


@pytest.mark.parametrize("engine", INSTALLED)
def test_every_voice_speaks_at_16_khz(engine):
    words, voices = _spoken(engine)
    voices = list({voice.name: voice for voice in voices}.values())
    for voice, rendering in zip(voices, engine.render([Line(words, voice) for voice in voices]), strict=True):
        speech = trimmed(rendering)
        assert rendering.dtype == np.float32
        assert fault(speech, words, LABEL, 1.0) is None, voice
        assert 1.0 < len(speech) / audio.SAMPLE_RATE < 3.5, voice


@pytest.mark.parametrize("engine", INSTALLED)
def test_tempo_changes_the_duration_in_proportion(engine):
    words, (voice, *_) = _spoken(engine)
    rates = (0.7, 1.0, 1.4)
    slow, usual, fast = (len(trimmed(x)) for x in engine.render([Line(words, voice, Prosody(rate)) for rate in rates]))
    assert slow / usual == pytest.approx(1 / 0.7, rel=0.15)
    assert fast / usual == pytest.approx(1 / 1.4, rel=0.15)


@pytest.mark.parametrize("engine", INSTALLED)
def test_pitch_changes_the_fundamental_in_proportion(engine):
    words, (voice, *_) = _spoken(engine)
    low, high = (_pitch(x) for x in engine.render([Line(words, voice, Prosody(pitch=pitch)) for pitch in (0.8, 1.25)]))
    assert high / low == pytest.approx(1.25 / 0.8, rel=0.2)


@pytest.mark.parametrize("engine", INSTALLED)
def test_a_line_does_not_depend_on_its_neighbours_or_on_one_that_fails(engine):
    words, voices = _spoken(engine)
    voices = [voices[0], voices[-1]]
    lines = [Line(words, voice) for voice in voices]
    alone = [engine.render([line])[0] for line in lines]
    first, _, last = engine.render([lines[0], Line("", voices[0]), lines[1]])
    assert np.array_equal(first, alone[0])
    assert np.array_equal(last, alone[1])


def _spoken(engine: Engine) -> tuple[str, list[Voice]]:
    """Six digits and the voices that say them, in English where the engine speaks it."""
    language = next(language for language in WORDS if engine.voices(language))
    return WORDS[language], engine.voices(language)


def _pitch(waveform: audio.FloatArray) -> float:
    """Median lag of the autocorrelation's peak between 60 and 400 Hz over loud 40 ms frames, as a frequency."""
    frames = waveform[: len(waveform) // 640 * 640].reshape(-1, 640)
    energy = np.square(frames).mean(axis=1)
    loud = frames[energy > 0.1 * energy.max()]
    lags = [40 + int(np.correlate(frame, frame, "full")[640 - 1 + 40 : 640 - 1 + 267].argmax()) for frame in loud]
    return float(audio.SAMPLE_RATE / np.median(lags))
