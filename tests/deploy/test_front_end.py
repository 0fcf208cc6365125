"""The front end in the graph computes NeMo's features."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
import yaml
from nemo.collections.asr.modules import AudioToMelSpectrogramPreprocessor

from spoken_numbers import audio
from spoken_numbers.deploy.front_end import FrontEndError, front_end_graph, front_end_of
from spoken_numbers.deploy.network_graph import OPSET
from spoken_numbers.deploy.run import session_of
from spoken_numbers.training.command import CONF
from spoken_numbers.training.relative_guard import guard

MEL64 = yaml.safe_load((CONF / "frontend" / "mel64.yaml").read_text())
SETTINGS = {
    **{path.stem: yaml.safe_load(path.read_text()) for path in (CONF / "frontend").glob("*.yaml")},
    "hop 7.5 ms, window 32 ms": {"window_size": 0.032, "window_stride": 0.0075},
    "hop of 161 samples": {"window_stride": 161 / 16000},
    "window of 321 samples": {"window_size": 321 / 16000},
    "n_fft 1024": {"n_fft": 1024, "features": 128},
    "n_fft from the window": {"n_fft": None},
    "n_fft 400": {"n_fft": 400, "window_size": 0.025},
    "magnitudes": {"mag_power": 1.0},
    "no pre-emphasis": {"preemph": None},
    "other pre-emphasis": {"preemph": 0.9},
    "clamped log": {"log_zero_guard_type": "clamp", "log_zero_guard_value": 1e-5},
    "guard by name": {"log_zero_guard_value": "eps"},
    "hamming": {"window": "hamming"},
    "blackman": {"window": "blackman"},
    "8 kHz, 300 to 3400 Hz": {"sample_rate": 8000, "n_fft": 256, "lowfreq": 300, "highfreq": 3400, "features": 40},
    "padded to 16": {"pad_to": 16},
    "relative guard": {"relative_guard": 3e-7},
    "relative guard, clamped": {"relative_guard": 1e-7, "log_zero_guard_type": "clamp"},
}


def preprocessor(settings):
    own = ("_target_", "defaults", "relative_guard")
    plain = {key: value for key, value in (MEL64 | settings).items() if key not in own}
    model = SimpleNamespace(cfg=settings, preprocessor=AudioToMelSpectrogramPreprocessor(**plain).eval())
    guard(model)
    return model.preprocessor


def speech_like(samples, seed, rate=16000):
    """A gliding voice through two formants, in syllables, with a little noise."""
    rng = np.random.default_rng(seed)
    time = np.arange(samples) / rate
    pitch = 2 * np.pi * np.cumsum(110 + 30 * np.sin(2 * np.pi * time + seed)) / rate
    harmonics = np.arange(1, 30)
    formants = np.exp(-(((harmonics * 110 - rng.uniform(300, 900)) / 200) ** 2))
    formants += 0.5 * np.exp(-(((harmonics * 110 - rng.uniform(1000, 2500)) / 300) ** 2))
    voice = (formants[:, None] * np.sin(harmonics[:, None] * pitch)).sum(axis=0)
    syllables = np.clip(np.sin(2 * np.pi * 4 * time), 0, 1)
    return (0.2 * voice * syllables + rng.normal(0, 0.01, samples)).astype(np.float32)


def random(samples, seed):
    return np.random.default_rng(seed).normal(0, 0.2, samples).astype(np.float32)


@pytest.mark.parametrize("name", SETTINGS)
def test_the_graph_computes_nemos_features(name):
    nemo = preprocessor(SETTINGS[name])
    front = front_end_of(nemo.featurizer)
    session = session_of(front_end_graph(front, OPSET), threads=1)
    spoken = [speech_like(samples, seed) for seed, samples in enumerate((1600, 24000, 16001, 31999, 12345))]
    batches = [[one] for one in spoken] + [spoken, [random(samples, 9) for samples in (1600, 8111, 20000)]]
    for batch in batches:
        signal, lengths = audio.padded(batch, 16000)
        features, frames = session.run(None, {"waveform": signal, "length": lengths})
        expected, counts = nemo(input_signal=torch.from_numpy(signal), length=torch.from_numpy(lengths))
        np.testing.assert_array_equal(frames, counts)
        for one, other, count in zip(features, expected.numpy(), frames, strict=True):
            np.testing.assert_allclose(one[:, :count], other[:, :count], atol=5e-4)
            assert not one[:, count:].any()


def test_what_follows_an_utterance_in_its_batch_changes_nothing():
    session = session_of(front_end_graph(front_end_of(preprocessor({}).featurizer), OPSET), threads=1)
    signal = np.stack([random(16000, 0), random(16000, 1)])
    lengths = np.array([16000, 9000])
    garbage = session.run(None, {"waveform": signal, "length": lengths})[0]
    signal[1, 9000:] = 0
    np.testing.assert_array_equal(session.run(None, {"waveform": signal, "length": lengths})[0], garbage)


@pytest.mark.parametrize("level", [-20, 20])
def test_with_a_relative_guard_a_level_changes_no_feature(level):
    session = session_of(front_end_graph(front_end_of(preprocessor({"relative_guard": 3e-7}).featurizer), OPSET))
    batch, lengths = audio.padded([speech_like(16000, 0), speech_like(9000, 1)], 16000)
    batch[:, 4000:6000] = 0  # digital silence, which noise suppression leaves
    as_it_is, louder = (
        session.run(None, {"waveform": waveforms, "length": lengths})[0]
        for waveforms in (batch, batch * np.float32(10 ** (level / 20)))
    )
    np.testing.assert_allclose(louder, as_it_is, atol=0.02)


def test_a_band_that_stays_at_the_guard_stays_at_zero():
    nemo = preprocessor({"log_zero_guard_type": "clamp", "log_zero_guard_value": 1.0})
    session = session_of(front_end_graph(front_end_of(nemo.featurizer), OPSET), threads=1)
    for samples in (1600, 8000, 33333):
        quiet = random(samples, 0) * 1e-4
        (features, _) = session.run(None, {"waveform": quiet[None], "length": np.array([samples])})
        assert not features.any()


@pytest.mark.parametrize(
    "settings",
    [{"normalize": "all_features"}, {"log": False}, {"frame_splicing": 2}, {"exact_pad": True}, {"n_fft": 401}],
    ids=str,
)
def test_settings_that_the_graph_does_not_compute_are_refused(settings):
    with pytest.raises(FrontEndError, match=next(iter(settings))):
        front_end_of(preprocessor(settings).featurizer)
