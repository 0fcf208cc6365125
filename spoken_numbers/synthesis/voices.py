"""Which voices train, validate and test: split by person, so that nobody is heard on both sides."""

import random
from collections.abc import Iterable, Sequence

from spoken_numbers.errors import UserError
from spoken_numbers.synthesis.engine import Voice

SPLITS = ("train", "validation", "test")


def split_voices(
    voices: Sequence[Voice],
    held_out: float = 0.1,
    validation: Iterable[str] = (),
    test: Iterable[str] = (),
    seed: int = 0,
) -> dict[str, list[Voice]]:
    """Deal every person to one split.

    Of each engine with two persons or more, a fraction ``held_out`` (at least one) goes to test and as many to
    validation while one is left to train, women and men in proportion. Persons whom several engines render stay in
    training where there is a choice: holding them out would take them from all these engines.

    Args:
        validation: speakers or persons that make up this split instead of drawn ones; so for ``test``.

    Raises:
        UserError: unknown voice, or a person in both.
    """
    named = {"validation": list(validation), "test": list(test)}
    dealt: dict[str, str] = {}
    for split, names in named.items():
        for person in _persons(voices, names):
            if dealt.setdefault(person, split) != split:
                raise UserError(f"'{person}' is held out for validation and for test", todo="choose one")
    drawn = [split for split in ("test", "validation") if not named[split]]
    rng = random.Random(f"{seed} voices")
    for engine in sorted({voice.engine for voice in voices}):
        own = [voice for voice in voices if voice.engine == engine]
        everyone = {voice.person for voice in own}
        quota = max(1, round(held_out * len(everyone)))
        shared = {voice.person for voice in voices if voice.engine != engine}
        queue = _in_proportion([voice for voice in own if voice.person not in shared], rng)
        for split in drawn:
            have = {person for person in everyone if dealt.get(person) == split}
            for person in [one for one in queue if one not in dealt][: quota - len(have)]:
                if len(everyone - dealt.keys()) > 1:
                    dealt[person] = split
    return {split: [v for v in voices if dealt.get(v.person, "train") == split] for split in SPLITS}


def _in_proportion(voices: Iterable[Voice], rng: random.Random) -> list[str]:
    """Persons in a random order of which every beginning holds women and men in the proportion of the whole."""
    ranked = []
    for gender in sorted({voice.gender for voice in voices}):
        persons = sorted({voice.person for voice in voices if voice.gender == gender})
        rng.shuffle(persons)
        ranked += [((rank + 0.5) / len(persons), person) for rank, person in enumerate(persons)]
    return list(dict.fromkeys(person for _, person in sorted(ranked)))


def _persons(voices: Sequence[Voice], names: Iterable[str]) -> list[str]:
    persons: list[str] = []
    for name in names:
        matching = [voice.person for voice in voices if name in (voice.speaker, voice.person)]
        if not matching:
            known = ", ".join(dict.fromkeys(voice.speaker for voice in voices))
            raise UserError(f"no voice '{name}'", todo=f"choose from {known}")
        persons += matching
    return persons
