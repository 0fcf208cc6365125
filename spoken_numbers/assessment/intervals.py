"""How far a figure may be off: 95 % intervals that count speakers, not utterances; two models tested in pairs."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import binomtest

RESAMPLES = 2000


def interval(
    numerators: Sequence[float], denominators: Sequence[float], clusters: Sequence[str], seed: int = 0
) -> tuple[float, float] | None:
    """The 2.5th and 97.5th percentile of Σ numerators / Σ denominators over draws of whole clusters.

    The percentile bootstrap of a ratio (Efron and Tibshirani 1993, chapter 13), resampling clusters: utterances of one
    speaker fall and rise together. An utterance with the cluster ``""`` is one of its own.

    Returns:
        None with fewer than two clusters, which say nothing of how clusters differ, or with denominators of 0.
    """
    sums = _cluster_sums(
        np.stack([numerators, denominators], axis=1) if len(numerators) else np.zeros((0, 2)), clusters
    )
    if len(sums) < 2 or not sums[:, 1].any():
        return None
    drawn = _resampled(sums, seed)
    drawn = drawn[drawn[:, 1] > 0]
    low, high = np.percentile(drawn[:, 0] / drawn[:, 1], [2.5, 97.5])
    return float(low), float(high)


@dataclass(frozen=True, slots=True)
class Paired:
    """Two models on the same utterances."""

    utterances: int
    only_first_right: int
    only_second_right: int
    difference: float
    """Second's string accuracy minus the first's."""
    interval: tuple[float, float] | None
    """95 % of the difference, by speakers."""
    p_value: float
    """Exact McNemar: of a split as uneven as this or more among the utterances that one alone has right, by chance."""


def paired(first: Sequence[bool], second: Sequence[bool], clusters: Sequence[str], seed: int = 0) -> Paired:
    """Compare which of the same utterances each model has right (McNemar 1947, exact binomial, two-sided)."""
    one, two = np.array(first, bool), np.array(second, bool)
    only_one, only_two = int((one & ~two).sum()), int((two & ~one).sum())
    differing = only_one + only_two
    p_value = float(binomtest(only_one, differing).pvalue) if differing else 1.0
    gains = (two.astype(float) - one).tolist()
    difference = float(np.mean(gains)) if gains else float("nan")
    spread = interval(gains, [1.0] * len(gains), clusters, seed)
    return Paired(len(gains), only_one, only_two, difference, spread, p_value)


def _cluster_sums(values: npt.NDArray[np.float64], clusters: Sequence[str]) -> npt.NDArray[np.float64]:
    names = [(name, 0) if name else ("", place) for place, name in enumerate(clusters)]
    places = {name: place for place, name in enumerate(dict.fromkeys(names))}
    sums = np.zeros((len(places), values.shape[1]))
    np.add.at(sums, [places[name] for name in names], values)
    return sums


def _resampled(sums: npt.NDArray[np.float64], seed: int) -> npt.NDArray[np.float64]:
    rng = np.random.default_rng(seed)
    count = len(sums)
    return np.stack([rng.multinomial(count, np.full(count, 1 / count)) @ sums for _ in range(RESAMPLES)])
