"""Small corpora in their publishers' layouts, of digits that a test can hear: a tone per digit, a tone per speaker."""

import json
from collections.abc import Iterable
from itertools import groupby
from pathlib import Path

import numpy as np
import soundfile

from spoken_numbers import audio, manifest

DIGIT_TONES = np.array([400 + 150 * digit for digit in range(10)])
VOICE_TONES = np.array([2400 + 150 * voice for voice in range(8)])
WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")

FSDD = ("george", "jackson", "theo")
AUDIOMNIST = {"01": "male", "02": "male", "03": "male", "04": "female", "05": "female"}
SPEECH_COMMANDS = {"0a7c2a8d": "train", "1b4c9b89": "train", "2aec99ec": "validation", "3bfd30e6": "test"}


def said(digits: str, voice: int, rate: int = 16_000) -> np.ndarray:
    """Digits of 0.2 s each over a faint noise, 0.05 s of it before and after."""
    time = np.arange(round(0.2 * rate)) / rate
    tones = [
        (
            0.25 * np.sin(2 * np.pi * DIGIT_TONES[int(digit)] * time)
            + 0.1 * np.sin(2 * np.pi * VOICE_TONES[voice] * time)
        )
        for digit in digits
    ]
    edge = np.zeros(round(0.05 * rate))
    clean = np.concatenate([edge, *tones, edge])
    return clean + 0.001 * np.random.default_rng(voice).standard_normal(len(clean))


def heard(path: Path) -> tuple[str, int]:
    """Which digits, repetitions taken for one, and which voice."""
    waveform = audio.read(path)
    frames = waveform[: len(waveform) // 400 * 400].reshape(-1, 400)
    loud = frames[np.square(frames).mean(axis=1) > 0.1 * np.square(frames).mean(axis=1).max()]
    digits = _loudest(loud, DIGIT_TONES)
    steady = [key for key, run in groupby(digits) if len(list(run)) > 1]  # an overlap is one frame of both
    return "".join(str(key) for key, _ in groupby(steady)), int(np.bincount(_loudest(loud, VOICE_TONES)).argmax())


def _loudest(frames: np.ndarray, tones: np.ndarray) -> np.ndarray:
    probe = np.exp(-2j * np.pi * np.outer(np.arange(frames.shape[1]), tones) / audio.SAMPLE_RATE)
    return np.abs((frames * np.hanning(frames.shape[1])) @ probe).argmax(axis=1)


def write(path: Path, waveform: np.ndarray, rate: int, **format_: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, waveform, rate, **format_)


def make_fsdd(corpus: Path) -> Path:
    for voice, speaker in enumerate(FSDD):
        for digit in range(10):
            write(corpus / "recordings" / f"{digit}_{speaker}_0.wav", said(str(digit), voice, 8_000), 8_000)
    return corpus


def make_audiomnist(corpus: Path) -> Path:
    for voice, speaker in enumerate(AUDIOMNIST):
        for digit in range(5):
            take = said(str(digit), voice, 48_000)
            write(corpus / "data" / speaker / f"{digit}_{speaker}_0.wav", take, 48_000)
    genders = {speaker: {"gender": gender, "age": "1234"} for speaker, gender in AUDIOMNIST.items()}
    (corpus / "data" / "audioMNIST_meta.txt").write_text(json.dumps(genders))
    return corpus


def make_speech_commands(corpus: Path) -> Path:
    lists: dict[str, list[str]] = {"train": [], "validation": [], "test": []}
    for voice, (speaker, split) in enumerate(SPEECH_COMMANDS.items()):
        for digit, word in enumerate([*WORDS, "bed"]):
            name = f"{word}/{speaker}_nohash_0.wav"
            write(corpus / name, said(str(digit % 10), voice), 16_000)
            lists[split].append(name)
    write(corpus / "_background_noise_" / "pink_noise.wav", said("1", 0), 16_000)
    (corpus / "validation_list.txt").write_text("\n".join(lists["validation"]) + "\n")
    (corpus / "testing_list.txt").write_text("\n".join(lists["test"]) + "\n")
    return corpus


AN4 = {"train": ("fbbh", "fclc", "mblb", "mblw", "mcen"), "test": ("fcaw", "miry")}
AN4_SAID = {
    "an01": ("<s> TWELVE TWENTY NINE FIFTY NINE </s>", "122959"),
    "an02": ("<s> FIVE ZERO OH </s>", "500"),
    "an03": ("<s> ONE THOUSAND TWO </s>", "1002"),
    "an04": ("ENTER SIX TWO FOUR", "624"),
    "an05": ("<s> YES </s>", "9"),
}


def make_an4(corpus: Path) -> Path:
    for part, folder in (("train", "an4_clstk"), ("test", "an4test_clstk")):
        lines, fileids = [], []
        for voice, speaker in enumerate(AN4[part]):
            for name, (words, digits) in AN4_SAID.items():
                utterance = f"{name}-{speaker}-b"
                path = corpus / "wav" / folder / speaker / f"{utterance}.sph"
                write(path, said(digits, voice), 16_000, format="NIST", subtype="PCM_16")
                lines.append(f"{words} ({utterance})")
                fileids.append(f"{folder}/{speaker}/{utterance}")
        (corpus / "etc").mkdir(exist_ok=True)
        (corpus / "etc" / f"an4_{part}.transcription").write_text("\n".join(lines) + "\n")
        (corpus / "etc" / f"an4_{part}.fileids").write_text("\n".join(fileids) + "\n")
    return corpus


def rows_of(out: Path, *splits: str) -> list[manifest.Utterance]:
    return [row for split in splits for row in manifest.read(out / f"{split}.json")]


def speakers_of(rows: Iterable[manifest.Utterance]) -> set[str]:
    return {row.speaker for row in rows}


def content(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
