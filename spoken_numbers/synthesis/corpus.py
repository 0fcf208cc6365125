"""Numbers spoken by engines → WAV files and one manifest per split."""

import random
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from spoken_numbers import audio, manifest
from spoken_numbers.audio import FloatArray
from spoken_numbers.errors import UserError
from spoken_numbers.manifest import Made, Utterance
from spoken_numbers.parallel import map_each
from spoken_numbers.stamp import stamp
from spoken_numbers.synthesis import ENGINES, USUAL
from spoken_numbers.synthesis.casting import choose_prosody, choose_voice, render
from spoken_numbers.synthesis.engine import Engine, EngineError, Line, Voice
from spoken_numbers.synthesis.finish import fault, placed, trimmed
from spoken_numbers.synthesis.text import Texts
from spoken_numbers.synthesis.voices import SPLITS, split_voices

RECIPE = 3
"""To be raised when the same options give other audio than before; part of every corpus's recipe.json."""

FOLDER = 200
"""Utterances of one folder, which one worker makes in one go and which a stopped run loses at most."""

ATTEMPTS = 5
"""Voices that are tried for one utterance before it is left out."""

_USUAL_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class Size:
    """How much of a split to make: a number of utterances, or hours (then as many as it takes)."""

    utterances: int = 0
    hours: float | None = None


@dataclass(frozen=True, slots=True)
class _Folder:
    out: Path
    split: str
    number: int
    utterances: int
    texts: Texts
    seed: int
    engines: tuple[Engine, ...]
    voices: tuple[Voice, ...]

    @property
    def path(self) -> Path:
        return self.out / "wav" / self.split / f"{self.number:04d}"

    @property
    def manifest(self) -> Path:
        return self.path / "manifest.json"


def prepare(
    out: Path,
    texts: Texts,
    sizes: Mapping[str, Size],
    *,
    engines: Sequence[Engine] | None = None,
    held_out: float = 0.1,
    validation_voices: Sequence[str] = (),
    test_voices: Sequence[str] = (),
    seed: int = 0,
    jobs: int | None = None,
) -> list[Made]:
    """Write ``out/{train,validation,test}.json`` and ``out/wav/{split}/{folder}/{index}.wav``, 16 kHz mono.

    An utterance is determined by seed, split and index alone: the same seed gives the same bytes (with the same
    versions of the engines, which ``out/recipe.json`` records), a larger size goes on where a smaller one ended, and
    files that are there are not made again. What an engine renders silent, too short or too long is spoken again by
    another voice of the split, and counted.

    Args:
        engines: those to speak; by default all of ``USUAL`` that are installed.
        held_out, validation_voices, test_voices: as of ``split_voices``.

    Raises:
        UserError: no engine, an engine that is not installed or without the language, a split without voices,
            a folder made with other options.
    """
    engines = _installed(texts.language) if engines is None else _checked(engines, texts.language)
    voices = [voice for engine in engines for voice in engine.voices(texts.language)]
    split_of = split_voices(voices, held_out, validation_voices, test_voices, seed)
    for split in SPLITS:
        if _wanted(sizes, split) and not split_of[split]:
            option = "--utterances" if split == "train" else f"--{split}-utterances"
            todo = f"choose more engines, hold out fewer voices, or {option} 0"
            raise UserError(f"no voice is left for {split}", where=_names(engines), todo=todo)
    stamp(
        out,
        {
            "recipe": RECIPE,
            "texts": texts.facts(),
            "seed": seed,
            "engines": {engine.name: engine.version() for engine in engines},
            "speakers": {split: list(dict.fromkeys(v.speaker for v in split_of[split])) for split in SPLITS},
        },
    )
    made = []
    for split in SPLITS:
        if _wanted(sizes, split):
            plan = _Folder(out, split, 0, 0, texts, seed, tuple(engines), tuple(split_of[split]))
            made.append(_make_split(plan, sizes[split], jobs))
    return made


def sizes(utterances: int | None, hours: float | None, validation: int, test: int) -> dict[str, Size]:
    """What the command line says about sizes; 10 000 utterances to train on when it says nothing.

    Raises:
        UserError: both utterances and hours.
    """
    if utterances is not None and hours is not None:
        raise UserError("both a number of utterances and hours", where="--utterances, --hours", todo="give one of them")
    train = Size(10_000 if utterances is None else utterances) if hours is None else Size(hours=hours)
    return {"train": train, "validation": Size(validation), "test": Size(test)}


def chosen(names: Iterable[str]) -> list[Engine]:
    """Engines by name; ``espeak`` is short for ``espeak-ng``.

    Raises:
        UserError: no such engine.
    """
    known = {engine.name: engine for engine in ENGINES} | {"espeak": ENGINES[0]}
    if unknown := [name for name in names if name not in known]:
        raise UserError(f"no engine '{unknown[0]}'", todo=f"choose from {_names(ENGINES)}")
    return list({known[name].name: known[name] for name in names}.values())


def _installed(language: str) -> list[Engine]:
    usual = [engine for engine in USUAL if language in engine.languages]
    there = [engine for engine in usual if engine.version() is not None]
    for engine in usual:
        if engine not in there:
            print(f"{engine.name} is not installed and left out ({engine.install})", file=sys.stderr)
    speaking = [engine for engine in there if engine.voices(language)]
    if not speaking:
        raise EngineError(f"no engine that speaks '{language}' is installed", todo=ENGINES[0].install)
    return speaking


def _checked(engines: Sequence[Engine], language: str) -> Sequence[Engine]:
    for engine in engines:
        if engine.version() is None:
            raise EngineError(f"engine {engine.name} is not installed", todo=engine.install)
        if not engine.voices(language):
            raise EngineError(
                f"engine {engine.name} has no voice for '{language}'", todo=f"leave it out or {engine.install}"
            )
    return engines


def _wanted(sizes: Mapping[str, Size], split: str) -> bool:
    size = sizes.get(split, Size())
    return bool(size.utterances or size.hours)


def _make_split(plan: _Folder, size: Size, jobs: int | None) -> Made:
    spoken_again: Counter[str] = Counter()
    goal = size.utterances or max(1, round((size.hours or 0) * 3600 / _USUAL_SECONDS))
    while True:
        rows = []
        folders = _folders(plan, goal)
        for result in map_each(
            _make_folder, folders, what=plan.split, unit="folder", jobs=jobs, named=lambda folder: str(folder.path)
        ):
            if isinstance(result, UserError):
                raise result
            rows += result[0]
            spoken_again += result[1]
        if not rows:
            raise EngineError(f"no voice could speak any of {goal} utterances", where=_names(plan.engines))
        missing = (size.hours or 0) * 3600 - sum(row.duration for row in rows)
        if size.hours is None or missing <= 0:
            break
        goal += max(10, round(missing * len(rows) / sum(row.duration for row in rows)))
    made = manifest.write(plan.out / f"{plan.split}.json", _first_hours(rows, size.hours))
    return replace(made, left_out=dict(spoken_again))


def _folders(plan: _Folder, utterances: int) -> list[_Folder]:
    return [
        replace(plan, number=number, utterances=min(FOLDER, utterances - number * FOLDER))
        for number in range(-(-utterances // FOLDER))
    ]


def _make_folder(folder: _Folder) -> tuple[list[Utterance], Counter[str]]:
    """The rows of a folder, relative to the split's manifest, and what had to be spoken again.

    The folder's own manifest tells a later run which voice spoke a file that is there.
    """
    there = {row.audio_filepath: row for row in manifest.read(folder.manifest)} if folder.manifest.exists() else {}
    wanted = range(folder.number * FOLDER, folder.number * FOLDER + folder.utterances)
    missing = [index for index in wanted if _file(index) not in there or not (folder.path / _file(index)).exists()]
    spoken_again: Counter[str] = Counter()
    if missing:
        there |= {row.audio_filepath: row for row in _speak(folder, missing, spoken_again)}
        manifest.write(folder.manifest, (there[name] for name in sorted(there)))
    here = folder.path.relative_to(folder.out).as_posix()
    rows = [there[_file(index)] for index in wanted if _file(index) in there]
    return [replace(row, audio_filepath=f"{here}/{row.audio_filepath}") for row in rows], spoken_again


def _speak(folder: _Folder, indices: Sequence[int], spoken_again: Counter[str]) -> Iterator[Utterance]:
    todo = [_Take(folder, index) for index in indices]
    for attempt in range(ATTEMPTS):
        for take in todo:
            take.cast(attempt)
        renderings = render(folder.engines, [take.line for take in todo])
        failed = []
        for take, rendering in zip(todo, renderings, strict=True):
            speech = trimmed(rendering)
            reason = fault(speech, take.spoken.words, take.spoken.label, take.line.prosody.rate)
            if reason is None:
                yield take.written(speech)
            else:
                failed.append(take)
                again = "spoken again by another voice" if attempt + 1 < ATTEMPTS else "given up"
                spoken_again[f"{take.line.voice.engine} renderings that were {reason}, {again}"] += 1
        todo = failed


class _Take:
    """One utterance on its way. What is said is drawn once, who says it and how for every attempt."""

    line: Line

    def __init__(self, folder: _Folder, index: int) -> None:
        self.folder, self.index = folder, index
        self.style, self.spoken, self.text = folder.texts.draw(self._rng("text"), to_learn=folder.split == "train")

    def _rng(self, purpose: object) -> random.Random:
        return random.Random(f"{self.folder.seed} {self.folder.split} {self.index} {purpose}")

    def cast(self, attempt: int) -> None:
        self.rng = self._rng(attempt)
        voice = choose_voice(self.folder.engines, self.folder.voices, self.rng)
        self.line = Line(self.text, voice, choose_prosody(self.rng))

    def written(self, speech: FloatArray) -> Utterance:
        name, speaker = _file(self.index), self.line.voice.speaker
        seconds = audio.write(self.folder.path / name, placed(speech, self.rng))
        return Utterance(name, seconds, self.spoken.label, speaker, "synthetic", self.style, self.spoken.words)


def _first_hours(rows: Iterable[Utterance], hours: float | None) -> Iterator[Utterance]:
    seconds = 0.0
    for row in rows:
        if hours is not None and seconds >= hours * 3600:
            return
        seconds += row.duration
        yield row


def _file(index: int) -> str:
    return f"{index:06d}.wav"


def _names(engines: Iterable[Engine]) -> str:
    return ", ".join(engine.name for engine in engines)
