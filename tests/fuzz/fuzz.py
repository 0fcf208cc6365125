"""Valid files, broken in a thousand ways, into each reader: a ``UserError`` may come out, nothing else.

    python3 tests/fuzz/fuzz.py --seconds 600

Each reader works in a process of its own, so that a crash of a library is seen, too. What broke it is kept in
``build/fuzz``; the same seed breaks it again.
"""

import faulthandler
import multiprocessing
import random
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import numpy as np
import soundfile
import typer

sys.path.insert(0, str(Path(__file__).parents[1]))
from tone_model import played, tone_model

from spoken_numbers import Recognizer, audio, manifest
from spoken_numbers.cli import run
from spoken_numbers.errors import UserError
from spoken_numbers.manifest_check import check
from spoken_numbers.training.command import composed

KEPT = Path("build/fuzz")
WAVE = played("1*234").astype(np.float32)[:8000]
ROW = '{"audio_filepath": "a.wav", "duration": 1.25, "text": "1*234", "speaker": "ann", "snr_db": 3}\n'
CONF = Path(__file__).parents[2] / "conf"


def sounds(folder: Path) -> list[bytes]:
    for kind in ("WAV", "FLAC", "OGG", "MP3", "AIFF"):
        soundfile.write(folder / kind, WAVE, 16_000, format=kind)
    return [path.read_bytes() for path in sorted(folder.iterdir())]


def manifests(folder: Path) -> list[bytes]:
    return [(ROW * count).encode() for count in (1, 2, 20)]


def configs(folder: Path) -> list[bytes]:
    return [path.read_bytes() for path in sorted(CONF.glob("quartz*.yaml"))]


def models(folder: Path) -> list[bytes]:
    released = Path(__file__).parents[2] / "models" / "quartznet_5x1_int8.onnx"
    return [tone_model(folder / "tones.onnx").read_bytes(), released.read_bytes()]


def read_manifest(path: Path) -> None:
    with suppress(UserError):
        list(manifest.read(path))
    list(check([path], frame_stride=0.04, jobs=1))


def read_model(path: Path) -> None:
    Recognizer(path).transcribe(WAVE, sample_rate=16_000)


READERS: dict[str, tuple[str, Callable[[Path], list[bytes]], Callable[[Path], object]]] = {
    "audio": ("input.wav", sounds, audio.read),
    "manifest": ("input.json", manifests, read_manifest),
    "config": ("input.yaml", configs, lambda path: composed(path, [])),
    "onnx": ("input.onnx", models, read_model),
}


def broken(content: bytes, rng: random.Random) -> bytes:
    """Some bytes changed, lost, doubled or moved; mostly near the beginning, where headers are."""
    data = bytearray(content)
    for _ in range(rng.choice((1, 1, 2, 4, 16))):
        at = min(int(rng.expovariate(8 / max(1, len(data)))), max(0, len(data) - 1))
        end = at + rng.choice((1, 1, 2, 4, 64))
        match rng.randrange(6):
            case 0:
                data[at:end] = rng.randbytes(end - at)
            case 1:
                del data[at:end]
            case 2:
                data[at:at] = data[at:end] * rng.choice((1, 50))
            case 3:
                data[at:end] = rng.choice((b"\0", b"\xff", b"\x7f")) * (end - at)
            case 4:
                data[at:at] = rng.choice(
                    (b'"', b"{", b"]", b"\n", b"1e999", b"-", b"${x}", b"\xe9", b"!!python/name:os.system ")
                )
            case _:
                del data[rng.randrange(len(data) + 1) :]
    return bytes(data)


def work(name: str, seconds: float, seed: int, tried: "multiprocessing.sharedctypes.Synchronized[int]") -> None:
    faulthandler.enable()
    file, make, reader = READERS[name]
    rng = random.Random(seed)
    with TemporaryDirectory() as folder:
        seeds = make(Path(folder))
        KEPT.mkdir(parents=True, exist_ok=True)
        path = KEPT / f"{name}-{file}"
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            path.write_bytes(broken(rng.choice(seeds), rng))
            with suppress(UserError):
                reader(path)
            tried.value += 1
        path.unlink()


def main(
    readers: Annotated[list[str] | None, typer.Argument(help=f"of {', '.join(READERS)}; all by default")] = None,
    seconds: Annotated[float, typer.Option(min=0.1, help="for each reader")] = 600,
    seed: int = 0,
) -> int:
    """Exit status 1 when a reader let anything but a UserError out, or its process died."""
    failed = 0
    for name in readers or READERS:
        if name not in READERS:
            raise UserError(f"no such reader '{name}'", where="fuzz.py", todo=f"choose of {', '.join(READERS)}")
        tried = multiprocessing.Value("q", 0)
        process = multiprocessing.Process(target=work, args=(name, seconds, seed, tried))
        process.start()
        process.join()
        kept = "" if process.exitcode == 0 else f"; broken by {KEPT / name}-{READERS[name][0]}"
        print(f"{name}: {tried.value} inputs, exit status {process.exitcode}{kept}", flush=True)
        failed += process.exitcode != 0
    return 1 if failed else 0


if __name__ == "__main__":
    run(main)
