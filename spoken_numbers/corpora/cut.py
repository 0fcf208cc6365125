"""Number words cut out of connected speech by forced alignment, and new numbers of each speaker's own words."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np

from spoken_numbers import audio, manifest
from spoken_numbers.audio import SAMPLE_RATE, FloatArray
from spoken_numbers.corpora.common import DIGIT_WORDS
from spoken_numbers.corpora.phrases import SAID_APART, prepare_phrases
from spoken_numbers.corpora.strings import Take, prepare_strings
from spoken_numbers.errors import UserError
from spoken_numbers.labels import number_words
from spoken_numbers.manifest import Made, Utterance
from spoken_numbers.parallel import map_each

DIGITS = {word: str(digit) for digit, word in enumerate(DIGIT_WORDS)} | {"oh": "0"}
WORDS = number_words() - {"a"}
FRAME = SAMPLE_RATE // 100
"""Samples of one of PocketSphinx's frames."""
SHORTEST, LONGEST = 0.12, 1.0
"""Seconds of a word; an alignment that gives other durations went wrong."""


@dataclass(frozen=True, slots=True)
class Cut:
    """What became of the recordings."""

    made: list[Made]
    digits: int
    """Cut out."""
    words: int
    """Other number words cut out."""
    left_out: list[UserError]
    """Recordings that cannot be read or of which no alignment was found, or with words that the aligner lacks."""
    implausible: int
    """Words left out for their duration."""


def prepare(
    manifests: Sequence[Path],
    out: Path,
    corpus: str,
    strings_per_speaker: int,
    length: str,
    seed: int = 0,
    numbers_per_speaker: int = 100,
) -> Cut:
    """Write single digits, strings spliced from them, and numbers spliced from all number words, all for training.

    The rows' ``words`` are aligned by PocketSphinx, whose frames are 10 ms. ``train_numbers.json`` is only written
    where a word was cut that is no digit.

    Raises:
        UserError: no digit could be cut, or ``out`` was made with other options.
    """
    digits: list[Take] = []
    stock: dict[str, dict[str, list[Path]]] = {}
    left_out: list[UserError] = []
    implausible = 0
    rows = [(path, row) for path in manifests for row in manifest.read(path) if WORDS & set(row.words.split())]
    for cut in map_each(partial(_words_of, out), rows, what=corpus, unit="utterance", named=_name):
        if isinstance(cut, UserError):
            left_out.append(cut)
            continue
        implausible += cut[1]
        for word, take in cut[0]:
            stock.setdefault(take.speaker, {}).setdefault(word, []).append(take.source)
            digits += [take] if word in DIGITS else []
    if not digits:
        where = ", ".join(map(str, manifests))
        raise UserError("no digit could be cut", where=where, todo="give manifests whose rows have words")
    split_of = {take.speaker: "train" for take in digits}
    made = prepare_strings(corpus, digits, split_of, out, {"train": strings_per_speaker}, length, seed)
    others = sum(len(paths) for words in stock.values() for word, paths in words.items() if word not in SAID_APART)
    if others:
        made.append(prepare_phrases(corpus, stock, out, numbers_per_speaker, seed))
    return Cut(made, len(digits), others, left_out, implausible)


def _words_of(out: Path, item: tuple[Path, Utterance]) -> tuple[list[tuple[str, Take]], int]:
    """The number words of an utterance, and how many more have no plausible duration."""
    source, row = item
    waveform = audio.read(row.path(source))
    spans = _aligned(waveform, row.words)
    if spans is None:
        raise audio.AudioError("cannot be aligned", where=_name(item))
    words = [(index, *span) for index, span in enumerate(spans) if span[0] in WORDS]
    takes = [
        (word, _take(row, index, DIGITS.get(word, word), waveform[start:stop], out))
        for index, word, start, stop in words
        if SHORTEST <= (stop - start) / SAMPLE_RATE <= LONGEST
    ]
    return takes, len(words) - len(takes)


def _name(item: tuple[Path, Utterance]) -> str:
    source, row = item
    return str(row.path(source))


def _take(row: Utterance, index: int, digit: str, waveform: FloatArray, out: Path) -> Take:
    name = f"{row.speaker}/{Path(row.audio_filepath).stem}-{index}-{digit}"
    path = out / "cut" / f"{name}.wav"
    audio.write(path, waveform)
    return Take(path, digit, row.speaker, name)


@cache
def _decoder() -> Any:
    import pocketsphinx  # its acoustic model takes a second

    return pocketsphinx.Decoder(lm=None, loglevel="FATAL")


def _aligned(waveform: FloatArray, words: str) -> list[tuple[str, int, int]] | None:
    """Each word with its first sample and the one after its last."""
    decoder = _decoder()
    decoder.reinit_feat()  # else what it heard before moves the cuts
    try:
        decoder.set_align_text(words)
    except RuntimeError:  # a word that its dictionary lacks
        return None
    decoder.start_utt()
    decoder.process_raw((np.clip(waveform, -1, 1) * 32767).astype(np.int16).tobytes(), no_search=False, full_utt=True)
    decoder.end_utt()
    if decoder.hyp() is None:
        return None
    return list(_words(decoder.seg()))


def _words(segments: Any) -> Iterator[tuple[str, int, int]]:
    for segment in segments:
        word = segment.word.split("(")[0]  # "the(2)" is its second pronunciation
        if word.isalpha():
            yield word, segment.start_frame * FRAME, (segment.end_frame + 1) * FRAME
