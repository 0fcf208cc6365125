"""Free Spoken Digit Dataset: isolated digits, and strings spliced from them."""

import re
from collections.abc import Sequence
from pathlib import Path

from spoken_numbers.corpora.common import hold_out
from spoken_numbers.corpora.layout import need_folder, wrong_layout
from spoken_numbers.corpora.strings import Take, prepare_strings
from spoken_numbers.manifest import Made

NAME = re.compile(r"(\d)_([A-Za-z]+)_(\d+)\.wav")
EXPECTED = "recordings/{digit}_{speaker}_{index}.wav"


def prepare(
    corpus: Path,
    out: Path,
    strings_per_speaker: int = 500,
    length: str = "4-8",
    test_speaker: Sequence[str] = ("theo",),
    seed: int = 0,
    test_strings_per_speaker: int = 500,
) -> list[Made]:
    """Write 16 kHz mono audio, and manifests of strings and of isolated digits per split.

    Layout (https://github.com/Jakobovski/free-spoken-digit-dataset): ``recordings/{digit}_{speaker}_{index}.wav``,
    8 kHz, one digit each. The publisher tests on takes 0-4 of speakers also trained on; here whole speakers are
    held out, since a recogniser meets strangers.

    Raises:
        LayoutError: no ``recordings/``, or no file named as above.
        UserError: no such test speaker, or ``out`` was made with other options.
    """
    folder = need_folder(corpus, "recordings", EXPECTED)
    found = [(path, match) for path in sorted(folder.iterdir()) if (match := NAME.fullmatch(path.name))]
    if not found:
        raise wrong_layout(folder, EXPECTED)
    takes = [Take(path, match[1], match[2], f"{match[2]}/{path.stem}") for path, match in found]
    speakers = {take.speaker for take in takes}
    held = hold_out(speakers, test_speaker, fraction=0, seed=seed)
    split_of = {speaker: "test" if speaker in held else "train" for speaker in speakers}
    strings = {"train": strings_per_speaker, "test": test_strings_per_speaker}
    return prepare_strings("fsdd", takes, split_of, out, strings, length, seed)
