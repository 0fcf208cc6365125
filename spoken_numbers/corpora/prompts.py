"""What telephone exchanges speak to their callers, in files: digits, of which strings are spliced, and phrases."""

import gzip
import re
from pathlib import Path

from spoken_numbers.corpora.common import UNREADABLE, Conversion, LeftOut, convert, write_manifest
from spoken_numbers.corpora.layout import need_folder, wrong_layout
from spoken_numbers.corpora.strings import Take, prepare_strings
from spoken_numbers.errors import UserError
from spoken_numbers.labels import number_words
from spoken_numbers.manifest import Made, Utterance

EXPECTED = "{voice}/digits/{0 … 9}.g722, .wav or .gsm"
SUFFIXES = (".g722", ".wav", ".gsm")
"""The best first: 16 kHz, then 8 kHz. One form of each digit is taken."""

NUMBERS = (number_words("en") - {"a", "and"}) | {"o"}
NUMBER = "phrase with a number, or no speech"


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
        Take(path, str(digit), voice.name, f"{voice.name}/{digit}")
        for voice in _voices(corpus)
        for digit in range(10)
        if (path := _best(voice, f"digits/{digit}")) is not None
    ]
    if not takes:
        raise wrong_layout(corpus, EXPECTED)
    split_of = {take.speaker: split for take in takes}
    return prepare_strings("prompts", takes, split_of, out, {split: strings_per_speaker}, length, seed)


def prepare_phrases(corpus: Path, transcripts: Path, out: Path, split: str = "test") -> Made:
    """Write 16 kHz mono audio and ``{split}_phrases.json``: each voice's phrases without a number, of an empty label.

    Args:
        transcripts: as Asterisk has them, in a text file or one that gzip packed: lines of ``name: what is said``.

    Raises:
        LayoutError: no such files.
        UserError: transcripts that cannot be read.
    """
    said = _transcribed(transcripts)
    left_out, phrases = LeftOut(), []
    for voice in _voices(corpus):
        for name, words in said.items():
            if (path := _best(voice, name)) is None:
                continue
            if re.search(r"[\[\d]", words) or NUMBERS & set(re.findall(r"[a-z]+", words.lower())):
                left_out.add(f"{split}_phrases", NUMBER)
                continue
            target = out / "wav" / "phrases" / voice.name / f"{name}.wav"
            phrases.append((Conversion(path, target), voice.name, words))
    if not phrases:
        raise wrong_layout(corpus, f"{{voice}}/ with sounds that {transcripts.name} names")
    rows = []
    durations = convert([conversion for conversion, _, _ in phrases], "phrases")
    for (conversion, voice_name, words), duration in zip(phrases, durations, strict=True):
        if isinstance(duration, UserError):
            left_out.add(f"{split}_phrases", UNREADABLE, duration)
            continue
        made = conversion.target.relative_to(out).as_posix()
        rows.append(Utterance(made, duration, "", voice_name, "prompts", "other", words))
    return write_manifest(out, f"{split}_phrases", rows, left_out)


def _transcribed(path: Path) -> dict[str, str]:
    """Name of a sound → what it says."""
    try:
        with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as lines:
            found = [re.fullmatch(r"([\w/.-]+):\s*(\S.*)", line.strip()) for line in lines]
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise UserError(f"cannot read transcripts: {error}", where=str(path), todo="check the path") from None
    return {one[1]: one[2] for one in found if one and ".." not in one[1]}


def _voices(corpus: Path) -> list[Path]:
    return sorted({folder.resolve().parent for folder in corpus.glob("*/digits")})


def _best(voice: Path, sound: str) -> Path | None:
    there = [path for suffix in SUFFIXES if (path := voice / f"{sound}{suffix}").is_file()]
    return there[0] if there else None
