"""Who speaks a line and how, and having it spoken."""

import math
import random
from collections.abc import Sequence

from spoken_numbers.audio import FloatArray
from spoken_numbers.synthesis.engine import NOTHING, Engine, EngineError, Line, Prosody, Voice


def choose_voice(engines: Sequence[Engine], voices: Sequence[Voice], rng: random.Random) -> Voice:
    """An engine by its share, then any of its persons, then any voice of that person."""
    speaking = [engine for engine in engines if any(voice.engine == engine.name for voice in voices)]
    engine = rng.choices(speaking, [engine.share for engine in speaking])[0]
    own = [voice for voice in voices if voice.engine == engine.name]
    person = rng.choice(sorted({voice.person for voice in own}))
    return rng.choice([voice for voice in own if voice.person == person])


def choose_prosody(rng: random.Random) -> Prosody:
    """Tempo and pitch as they differ between people; four in ten set their words apart, as when dictating.

    Six digits take 1.5 to 4 s in nine of ten utterances (measured; see the tests).
    """
    rate = min(1.5, max(0.65, math.exp(rng.gauss(0.0, 0.18))))
    pitch = min(1.3, max(0.77, math.exp(rng.gauss(0.0, 0.12))))
    return Prosody(rate, pitch, rng.uniform(0.01, 0.15) if rng.random() < 0.4 else 0.0)


def render(engines: Sequence[Engine], lines: Sequence[Line]) -> list[FloatArray]:
    """Each line by its engine, in batches; where a batch fails, one by one."""
    renderings = [NOTHING] * len(lines)
    for engine in engines:
        places = [place for place, line in enumerate(lines) if line.voice.engine == engine.name]
        batches = [places] if places else []
        while batches:
            batch = batches.pop()
            try:
                spoken = engine.render([lines[place] for place in batch])
            except EngineError:
                batches += [[place] for place in batch] if len(batch) > 1 else []
                continue
            for place, rendering in zip(batch, spoken, strict=True):
                renderings[place] = rendering
    return renderings
