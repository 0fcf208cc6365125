"""AudioMNIST: isolated digits of 60 speakers, and strings spliced from them."""

import json
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from spoken_numbers.corpora.common import hold_out
from spoken_numbers.corpora.layout import need_folder, wrong_layout
from spoken_numbers.corpora.strings import Take, prepare_strings
from spoken_numbers.manifest import Made

NAME = re.compile(r"(\d)_(\d\d)_(\d+)\.wav")
META = "audioMNIST_meta.txt"
EXPECTED = "data/{speaker}/{digit}_{speaker}_{index}.wav with speakers 01 to 60"


def prepare(
    corpus: Path,
    out: Path,
    strings_per_speaker: int = 100,
    length: str = "4-8",
    test_speaker: Sequence[str] = (),
    test_fraction: float = 0.2,
    seed: int = 0,
    test_strings_per_speaker: int = 50,
) -> list[Made]:
    """Write 16 kHz mono audio, and manifests of strings and of isolated digits per split.

    Layout (https://github.com/soerenab/AudioMNIST): ``data/{speaker}/{digit}_{speaker}_{index}.wav``, 48 kHz, one
    digit each, and ``data/audioMNIST_meta.txt`` (read beside ``data/`` too), JSON: speaker → gender and more.

    Args:
        test_speaker: held out of training; without any, a ``test_fraction`` of the women and of the men.

    Raises:
        LayoutError: no ``data/``, or no file named as above.
        UserError: no such test speaker, or ``out`` was made with other options.
    """
    folder = need_folder(corpus, "data", EXPECTED)
    found = [(path, match) for path in sorted(folder.glob("*/*.wav")) if (match := NAME.fullmatch(path.name))]
    takes = [Take(path, match[1], match[2], f"{match[2]}/{path.stem}") for path, match in found]
    takes = [take for take in takes if take.source.parent.name == take.speaker]
    if not takes:
        raise wrong_layout(folder, EXPECTED)
    speakers = {take.speaker for take in takes}
    gender_of = {} if test_speaker else _genders(corpus)
    held = hold_out(speakers, test_speaker, test_fraction, seed, group=lambda speaker: gender_of.get(speaker, ""))
    split_of = {speaker: "test" if speaker in held else "train" for speaker in speakers}
    strings = {"train": strings_per_speaker, "test": test_strings_per_speaker}
    return prepare_strings("audiomnist", takes, split_of, out, strings, length, seed)


def _genders(corpus: Path) -> dict[str, str]:
    """Speaker → gender; empty, with a word on stderr, when the corpus does not tell."""
    inside, beside = corpus / "data" / META, corpus / META
    file = beside if beside.exists() and not inside.exists() else inside
    try:
        meta = json.loads(file.read_text(encoding="utf-8"))
        return {speaker: str(facts["gender"]) for speaker, facts in meta.items()}
    except (OSError, ValueError, AttributeError, KeyError, TypeError):
        print(f"{file} tells no genders: test speakers are drawn from all alike", file=sys.stderr)
        return {}
