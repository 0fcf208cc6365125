"""Perturbations in a row, each by chance, and a count of what became of each."""

from collections.abc import Sequence
from multiprocessing.sharedctypes import RawArray
from typing import NamedTuple

import numpy as np

from spoken_numbers.audio import FloatArray
from spoken_numbers.augmentation.perturbation import Perturbation

MESSAGE = 300
"""Bytes kept of a failure's message."""


class Step(NamedTuple):
    name: str
    prob: float
    perturbation: Perturbation


class Outcome(NamedTuple):
    """What became of one perturbation: how often it ran, failed, or left too few samples and was taken back."""

    name: str
    ran: int
    failed: int
    too_short: int
    message: str


class Tally:
    """Outcomes of all loader processes, in shared memory; each process counts in a row of its own, without a lock."""

    def __init__(self, names: Sequence[str], processes: int = 1) -> None:
        self.names = list(names)
        self._processes = processes
        self._counts = RawArray("q", processes * len(self.names) * 3)
        self._messages = RawArray("c", max(1, len(self.names)) * MESSAGE)

    def add(self, process: int, step: int, *, failed: int = 0, too_short: int = 0) -> None:
        at = (process * len(self.names) + step) * 3
        self._counts[at] += 1
        self._counts[at + 1] += failed
        self._counts[at + 2] += too_short

    def keep_message(self, step: int, text: str) -> None:
        message = text.encode(errors="replace")[: MESSAGE - 1]
        self._messages[step * MESSAGE : step * MESSAGE + len(message) + 1] = message + b"\0"

    def outcomes(self) -> list[Outcome]:
        counts = np.array(self._counts, dtype=np.int64).reshape(self._processes, len(self.names), 3).sum(0)
        texts = [self._messages[i * MESSAGE : (i + 1) * MESSAGE].split(b"\0")[0] for i in range(len(self.names))]
        return [
            Outcome(name, ran, failed, too_short, text.decode(errors="replace"))
            for name, (ran, failed, too_short), text in zip(self.names, counts.tolist(), texts, strict=True)
        ]


class Chain:
    """Steps in order.

    Args:
        processes: how many processes call it; each gives its number with each call.
        before: the step before which to keep what there is of each waveform, in ``kept``.
    """

    def __init__(self, steps: Sequence[Step], processes: int = 1, *, before: str | None = None) -> None:
        self.steps = list(steps)
        self.tally = Tally([step.name for step in steps], processes)
        self.before = before
        self.kept: FloatArray | None = None

    def __call__(
        self, waveform: FloatArray, rng: np.random.Generator, *, shortest: int = 1, process: int = 0
    ) -> FloatArray:
        """(samples,) → (samples,), and ``waveform`` may be written into.

        A step that raises, or gives samples that are not finite, is left out and counted as failed; one that leaves
        fewer than ``shortest`` samples is left out and counted as too short.
        """
        for index, (name, prob, perturbation) in enumerate(self.steps):
            if name == self.before:
                self.kept = waveform.copy()
            if rng.random() >= prob:
                continue
            try:
                after = perturbation(waveform, rng)
                if not np.isfinite(np.dot(after, after)):
                    raise FloatingPointError("samples that are not finite")
            except Exception as error:
                self.tally.add(process, index, failed=1)
                self.tally.keep_message(index, str(error).splitlines()[0] if str(error) else type(error).__name__)
                continue
            shortened = len(after) < min(shortest, len(waveform))
            self.tally.add(process, index, too_short=int(shortened))
            if not shortened:
                waveform = after
        return waveform
