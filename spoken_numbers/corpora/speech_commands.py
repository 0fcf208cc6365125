"""Speech Commands v2: isolated digits of some 2 000 speakers, and strings spliced from them."""

import re
from pathlib import Path

from spoken_numbers.corpora.common import DIGIT_WORDS
from spoken_numbers.corpora.layout import need_file, need_folder, wrong_layout
from spoken_numbers.corpora.strings import Take, prepare_strings
from spoken_numbers.manifest import Made

NAME = re.compile(r"([0-9a-f]+)_nohash_(\d+)\.wav")
EXPECTED = "{zero … nine}/{speaker}_nohash_{index}.wav, validation_list.txt and testing_list.txt"
LISTS = {"validation": "validation_list.txt", "test": "testing_list.txt"}


def prepare(
    corpus: Path,
    out: Path,
    strings_per_speaker: int = 10,
    length: str = "4-8",
    seed: int = 0,
    test_strings_per_speaker: int = 10,
) -> list[Made]:
    """Write 16 kHz mono audio, and manifests of strings and of isolated digits per published split.

    Layout (https://arxiv.org/abs/1804.03209): ``{zero … nine}/{speaker}_nohash_{index}.wav``, 16 kHz, at most 1 s,
    among folders of other words, which are not read. ``validation_list.txt`` and ``testing_list.txt`` name the files
    of the speakers who are held out; the publisher drew them by speaker, and a speaker on either list is wholly held
    out here. Speakers who said fewer than four different digits give isolated digits only.

    Args:
        strings_per_speaker: in training.
        test_strings_per_speaker: in validation and in test.

    Raises:
        LayoutError: a digit's folder or a list is missing, or no file is named as above.
        UserError: ``out`` was made with other options.
    """
    folders = {str(digit): need_folder(corpus, word, EXPECTED) for digit, word in enumerate(DIGIT_WORDS)}
    takes = [
        Take(path, digit, match[1], f"{match[1]}/{digit}_{path.stem}")
        for digit, folder in folders.items()
        for path in sorted(folder.iterdir())
        if (match := NAME.fullmatch(path.name))
    ]
    if not takes:
        raise wrong_layout(folders["0"], EXPECTED)
    split_of = dict.fromkeys((take.speaker for take in takes), "train")
    for split, name in LISTS.items():
        for line in need_file(corpus, name, EXPECTED).read_text(encoding="utf-8").splitlines():
            match = NAME.fullmatch(Path(line.strip()).name)
            if match and match[1] in split_of:
                split_of[match[1]] = split
    strings = {"train": strings_per_speaker, **dict.fromkeys(LISTS, test_strings_per_speaker)}
    return prepare_strings("speech_commands", takes, split_of, out, strings, length, seed)
