"""Recordings of noise → clips of one length, split by recording: DEMAND, DCASE 2017, ESC, MUSAN, any folder."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from spoken_numbers import audio
from spoken_numbers.clip_manifest import NoiseClip
from spoken_numbers.corpora.layout import few
from spoken_numbers.corpora.noise_layouts import Layout, Recording, find
from spoken_numbers.corpora.pieces import Pieces, held_out, make_pieces, write_splits
from spoken_numbers.errors import UserError
from spoken_numbers.manifest import Made
from spoken_numbers.stamp import stamp

SPEECH = "recording of speech, which may speak numbers"
CHANNEL = "further channel of a recording"
OTHER_CLASS = "recording of another class"
QUIET = "near-silent clip"
SHORT = "recording shorter than half a clip"


@dataclass(frozen=True, slots=True)
class Cut:
    """A recording to be cut into clips of ``seconds``; those with no 25 ms above ``floor_db`` dB are left out."""

    recording: Recording
    corpus: str
    out: Path
    seconds: float
    floor_db: float

    @property
    def name(self) -> str:
        return self.recording.name

    @property
    def sources(self) -> tuple[Path, ...]:
        return (self.recording.path,)


def prepare(
    corpus: Path,
    out: Path,
    layout: Layout = Layout.AUTO,
    seconds: float = 2.0,
    floor_db: float = -70.0,
    test_fraction: float = 0.2,
    test_fold: Sequence[int] = (),
    test_source: Sequence[str] = (),
    only_class: Sequence[str] = (),
    all_channels: bool = False,
    seed: int = 0,
) -> list[Made]:
    """Write 16 kHz mono clips, ``train.json`` and ``test.json``; no recording is on both sides.

    Layouts, recognised by the ends of the paths:

    - DEMAND (https://zenodo.org/records/1227121): ``{ENVIRONMENT}/ch01.wav`` to ``ch16.wav``, one recording of 16
      microphones, of which the first is taken.
    - DCASE 2017 task 3, TUT Sound Events 2017 (https://zenodo.org/records/814831): ``audio/street/*.wav``, binaural.
    - ESC-10 (https://github.com/karolpiczak/ESC-10): ``NNN - Class/fold-clip-take.ogg``; ESC-50
      (https://github.com/karolpiczak/ESC-50): ``audio/fold-clip-take-target.wav`` and ``meta/esc50.csv``. Takes of
      one Freesound clip are one recording.
    - MUSAN (https://www.openslr.org/17/): ``{music,noise}/{part}/*.wav``; its ``speech/`` is left out, since it may
      speak numbers, unless ``only_class`` asks for it.
    - Speech Commands: ``_background_noise_/*.wav``, and none of its words.
    - Any other folder: each file is one recording, and its topmost folder the class.

    A recording is cut from its start; what is left at its end is dropped (5 s give two clips of 2 s). One that is
    shorter than a clip is a clip as it is, if it is at least half as long.

    Args:
        floor_db: dB re full scale; a clip of which no 25 ms window (root mean square) is louder is left out.
        test_fraction: of the recordings of each class; of all those that are alone in their class, together.
        test_fold: ESC's folds to test on, in place of the fraction.
        test_source: recordings to test on, in place of the fraction.
        only_class: take these classes alone.

    Raises:
        LayoutError: no recordings, or none where the layout has them.
        UserError: no such fold, recording or class, or ``out`` was made with other options.
    """
    layout, recordings = find(corpus, out, layout)
    taken, before = _choose(layout, recordings, only_class, all_channels)
    held = _held_out(taken, test_fraction, test_fold, test_source, seed)
    options = {"corpus": layout.value, "seconds": seconds, "floor_db": floor_db, "all_channels": all_channels}
    stamp(out, {**options, "only_class": sorted(only_class), "test_sources": sorted(held)})
    jobs = [Cut(one, layout.value, out, seconds, floor_db) for one in taken]
    results = make_pieces(_cut, jobs, out, f"{layout.value} recordings")
    split = ("test" if one.source in held else "train" for one in taken)
    return write_splits(out, zip(split, results, strict=True), {"train": before})


def _choose(
    layout: Layout, recordings: Sequence[Recording], only_class: Sequence[str], all_channels: bool
) -> tuple[list[Recording], Counter[str]]:
    classes = {one.class_ for one in recordings}
    if unknown := sorted(set(only_class) - classes):
        raise UserError(
            f"no class {few(map(repr, unknown))} in this corpus",
            where="--only-class",
            todo=f"choose among {few(sorted(classes - {''}), 60) or 'other corpora'}",
        )
    taken, left_out = [], Counter[str]()
    for one in recordings:
        if only_class and one.class_ not in only_class:
            left_out[OTHER_CLASS] += 1
        elif layout is Layout.MUSAN and one.class_ == "speech" and not only_class:
            left_out[SPEECH] += 1
        elif one.channel != 1 and not all_channels:
            left_out[CHANNEL] += 1
        else:
            taken.append(one)
    if not taken:
        raise UserError(f"nothing to take: {few(left_out)}", where=str(layout), todo="ask for it, see --help")
    return taken, left_out


def _held_out(
    recordings: Iterable[Recording], fraction: float, folds: Sequence[int], named: Sequence[str], seed: int
) -> set[str]:
    class_of = {one.source: one.class_ for one in recordings}
    if folds:
        fold_of = {(one.source, one.fold) for one in recordings}
        there = {fold for _, fold in fold_of if fold is not None}
        if unknown := sorted(set(folds) - there):
            todo = f"choose among {few(map(str, sorted(there)), 10)}" if there else "only ESC has folds: leave it out"
            raise UserError(f"no fold {few(map(str, unknown))} in this corpus", where="--test-fold", todo=todo)
        named = [*named, *(source for source, fold in fold_of if fold in folds)]
    sizes = Counter(class_of.values())
    alike = {source: class_ if sizes[class_] > 1 else "" for source, class_ in class_of.items()}
    return held_out(class_of, "source", named, fraction, seed, group=alike.__getitem__)


def _cut(job: Cut) -> Pieces:
    waveform = audio.read(job.recording.path)
    samples = round(job.seconds * audio.SAMPLE_RATE)
    if 2 * len(waveform) < samples:
        return Pieces((), {SHORT: 1})
    clips, left_out = [], Counter[str]()
    for index in range(max(1, len(waveform) // samples)):
        piece = waveform[index * samples : (index + 1) * samples]
        if audio.is_silent(piece, job.floor_db):
            left_out[QUIET] += 1
            continue
        target = job.out / "wav" / f"{job.name}_{index:04d}.wav"
        duration = audio.write(target, piece)
        path = target.relative_to(job.out).as_posix()
        clips.append(NoiseClip(path, duration, job.corpus, job.recording.source, job.recording.class_))
    return Pieces(tuple(clips), dict(left_out))
