"""Digits that telephone exchanges speak to their callers, one file each: strings spliced from them."""

from pathlib import Path

from spoken_numbers.corpora.layout import need_folder, wrong_layout
from spoken_numbers.corpora.strings import Take, prepare_strings
from spoken_numbers.manifest import Made

EXPECTED = "{voice}/digits/{0 … 9}.g722, .wav or .gsm"
SUFFIXES = (".g722", ".wav", ".gsm")
"""The best first: 16 kHz, then 8 kHz. One form of each digit is taken."""


def prepare(
    corpus: Path, out: Path, split: str = "test", strings_per_speaker: int = 500, length: str = "3-8", seed: int = 0
) -> list[Made]:
    """Write 16 kHz mono audio, and manifests of strings and of isolated digits, all voices in one split.

    Layout of Asterisk's sounds (https://docs.asterisk.org): ``{voice}/digits/{digit}.{format}``, a voice being a
    recorded person, and a few of them a corpus of English. A voice that links also lead to is taken once.

    Args:
        split: ``train`` or ``test``.

    Raises:
        LayoutError: no such files.
        UserError: ``out`` was made with other options.
    """
    need_folder(corpus, ".", EXPECTED)
    takes = [
        Take(path, str(digit), voice.parent.name, f"{voice.parent.name}/{digit}")
        for voice in sorted({folder.resolve() for folder in corpus.glob("*/digits")})
        for digit in range(10)
        if (path := _best(voice, digit)) is not None
    ]
    if not takes:
        raise wrong_layout(corpus, EXPECTED)
    split_of = {take.speaker: split for take in takes}
    return prepare_strings("prompts", takes, split_of, out, {split: strings_per_speaker}, length, seed)


def _best(voice: Path, digit: int) -> Path | None:
    there = [path for suffix in SUFFIXES if (path := voice / f"{digit}{suffix}").is_file()]
    return there[0] if there else None
