"""Digits cut out of connected speech by forced alignment, and new strings of each speaker's own digits."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np

from spoken_numbers import audio, manifest
from spoken_numbers.audio import SAMPLE_RATE, FloatArray
from spoken_numbers.corpora.common import DIGIT_WORDS
from spoken_numbers.corpora.strings import Take, prepare_strings
from spoken_numbers.errors import UserError
from spoken_numbers.manifest import Made, Utterance
from spoken_numbers.parallel import map_each

DIGITS = {word: str(digit) for digit, word in enumerate(DIGIT_WORDS)} | {"oh": "0"}
FRAME = SAMPLE_RATE // 100
"""Samples of one of PocketSphinx's frames."""
SHORTEST, LONGEST = 0.12, 1.0
"""Seconds of a digit; an alignment that gives other durations went wrong."""


@dataclass(frozen=True, slots=True)
class Cut:
    """What became of the recordings."""

    made: list[Made]
    takes: int
    left_out: list[UserError]
    """Recordings that cannot be read or of which no alignment was found, or with words that the aligner lacks."""
    implausible: int
    """Digits left out for their duration."""


def prepare(
    manifests: Sequence[Path], out: Path, corpus: str, strings_per_speaker: int, length: str, seed: int = 0
) -> Cut:
    """Write single digits and strings spliced from them, all for training.

    The rows' ``words`` are aligned by PocketSphinx, whose frames are 10 ms; every word that is a digit becomes a take.

    Raises:
        UserError: no digit could be cut, or ``out`` was made with other options.
    """
    takes: list[Take] = []
    left_out: list[UserError] = []
    implausible = 0
    rows = [(path, row) for path in manifests for row in manifest.read(path) if DIGITS.keys() & row.words.split()]
    for cut in map_each(partial(_digits, out), rows, what=corpus, unit="utterance", named=_name):
        if isinstance(cut, UserError):
            left_out.append(cut)
            continue
        takes += cut[0]
        implausible += cut[1]
    if not takes:
        where = ", ".join(map(str, manifests))
        raise UserError("no digit could be cut", where=where, todo="give manifests whose rows have words")
    split_of = {take.speaker: "train" for take in takes}
    made = prepare_strings(corpus, takes, split_of, out, {"train": strings_per_speaker}, length, seed)
    return Cut(made, len(takes), left_out, implausible)


def _digits(out: Path, item: tuple[Path, Utterance]) -> tuple[list[Take], int]:
    """Takes of the digits in an utterance, and how many more have no plausible duration."""
    source, row = item
    waveform = audio.read(row.path(source))
    spans = _aligned(waveform, row.words)
    if spans is None:
        raise audio.AudioError("cannot be aligned", where=_name(item))
    digits = [(index, *span) for index, span in enumerate(spans) if span[0] in DIGITS]
    takes = [
        _take(row, index, DIGITS[word], waveform[start:stop], out)
        for index, word, start, stop in digits
        if SHORTEST <= (stop - start) / SAMPLE_RATE <= LONGEST
    ]
    return takes, len(digits) - len(takes)


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
