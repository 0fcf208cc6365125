"""A sound device → a stream of audio, by PortAudio."""

import sys
from collections.abc import Iterator
from typing import Any

from spoken_numbers.audio import FloatArray
from spoken_numbers.errors import UserError
from spoken_numbers.recording import resampled

BLOCK = 0.05
"""Seconds at a time."""


def microphone(device: str, to_rate: int) -> Iterator[FloatArray]:
    """Blocks (samples,) at ``to_rate`` Hz as they are spoken, until the device goes away.

    Args:
        device: its name, a part of it, or its number; "" for the system's default.

    Raises:
        UserError: no such device, or no sound library; names the devices that there are.
    """
    sounddevice = _library()
    chosen = int(device) if device.isdecimal() else device or None
    try:
        rate = sounddevice.query_devices(chosen, "input")["default_samplerate"]
        # One channel of 16 bits is what every sound card has.
        recorder = sounddevice.InputStream(rate, device=chosen, channels=1, dtype="int16", latency="high")
    except (sounddevice.PortAudioError, ValueError) as error:
        names = [f"{one['index']}: {one['name']}" for one in sounddevice.query_devices() if one["max_input_channels"]]
        todo = f"give one of {', '.join(names)}" if names else "connect one"
        reason = str(error).splitlines()[0]
        raise UserError(f"no microphone: {reason}", where=f"--microphone {device}".strip(), todo=todo) from None
    return resampled(_blocks(recorder, round(BLOCK * rate)), rate, to_rate)


def _blocks(recorder: Any, samples: int) -> Iterator[FloatArray]:
    with recorder:
        while True:
            block, lost = recorder.read(samples)
            if lost:
                print("warning: audio was lost – microphone – this machine is busy", file=sys.stderr)
            yield block[:, 0].astype("float32") / 32768


def _library() -> Any:
    try:
        import sounddevice
    except (ImportError, OSError):  # OSError: its PortAudio is missing
        todo = "pip install 'spoken-numbers[microphone]'; on Linux also apt-get install libportaudio2"
        raise UserError("no sound library", where="sounddevice", todo=todo) from None
    return sounddevice
