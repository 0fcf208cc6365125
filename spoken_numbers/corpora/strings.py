"""Corpora of isolated digits → manifests of the digits and of strings spliced from them, split by speaker."""

import hashlib
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from spoken_numbers import audio
from spoken_numbers.corpora.common import (
    DIGIT_WORDS,
    UNREADABLE,
    Conversion,
    LeftOut,
    convert,
    make_missing,
    write_manifest,
)
from spoken_numbers.corpora.splice import splice
from spoken_numbers.errors import UserError
from spoken_numbers.lengths import parse_length
from spoken_numbers.manifest import Made, Utterance
from spoken_numbers.stamp import stamp

FEWEST_DIGITS = 4
"""A speaker with fewer different digits gives strings too monotonous to learn from."""


@dataclass(frozen=True, slots=True)
class Take:
    """One recording of one digit, where it lies, and its name in the prepared corpus (no suffix)."""

    source: Path
    digit: str
    speaker: str
    name: str


@dataclass(frozen=True, slots=True)
class String:
    """A string to be spliced: which takes, by which random draws, into which file."""

    takes: tuple[Path, ...]
    text: str
    speaker: str
    draws: tuple[int, ...]
    target: Path

    @property
    def sources(self) -> tuple[Path, ...]:
        return self.takes


def prepare_strings(
    corpus: str,
    takes: Sequence[Take],
    split_of: Mapping[str, str],
    out: Path,
    strings: Mapping[str, int],
    length: str,
    seed: int,
) -> list[Made]:
    """Convert the takes, splice strings of each speaker, write ``{split}.json`` and ``{split}_isolated.json``.

    Every string draws from its own generator, seeded by (seed, speaker, index): a run broken off goes on to the same
    bytes, and more strings per speaker leave the first ones as they are.

    Args:
        split_of: speaker → split.
        strings: split → strings per speaker.

    Raises:
        UserError: no such length, or ``out`` holds strings of another length, seed or stock of takes.
    """
    bounds = parse_length(length)
    stamp(out, {"corpus": corpus, "length": list(bounds), "seed": seed})
    splits = sorted(set(split_of.values()), key=("train", "validation", "test").index)
    left_out = LeftOut()
    takes = sorted(takes, key=lambda take: take.name)
    jobs = [Conversion(take.source, out / "wav" / "isolated" / f"{take.name}.wav") for take in takes]
    isolated: dict[str, list[Utterance]] = {split: [] for split in splits}
    stock: dict[str, dict[str, list[Path]]] = {speaker: {} for speaker in sorted(split_of)}
    for take, job, duration in zip(takes, jobs, convert(jobs, f"{corpus} digits"), strict=True):
        split = split_of[take.speaker]
        if isinstance(duration, UserError):
            left_out.add(f"{split}_isolated", UNREADABLE, duration)
            continue
        stock[take.speaker].setdefault(take.digit, []).append(job.target)
        path = job.target.relative_to(out).as_posix()
        words = DIGIT_WORDS[int(take.digit)]
        isolated[split].append(Utterance(path, duration, take.digit, take.speaker, corpus, "isolated", words))

    folder = out / "wav" / "strings"
    stamp(folder, {"takes": _fingerprint(stock, out)})
    planned: dict[str, list[String]] = {split: [] for split in splits}
    for speaker, digits in stock.items():
        split = split_of[speaker]
        if len(digits) < FEWEST_DIGITS:
            left_out.add(split, f"speaker with fewer than {FEWEST_DIGITS} different digits")
            continue
        planned[split] += [_plan(digits, speaker, index, bounds, seed, folder) for index in range(strings[split])]
    made = []
    for split in splits:
        rows = _spliced(planned[split], corpus, split, out, left_out)
        made.append(write_manifest(out, split, rows, left_out))
        made.append(write_manifest(out, f"{split}_isolated", isolated[split], left_out))
    return made


def _plan(
    usable: Mapping[str, list[Path]], speaker: str, index: int, length: tuple[int, int], seed: int, folder: Path
) -> String:
    draws = (seed, zlib.crc32(speaker.encode()), index)
    rng = np.random.default_rng(draws)
    digits = [str(d) for d in rng.choice(sorted(usable), size=rng.integers(length[0], length[1] + 1))]
    takes: list[Path] = []
    for digit in digits:
        fresh = [path for path in usable[digit] if path not in takes] or usable[digit]
        takes.append(fresh[rng.integers(len(fresh))])
    text = "".join(digits)
    return String(tuple(takes), text, speaker, draws, folder / speaker / f"{index:05d}_{text}.wav")


def _spliced(planned: Sequence[String], corpus: str, split: str, out: Path, left_out: LeftOut) -> Iterator[Utterance]:
    durations = make_missing(_splice_one, planned, f"{corpus} {split} strings")
    for string, duration in zip(planned, durations, strict=True):
        if isinstance(duration, UserError):
            left_out.add(split, UNREADABLE, duration)
            continue
        words = " ".join(DIGIT_WORDS[int(digit)] for digit in string.text)
        path = string.target.relative_to(out).as_posix()
        yield Utterance(path, duration, string.text, string.speaker, corpus, "digits", words)


def _fingerprint(stock: Mapping[str, Mapping[str, Sequence[Path]]], out: Path) -> str:
    """Strings drawn from a larger or smaller stock would differ; their folder must not be gone on with."""
    names = [
        path.relative_to(out).as_posix() for digits in stock.values() for paths in digits.values() for path in paths
    ]
    return hashlib.sha256("\n".join(sorted(names)).encode()).hexdigest()[:16]


def _splice_one(string: String) -> float:
    rng = np.random.default_rng((*string.draws, 1))
    waveform, _ = splice([_load(path) for path in string.takes], rng)
    return audio.write(string.target, waveform)


@lru_cache(maxsize=1024)
def _load(path: Path) -> audio.FloatArray:
    return audio.read(path)
