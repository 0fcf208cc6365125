"""``--microphone``, on a virtual sound device of ALSA that plays a file."""

import os
import shutil
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from spoken_numbers import audio
from spoken_numbers.synthesis.engine import Line
from spoken_numbers.synthesis.flite import Flite

ROOT = Path(__file__).parents[1]
RATE = 44_100  # Hz; what PortAudio takes for a virtual device's own
COMMAND = [sys.executable, "-m", "spoken_numbers", "transcribe", "models/quartznet_5x1_int8.onnx"]
DEVICE = """</usr/share/alsa/alsa.conf>
pcm.desk {{
    type file
    slave.pcm "null"
    file "/dev/null"
    infile "{recording}"
    format "raw"
    hint {{ show on description "plays a file" }}
}}
"""

pytestmark = [
    pytest.mark.skipif(shutil.which("flite") is None, reason="needs flite"),
    pytest.mark.skipif(not Path("/usr/share/alsa/alsa.conf").is_file(), reason="needs ALSA"),
]


@pytest.fixture(scope="module")
def spoken():
    voice = next(one for one in Flite().voices("en") if "rms" in one.name)
    pause = np.zeros(audio.SAMPLE_RATE, np.float32)
    numbers = Flite().render([Line(words, voice) for words in ("one five oh four four", "nine six two seven")])
    return np.concatenate([pause, *(piece for one in numbers for piece in (one, pause))])


@pytest.fixture(scope="module")
def desk(spoken, tmp_path_factory):
    """The environment in which there is such a device; it goes on with the numbers for two minutes of audio."""
    folder = tmp_path_factory.mktemp("alsa")
    samples = np.tile(audio.resample(spoken, audio.SAMPLE_RATE, RATE), 15)
    (samples * 32767).astype("<i2").tofile(folder / "spoken.raw")
    (folder / "asound.conf").write_text(DEVICE.format(recording=folder / "spoken.raw"))
    return os.environ | {"ALSA_CONFIG_PATH": str(folder / "asound.conf")}


@pytest.mark.parametrize("device", [[], ["desk"]])
def test_each_utterance_is_read_as_it_is_spoken_until_ctrl_c(spoken, desk, device, tmp_path):
    recording = tmp_path / "spoken.wav"
    audio.write(recording, spoken)
    done = subprocess.run(
        [*COMMAND, str(recording), "--utterances"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    from_file = [line.split("\t")[0] for line in done.stdout.splitlines()]
    assert len(from_file) == 2
    command = [*COMMAND, "--microphone", *device]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    heeding = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)  # which a job in the background may not
    with subprocess.Popen(command, cwd=ROOT, env=desk, preexec_fn=heeding, **pipes) as live:
        try:
            heard = [live.stdout.readline().split("\t") for _ in range(2)]
            live.send_signal(signal.SIGINT)
            _, told = live.communicate(timeout=60)
        finally:
            live.kill()
    assert [digits for digits, *_ in heard] == from_file
    assert heard[0][1] == "microphone"
    assert 0.7 < float(heard[0][2]) < 1.1
    assert (live.returncode, told) == (130, "")


def test_a_device_that_is_not_there_is_one_line_that_names_those_that_are(desk):
    done = subprocess.run(
        [*COMMAND, "--microphone", "cellar", "--format", "csv"], cwd=ROOT, env=desk, capture_output=True, text=True
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "error: no microphone: No input device matching 'cellar' – --microphone cellar – give one of 0: desk\n"
    )


@pytest.mark.parametrize("given", [[], ["a.wav", "--microphone"]])
def test_either_recordings_or_a_microphone(given):
    done = subprocess.run([*COMMAND, *given], cwd=ROOT, capture_output=True, text=True)
    told = "error: neither or both – RECORDING, --microphone – give recordings or --microphone\n"
    assert (done.returncode, done.stdout, done.stderr) == (2, "", told)
