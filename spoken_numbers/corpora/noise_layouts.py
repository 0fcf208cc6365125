"""Where the publishers of noise corpora keep their recordings, and what the names tell."""

import csv
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from spoken_numbers.corpora.layout import wrong_layout
from spoken_numbers.corpora.pieces import names_of, recordings_in


class Layout(StrEnum):
    AUTO = "auto"
    DEMAND = "demand"
    DCASE2017 = "dcase2017"
    ESC = "esc"
    MUSAN = "musan"
    SPEECH_COMMANDS = "speech_commands"
    FOLDER = "folder"


EXPECTED = {
    Layout.MUSAN: "noise/{part}/noise-{part}-NNNN.wav, music/ likewise",
    Layout.DEMAND: "{ENVIRONMENT}/ch01.wav",
    Layout.DCASE2017: "audio/street/*.wav",
    Layout.ESC: "NNN - Class/fold-clip-take.ogg or audio/fold-clip-take-target.wav",
    Layout.SPEECH_COMMANDS: "_background_noise_/*.wav",
    Layout.FOLDER: "recordings of noise",
}
EXPECTED[Layout.AUTO] = EXPECTED[Layout.FOLDER]

PATTERNS = (
    (Layout.MUSAN, r"(?P<class>music|noise|speech)/[^/]+/(?P<source>(?:music|noise|speech)-[^/]+-\d+)\.wav"),
    (Layout.DEMAND, r"(?P<class>(?P<source>[A-Z]+))/ch(?P<channel>\d\d)\.wav"),
    (Layout.DCASE2017, r"audio/(?P<class>street)/(?P<source>[^/]+)\.wav"),
    (Layout.ESC, r"\d+ - (?P<class>[^/]+)/(?P<fold>\d)-(?P<source>\d+)-[A-Z]+\.(?:ogg|wav)"),
    (Layout.ESC, r"audio/(?P<fold>\d)-(?P<source>\d+)-[A-Z]+-(?P<class>\d+)\.wav"),
    (Layout.SPEECH_COMMANDS, r"_background_noise_/(?P<class>(?P<source>[^/]+))\.wav"),
)
"""Ends of a recording's path, in the order in which they are tried."""


@dataclass(frozen=True, slots=True)
class Recording:
    """One file; ``source`` is what was recorded at once (channels and takes of it share one).

    ``name`` is the path below the corpus without its suffix; ``class_`` what is heard, empty where unknown.
    """

    path: Path
    name: str
    source: str
    class_: str = ""
    fold: int | None = None
    channel: int = 1


def find(corpus: Path, out: Path, layout: Layout) -> tuple[Layout, list[Recording]]:
    """The layout, recognised where it is ``auto``, and the recordings that belong to it; others are not read.

    Raises:
        LayoutError: no such folder, no recordings, or none where the layout that was asked for has them.
    """
    paths = recordings_in(corpus, out, EXPECTED[layout])
    names = names_of(paths, corpus)
    for candidate in _candidates(layout):
        if found := _matching(candidate, paths, names, corpus):
            return candidate, found
    if layout not in (Layout.AUTO, Layout.FOLDER):
        raise wrong_layout(corpus, EXPECTED[layout])
    return Layout.FOLDER, [Recording(path, names[path], names[path], _folder(names[path])) for path in paths]


def _candidates(layout: Layout) -> list[Layout]:
    known = list(dict.fromkeys(one for one, _ in PATTERNS))
    return known if layout is Layout.AUTO else [one for one in known if one is layout]


def _matching(layout: Layout, paths: Sequence[Path], names: Mapping[Path, str], corpus: Path) -> list[Recording]:
    patterns = [re.compile(f"(?:.*/)?{pattern}") for one, pattern in PATTERNS if one is layout]
    root = corpus.resolve()
    categories = _esc50_categories(root) if layout is Layout.ESC else {}
    found = []
    for path in paths:
        shown = f"{root.name}/{path.relative_to(corpus).as_posix()}"  # the innermost folder may have been given
        for match in (match for pattern in patterns if (match := pattern.fullmatch(shown))):
            told = match.groupdict()
            class_ = categories.get(path.name, told["class"])
            fold = int(told["fold"]) if told.get("fold") else None
            channel = int(told.get("channel") or 1)
            found.append(Recording(path, names[path], told["source"], class_, fold, channel))
            break
    return found


def _esc50_categories(corpus: Path) -> dict[str, str]:
    """File name → category, where the publisher's table is there; the target's number stands in for it otherwise."""
    for table in (corpus / "meta" / "esc50.csv", corpus.parent / "meta" / "esc50.csv"):
        if table.is_file():
            with table.open(encoding="utf-8", newline="") as lines:
                rows = list(csv.DictReader(lines))
            return {row["filename"]: row["category"] for row in rows if row.get("filename") and row.get("category")}
    return {}


def _folder(name: str) -> str:
    return name.split("/")[0] if "/" in name else ""
