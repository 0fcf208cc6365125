"""One reader under atheris, as ``fuzz.py`` runs it: READER SECONDS SEED; or once, on what broke it: READER FILE."""

import shutil
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import atheris
import numpy as np
import soundfile

sys.path.insert(0, str(Path(__file__).parents[1]))
with atheris.instrument_imports(include=["spoken_numbers", "yaml"]):
    from tone_model import played, tone_model

    from spoken_numbers import Recognizer, audio, manifest
    from spoken_numbers.errors import UserError
    from spoken_numbers.manifest_check import check
    from spoken_numbers.training.command import composed

KEPT = Path("build/fuzz")
WAVE = played("1*234").astype(np.float32)[:8000]
ROW = '{"audio_filepath": "a.wav", "duration": 1.25, "text": "1*234", "speaker": "ann", "snr_db": 3}\n'
ROOT = Path(__file__).parents[2]
HANG_SECONDS, MOST_MB = 60, 2048
WORDS = [  # libFuzzer's dictionary
    "{",
    "]",
    '\\"',
    "\\x0a",
    "1e999",
    "-",
    "${x}",
    "\\xe9",
    "!!python/name:os.system ",
    "defaults:",
    "RIFF",
    "fLaC",
]


def sounds(folder: Path) -> None:
    for kind in ("WAV", "FLAC", "OGG", "MP3", "AIFF"):
        soundfile.write(folder / kind, WAVE, 16_000, format=kind)


def manifests(folder: Path) -> None:
    for count in (1, 2, 20):
        (folder / str(count)).write_text(ROW * count)


def configs(folder: Path) -> None:
    for path in (ROOT / "conf").glob("quartz*.yaml"):
        (folder / path.name).write_bytes(path.read_bytes())


def models(folder: Path) -> None:
    tone_model(folder / "tones.onnx")
    (folder / "released.onnx").write_bytes((ROOT / "models" / "quartznet_5x1_int8.onnx").read_bytes())


def read_manifest(path: Path) -> None:
    with suppress(UserError):
        list(manifest.read(path))
    list(check([path], frame_stride=0.04, jobs=1))


def read_model(path: Path) -> None:
    Recognizer(path).transcribe(WAVE, sample_rate=16_000)


READERS: dict[str, tuple[str, Callable[[Path], None], Callable[[Path], object]]] = {
    "audio": ("input.wav", sounds, audio.read),
    "manifest": ("input.json", manifests, read_manifest),
    "config": ("input.yaml", configs, lambda path: composed(path, [])),
    "onnx": ("input.onnx", models, read_model),
}


def fuzz(name: str, seconds: str, seed: str) -> None:
    """Ends the process, as libFuzzer does: with status 0, or another when an input broke the reader."""
    file, make, reader = READERS[name]
    with TemporaryDirectory() as folder:
        seeds, path, words = (Path(folder) / each for each in ("seeds", file, "words"))
        seeds.mkdir()
        make(seeds)
        words.write_text("".join(f'"{word}"\n' for word in WORDS))

        def one(data: bytes) -> None:
            path.write_bytes(data)
            try:
                with suppress(UserError):
                    reader(path)
            except BaseException:
                shutil.copy(path, KEPT / name / file)  # libFuzzer's timer may end the process before it keeps it
                raise

        limits = [f"-max_total_time={seconds}", f"-timeout={HANG_SECONDS}", f"-rss_limit_mb={MOST_MB}", f"-seed={seed}"]
        largest = max(each.stat().st_size for each in seeds.iterdir())
        how = [f"-max_len={2 * largest}", f"-dict={words}", f"-artifact_prefix={KEPT / name}/", "-print_final_stats=1"]
        atheris.Setup(["fuzz.py", *limits, *how, str(seeds)], one)
        atheris.Fuzz()


def read_again(name: str, broke_it: str) -> None:
    file, _, reader = READERS[name]
    with TemporaryDirectory() as folder:  # a config is known by its suffix
        reader(Path(shutil.copy(broke_it, Path(folder) / file)))


if len(sys.argv) == 4:
    fuzz(*sys.argv[1:])
else:
    read_again(*sys.argv[1:])
