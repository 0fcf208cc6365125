"""Small corpora of noise and of impulse responses in their publishers' layouts, generated."""

import json
from pathlib import Path

import numpy as np
from corpus_makers import write

DEMAND = ("DKITCHEN", "PSTATION", "TBUS", "NFIELD", "OOFFICE")
ESC10 = ("1-100032-A", "1-30226-A", "2-122104-A", "2-122104-B", "3-136288-A", "3-144028-A")
CLASSES = ("001 - Dog bark", "002 - Rain")


def hiss(seconds: float, rate: int, seed: int = 0, channels: int = 1) -> np.ndarray:
    """(samples, channels) of white noise at -20 dB."""
    return 0.1 * np.random.default_rng(seed).standard_normal((round(seconds * rate), channels))


def make_demand(corpus: Path, seconds: float = 4.5) -> Path:
    for index, environment in enumerate(DEMAND):
        for channel in range(1, 17):
            path = corpus / environment / f"ch{channel:02d}.wav"
            write(path, hiss(seconds if channel < 3 else 0.1, 16_000, 100 * index + channel), 16_000)
    return corpus


def make_dcase2017(corpus: Path) -> Path:
    for index, name in enumerate(("a001", "a003", "b006", "b091", "a128")):
        write(corpus / "audio" / "street" / f"{name}.wav", hiss(4.5, 44_100, index, 2), 44_100, subtype="PCM_24")
    (corpus / "meta" / "street").mkdir(parents=True)
    return corpus


def make_esc10(corpus: Path) -> Path:
    for index, name in enumerate(ESC10):
        fold, clip, take = name.split("-")
        for number, class_ in enumerate(CLASSES):
            write(corpus / class_ / f"{fold}-{number}{clip}-{take}.ogg", hiss(5, 44_100, index), 44_100)
    return corpus


def make_esc50(corpus: Path, table: bool = True) -> Path:
    lines = ["filename,fold,target,category,esc10,src_file,take"]
    for index, name in enumerate(ESC10):
        for target, category in ((0, "dog"), (10, "rain")):
            fold, clip, take = name.split("-")
            file = f"{fold}-{clip}{target}-{take}-{target}.wav"
            write(corpus / "audio" / file, hiss(5, 44_100, index), 44_100)
            lines.append(f"{file},{fold},{target},{category},True,{clip}{target},{take}")
    if table:
        (corpus / "meta").mkdir()
        (corpus / "meta" / "esc50.csv").write_text("\n".join(lines) + "\n")
    return corpus


def make_musan(corpus: Path) -> Path:
    parts = {"noise": ("free-sound", "sound-bible"), "music": ("fma", "jamendo"), "speech": ("librivox", "us-gov")}
    for class_, folders in parts.items():
        for folder in folders:
            for index in range(2):
                path = corpus / class_ / folder / f"{class_}-{folder}-{index:04d}.wav"
                write(path, hiss(2.5, 16_000, index), 16_000)
            (corpus / class_ / folder / "LICENSE").write_text("CC BY")
    return corpus


def make_background(corpus: Path) -> Path:
    for index, name in enumerate(("doing_the_dishes", "dude_miaowing", "exercise_bike", "pink_noise", "running_tap")):
        write(corpus / "_background_noise_" / f"{name}.wav", hiss(6, 16_000, index), 16_000)
    write(corpus / "zero" / "0a7c2a8d_nohash_0.wav", hiss(1, 16_000), 16_000)
    return corpus


def make_folder(corpus: Path) -> Path:
    for index, name in enumerate(("kitchen/monday.flac", "kitchen/tuesday.mp3", "tram/1.wav", "tram/1.flac", "x.wav")):
        write(corpus / name, hiss(3, 44_100, index, 2), 44_100)
    (corpus / "notes.txt").write_text("no recording")
    return corpus


def decaying(t60: float, seconds: float, rate: int = 16_000, seed: int = 0, delay: int = 500) -> np.ndarray:
    """(samples,): silence of ``delay`` samples, a direct path of 4, and noise that decays by 60 dB in ``t60`` s."""
    time = np.arange(round(seconds * rate)) / rate
    tail = 0.2 * np.random.default_rng(seed).standard_normal(len(time)) * 10 ** (-3 * time / t60)
    tail[0] = 4
    return np.concatenate([np.zeros(delay), tail]) / 5


BUT_ROOMS = ("VUT_FIT_Q301", "VUT_FIT_L207", "Hotel_SkalskyDvur_ConferenceRoom2")
SWEEP = "IR_sweep_15s_45Hzto22kHz_FS16kHz.v00.wav"


def make_but_reverbdb(corpus: Path) -> Path:
    for index, room in enumerate(BUT_ROOMS):
        for microphone in ("MicID01", "MicID02"):
            place = corpus / room / microphone / "SpkID01_20170901_S" / "09"
            write(place / "RIR" / SWEEP, decaying(0.3 + 0.2 * index, 1.0, seed=index), 16_000)
            write(place / "silence" / "silence_FS16kHz.v00.wav", hiss(2, 16_000), 16_000)
    return corpus


MIT = ("h001_Bedroom_65txts", "h042_Hallway_ElementarySchool_4txts", "h229_Office_Lobby_1txts")


def make_mit_survey(corpus: Path) -> Path:
    for index, name in enumerate(MIT):
        write(corpus / f"{name}.wav", decaying(0.4, 1.5, 32_000, index), 32_000)
    return corpus


def make_openair(corpus: Path) -> Path:
    for index, room in enumerate(("maes-howe", "hamilton-mausoleum")):
        both = np.stack([decaying(0.5, 2.0, 48_000, 10 * index + channel) for channel in range(4)], axis=1)
        write(corpus / room / "stereo" / f"{room}.wav", both[:, :2], 48_000, subtype="PCM_24")
        write(corpus / room / "b-format" / f"{room}_bf.wav", both, 48_000, subtype="PCM_24")
        write(corpus / room / "examples" / "singing.wav", hiss(1, 48_000), 48_000)
    return corpus


def rows_of(out: Path, *splits: str) -> list[dict]:
    return [json.loads(line) for split in splits for line in (out / f"{split}.json").read_text().splitlines()]


def sources_of(out: Path, split: str, key: str = "source") -> set[str]:
    return {row[key] for row in rows_of(out, split)}
