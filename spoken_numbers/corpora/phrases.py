"""Number words of a speaker, each recorded apart → numbers in groups and as cardinals, spliced from them."""

import random
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from spoken_numbers import audio
from spoken_numbers.corpora.common import DIGIT_WORDS, UNREADABLE, LeftOut, make_missing, write_manifest
from spoken_numbers.corpora.splice import splice
from spoken_numbers.errors import UserError
from spoken_numbers.labels import Spoken, speak, with_rare_words
from spoken_numbers.manifest import Made, Utterance

SAID_APART = {*DIGIT_WORDS, "oh"}
LENT = ("hundred", "thousand", "and")
"""Words that few speakers say, and that all lend to those who do not."""

Stock = Mapping[str, Mapping[str, Sequence[Path]]]
"""Speaker → word → recordings of it, 16 kHz."""


@dataclass(frozen=True, slots=True)
class Phrase:
    """A number to be spliced: which recordings, by which random draws, into which file."""

    sources: tuple[Path, ...]
    spoken: Spoken
    style: str
    speaker: str
    draws: tuple[int, ...]
    target: Path


def prepare_phrases(corpus: str, stock: Stock, out: Path, numbers_per_speaker: int, seed: int) -> Made:
    """Splice numbers of each speaker's words and of those that are ``LENT``, and write ``train_numbers.json``.

    A number has a word that is no digit, and two to seven digits in groups or up to 999 999 as a cardinal. Most are
    said without gaps between their words, the others as ``splice`` does by itself. Every number draws from its own
    generator, seeded by (seed, speaker, index).
    """
    lent: dict[str, list[Path]] = {word: [] for word in LENT}
    for words in stock.values():
        for word in LENT:
            lent[word] += words.get(word, ())
    planned: list[Phrase] = []
    left_out = LeftOut()
    for speaker, words in sorted(stock.items()):
        usable = {**{word: takes for word, takes in lent.items() if takes}, **words}
        for index in range(numbers_per_speaker):
            phrase = _plan(usable, speaker, index, seed, out / "wav" / "numbers")
            if phrase is None:
                left_out.add("train_numbers", "number of a speaker whose words make few")
            else:
                planned.append(phrase)
    return write_manifest(out, "train_numbers", _spliced(planned, corpus, out, left_out), left_out)


def _plan(
    usable: Mapping[str, Sequence[Path]], speaker: str, index: int, seed: int, folder: Path, attempts: int = 300
) -> Phrase | None:
    rng = random.Random(f"number {seed} {speaker} {index}")
    for _ in range(attempts):
        style, number = _drawn(rng)
        spoken = speak(with_rare_words(number, style, rng), style, rng=rng)
        words = spoken.words.split()
        if usable.keys() >= set(words) and not SAID_APART.issuperset(words):
            takes = tuple(rng.choice(usable[word]) for word in words)
            draws = (seed, zlib.crc32(speaker.encode()), index)
            name = f"{index:05d}_{spoken.label.replace('*', '-')}.wav"
            return Phrase(takes, spoken, style, speaker, draws, folder / speaker / name)
    return None


def _drawn(rng: random.Random) -> tuple[str, str]:
    if rng.random() < 0.4:
        return "groups", "".join(rng.choices("0123456789", k=rng.randint(2, 7)))
    digits = rng.choice((2, 3, 3, 4, 5, 5, 5, 6, 6, 6))
    return "cardinal", str(rng.randrange(10 ** (digits - 1), 10**digits))


def _spliced(planned: Sequence[Phrase], corpus: str, out: Path, left_out: LeftOut) -> Iterator[Utterance]:
    durations = make_missing(_splice_one, planned, f"{corpus} numbers")
    for phrase, duration in zip(planned, durations, strict=True):
        if isinstance(duration, UserError):
            left_out.add("train_numbers", UNREADABLE, duration)
            continue
        path, spoken = phrase.target.relative_to(out).as_posix(), phrase.spoken
        yield Utterance(path, duration, spoken.label, phrase.speaker, corpus, phrase.style, spoken.words)


def _splice_one(phrase: Phrase) -> float:
    rng = np.random.default_rng(phrase.draws)
    waveform, _ = splice([audio.read(path) for path in phrase.sources], rng, connected=rng.random() < 0.7)
    return audio.write(phrase.target, waveform)
