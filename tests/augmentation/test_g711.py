"""G.711 for all 65 536 samples, against Python's and libsndfile's implementations and the tables' landmarks."""

import io
import warnings

import numpy as np
import pytest
import soundfile

from spoken_numbers.augmentation import g711

SAMPLES = np.arange(-32768, 32768).astype(np.int16)


def coded(law):
    return np.rint(law(SAMPLES.astype(np.float32) / 32768) * 32768).astype(int)


@pytest.mark.parametrize("law", ["alaw", "mulaw"])
def test_equal_to_pythons_for_every_sample(law):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        audioop = pytest.importorskip("audioop")  # gone from Python 3.13
    encode, decode = {
        "alaw": (audioop.lin2alaw, audioop.alaw2lin),
        "mulaw": (audioop.lin2ulaw, audioop.ulaw2lin),
    }[law]
    reference = np.frombuffer(decode(encode(SAMPLES.tobytes(), 2), 2), np.int16)
    np.testing.assert_array_equal(coded(getattr(g711, law)), reference)


@pytest.mark.parametrize(("law", "subtype"), [("alaw", "ALAW"), ("mulaw", "ULAW")])
def test_equal_to_libsndfiles_up_to_the_resolution_of_the_law(law, subtype):
    """It rounds negative 16-bit samples to 13 and 14 bits otherwise: an output is that of the sample or a neighbour."""
    raw = {"samplerate": 8000, "format": "RAW", "subtype": subtype}
    file = io.BytesIO()
    soundfile.write(file, SAMPLES, **raw)
    file.seek(0)
    reference = soundfile.read(file, dtype="int16", channels=1, **raw)[0].astype(int)
    ours = coded(getattr(g711, law))
    nearby = [reference[np.clip(np.arange(65536) + step, 0, 65535)] for step in range(-3, 2)]
    assert (ours == np.array(nearby)).any(axis=0).all()
    assert (ours == reference).mean() > 0.99
    assert (ours == reference)[SAMPLES >= 0].all()


@pytest.mark.parametrize(("law", "largest", "smallest"), [("alaw", 4032 * 8, 8), ("mulaw", 8031 * 4, 0)])
def test_the_recommendations_extreme_outputs(law, largest, smallest):
    """Output values y128 and y1 of tables 1a and 2a, in units of 13 and 14 bits."""
    outputs = coded(getattr(g711, law))
    assert outputs.max() == largest
    assert outputs.min() == -largest
    assert np.abs(outputs).min() == smallest
    assert len(np.unique(outputs)) == (256 if law == "alaw" else 255)


@pytest.mark.parametrize("law", [g711.alaw, g711.mulaw])
def test_the_ratio_to_the_quantisation_noise_is_that_of_8_bits(law):
    """G.712 asks for 33 dB for a sine of 0 to -30 dBm0."""
    for level in (0.9, 0.1, 0.03):
        sine = (level * np.sin(np.arange(16_000) * 0.61)).astype(np.float32)
        noise = law(sine) - sine
        assert 10 * np.log10(np.mean(sine**2) / np.mean(noise**2)) > 33
