"""AN4's utterances that hold numbers among other words."""

import numpy as np
import pytest
import soundfile

from spoken_numbers import manifest
from spoken_numbers.corpora import an4

SAID = {
    "erase z p eight hundred and twenty three": "823",
    "erase t x two thousand five hundred and fifty two": "2*552",
    "fifty eight oh nine and a half": "5809",
    "n and p nine": "9",
    "a six a b seven": "67",
    "rubout and and": "",
    "go twenty and six": "206",
}


@pytest.fixture(scope="module")
def labels(tmp_path_factory) -> dict[str, str]:
    corpus, out = tmp_path_factory.mktemp("an4"), tmp_path_factory.mktemp("out")
    noise = 0.1 * np.random.default_rng(0).standard_normal(1600)
    names = [f"an{number}-{speaker}-b" for speaker in ("fbbh", "mcen") for number in range(len(SAID))]
    fileids = [f"an4_clstk/{name.split('-')[1]}/{name}" for name in names]
    for fileid in fileids:
        path = corpus / "wav" / f"{fileid}.sph"
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, noise, 16_000, format="NIST", subtype="PCM_16")
    lines = [f"<s> {words.upper()} </s> ({name})\n" for words, name in zip([*SAID, *SAID], names, strict=True)]
    (corpus / "etc").mkdir()
    (corpus / "etc" / "an4_train.fileids").write_text("\n".join(fileids) + "\n")
    (corpus / "etc" / "an4_train.transcription").write_text("".join(lines))
    an4.prepare(corpus, out, test_speaker=["mcen"], rest=an4.Rest.DIGITS)
    return {row.words: row.text for row in manifest.read(out / "train_rest.json")}


@pytest.mark.parametrize("words", SAID)
def test_the_rest_is_labelled_with_the_numbers_that_are_said(labels, words):
    assert labels[words] == SAID[words]
