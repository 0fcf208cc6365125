"""Measured impulse responses → cut at their direct path, split by room: BUT ReverbDB, OpenAIR, MIT, any folder."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import numpy as np

from spoken_numbers import audio
from spoken_numbers.audio import FloatArray
from spoken_numbers.clip_manifest import ImpulseResponse
from spoken_numbers.corpora import reverberation
from spoken_numbers.corpora.layout import wrong_layout
from spoken_numbers.corpora.pieces import Pieces, held_out, make_pieces, names_of, recordings_in, write_splits
from spoken_numbers.manifest import Made
from spoken_numbers.stamp import stamp


class Layout(StrEnum):
    AUTO = "auto"
    BUT_REVERBDB = "but_reverbdb"
    MIT_SURVEY = "mit_survey"
    OPENAIR = "openair"
    FOLDER = "folder"


EXPECTED = {
    Layout.BUT_REVERBDB: "{Room}/MicID01/SpkID01_20170901_S/01/RIR/IR_*.wav",
    Layout.MIT_SURVEY: "h001_Bedroom_65txts.wav",
    Layout.OPENAIR: "{room}/{mono,stereo,b-format}/*.wav",
    Layout.FOLDER: "impulse responses",
}
EXPECTED[Layout.AUTO] = EXPECTED[Layout.FOLDER]

FORMATS = r"(?i:mono|stereo|(?P<ambisonic>b-?format)|surround|5[.-]1)"
PATTERNS = {
    Layout.BUT_REVERBDB: r"(?P<room>[^/]+)/MicID\d+/SpkID[^/]+/\d+/RIR/IR_[^/]+\.wav",
    Layout.MIT_SURVEY: r"(?P<room>h\d+_[^/]+)_\d+txts?\.wav",
    Layout.OPENAIR: rf"(?P<room>[^/]+)/{FORMATS}/.+\.wav",
}
"""Ends of a recording's path, in the order in which they are tried."""

SILENT = "silent channel"


@dataclass(frozen=True, slots=True)
class Response:
    """A recording of one response or, with more channels, of several; ``channels`` are those to take, None all."""

    path: Path
    name: str
    room: str
    corpus: str
    out: Path
    seconds: float
    channels: int | None = None

    @property
    def sources(self) -> tuple[Path, ...]:
        return (self.path,)


def prepare(
    corpus: Path,
    out: Path,
    layout: Layout = Layout.AUTO,
    seconds: float = 1.0,
    test_fraction: float = 0.2,
    test_room: Sequence[str] = (),
    seed: int = 0,
) -> list[Made]:
    """Write 16 kHz mono responses of 32-bit floats, ``train.json`` and ``test.json``; no room is on both sides.

    Layouts, recognised by the ends of the paths:

    - BUT ReverbDB, RIR archive (https://speech.fit.vutbr.cz/software/but-speech-fit-reverb-database):
      ``{Room}/MicID{NN}/SpkID{NN}_{date}_{S|T}/{NN}/RIR/IR_sweep_*.wav``; ``silence/`` beside it is not read.
    - MIT Acoustical Reverberation Scene Statistics Survey (https://mcdermottlab.mit.edu/Reverb/IR_Survey.html):
      ``h{NNN}_{Place}_{N}txts.wav``, where N is how often volunteers were there; each is a room of its own.
    - OpenAIR (https://www.openair.hosted.york.ac.uk): ``{room}/{mono,stereo,b-format}/*.wav``; of B-format only W,
      the one without a direction.
    - Any other folder: the topmost folder is the room, or else each file.

    Each channel is one response. It begins 1 ms before its direct path, which is sample 16 (``direct``), is faded
    out over 50 ms, and has energy 1. T60 and the direct-to-reverberant ratio (direct: 2.5 ms on either side of the
    peak) are measured before it is cut.

    Args:
        seconds: a longer response is cut; a shorter one is not padded.
        test_room: rooms to test on; without any, a ``test_fraction`` of them.

    Raises:
        LayoutError: no recordings, or none where the layout has them.
        UserError: no such room, or ``out`` was made with other options.
    """
    jobs = _find(corpus, out, layout, seconds)
    found = jobs[0].corpus
    held = held_out((job.room for job in jobs), "room", test_room, test_fraction, seed)
    stamp(out, {"corpus": found, "seconds": seconds, "test_rooms": sorted(held)})
    results = make_pieces(_cut, jobs, out, f"{found} responses")
    split = ("test" if job.room in held else "train" for job in jobs)
    return write_splits(out, zip(split, results, strict=True), {})


def finish(
    response: FloatArray, job_out: Path, name: str, seconds: float, corpus: str, room: str, source: str
) -> ImpulseResponse:
    """Measure a (samples,) response at 16 kHz, cut it and write it to ``wav/{name}.wav``."""
    acoustics = reverberation.measure(response)
    target = job_out / "wav" / f"{name}.wav"
    duration = reverberation.write(target, reverberation.cut(response, acoustics.direct, seconds))
    t60 = None if acoustics.t60 is None else round(acoustics.t60, 3)
    path = target.relative_to(job_out).as_posix()
    return ImpulseResponse(path, duration, corpus, room, source, reverberation.LEAD_IN, round(acoustics.drr, 2), t60)


def _find(corpus: Path, out: Path, layout: Layout, seconds: float) -> list[Response]:
    paths = recordings_in(corpus, out, EXPECTED[layout])
    names = names_of(paths, corpus)
    root = corpus.resolve().name
    for candidate in PATTERNS if layout is Layout.AUTO else [one for one in PATTERNS if one is layout]:
        pattern = re.compile(f"(?:.*/)?{PATTERNS[candidate]}")
        matches = {path: pattern.fullmatch(f"{root}/{path.relative_to(corpus).as_posix()}") for path in paths}
        if found := [
            Response(path, names[path], match["room"], candidate.value, out, seconds, _channels(match))
            for path, match in matches.items()
            if match
        ]:
            return found
    if layout not in (Layout.AUTO, Layout.FOLDER):
        raise wrong_layout(corpus, EXPECTED[layout])
    return [Response(path, names[path], names[path].split("/")[0], Layout.FOLDER.value, out, seconds) for path in paths]


def _channels(match: re.Match[str]) -> int | None:
    return 1 if match.groupdict().get("ambisonic") else None


def _cut(job: Response) -> Pieces:
    recorded, rate = audio.decode(job.path)
    where = str(job.path)
    if not np.isfinite(recorded).all():
        raise audio.AudioError("recording holds NaN or infinite samples", where=where, todo="export it again")
    recorded = recorded[:, : job.channels]
    sounding = [channel for channel in range(recorded.shape[1]) if recorded[:, channel].any()]
    if not sounding:
        what = "recording is silent" if len(recorded) else "recording has no samples"
        raise audio.AudioError(what, where=where, todo="remove it")
    responses = []
    for channel in sounding:
        response = audio.resample(np.ascontiguousarray(recorded[:, channel]), rate, audio.SAMPLE_RATE)
        suffix = f"_ch{channel + 1:02d}" if recorded.shape[1] > 1 else ""
        name = f"{job.name}{suffix}"
        responses.append(finish(response, job.out, name, job.seconds, job.corpus, job.room, job.name))
    silent = recorded.shape[1] - len(sounding)
    return Pieces(tuple(responses), {SILENT: silent} if silent else {})
