"""An evaluation as lines of text."""

from collections.abc import Iterator, Sequence
from typing import Any

from spoken_numbers.assessment.evaluation import Evaluation, Reading
from spoken_numbers.assessment.figures import figures, speed
from spoken_numbers.assessment.intervals import Paired


def lines(evaluation: Evaluation, worst: int = 10) -> Iterator[str]:
    """Figures with their counts, per manifest and overall, then the worst utterances."""
    names = [str(path) for path in evaluation.readings]
    width = max((len(name) for name in [*names, "overall"]), default=0)
    for path, readings in evaluation.readings.items():
        yield f"{path!s:{width}}  {sentence(readings)}"
    if len(names) > 1:
        yield f"{'overall':{width}}  {sentence(evaluation.all())}"
    if taken := speed(evaluation):
        factor = f"real-time factor {taken['real_time_factor']:.4f}"
        yield f"one by one: median {taken['median_ms']:.1f} ms, 95th percentile {taken['p95_ms']:.1f} ms, {factor}"
    if evaluation.unreadable:
        yield f"{len(evaluation.unreadable)} recordings could not be read, the first: {evaluation.unreadable[0]}"
    wrong = evaluation.worst(worst)
    if wrong:
        yield ""
        yield "most errors:"
        for reading in wrong:
            yield f"  {reading.reference or '(no number)'} read as {reading.hypothesis or '(nothing)'}  {reading.path}"


def sentence(readings: Sequence[Reading]) -> str:
    """``96.4 % of strings [268/278] (94.1–98.2), digit error rate 0.9 % [12 = 8 sub + 1 ins + 3 del / 1321] (…)``"""
    return _sentence(figures(readings))


def run_table(runs: Sequence[dict[str, Any]]) -> Iterator[str]:
    """Markdown: a row for each run as ``read_run`` gives it."""
    yield "| model | strings right | digit error rate | median ms |"
    yield "|---|---|---|---|"
    for run in runs:
        overall, taken = run["overall"], run.get("speed") or {}
        rate = _percent(overall["digit_error_rate"]) + _bounds(overall.get("digit_error_rate_95"))
        right = f"{_percent(overall['string_accuracy'])} [{overall['strings_right']}/{overall['strings']}]"
        median = f"{taken['median_ms']:.1f}" if taken else ""
        yield f"| {run['model']} | {right}{_bounds(overall.get('string_accuracy_95'))} | {rate} | {median} |"


def compared(
    first: dict[str, Any],
    second: dict[str, Any],
    result: Paired,
    shown: Sequence[tuple[dict[str, Any], dict[str, Any]]],
    differing: int,
) -> Iterator[str]:
    """The paired test in words, and utterances on which two runs differ."""
    gain = f"{100 * result.difference:+.1f} points of string accuracy{_bounds(result.interval)}"
    yield f"{second['model']} against {first['model']}, {result.utterances} utterances of both: {gain}"
    alone = f"{result.only_second_right} it alone has right, {result.only_first_right} the other alone"
    yield f"{alone}; by chance with probability {result.p_value:.2g} (exact McNemar)"
    yield f"{differing} digit strings differ"
    for one, two in shown:
        read = f"{one['hypothesis'] or '(nothing)'} → {two['hypothesis'] or '(nothing)'}"
        yield f"  {one['reference'] or '(no number)'}: {read}  {one['audio_filepath']}"


def _sentence(f: dict[str, Any]) -> str:
    if not f["strings"]:
        return "no utterance could be read"
    right = f"{_percent(f['string_accuracy'])} of strings [{f['strings_right']}/{f['strings']}]"
    right += _bounds(f["string_accuracy_95"])
    if not f["digits"]:
        return f"{right}, no digits in the references, {f['insertions']} inserted"
    errors = f["substitutions"] + f["insertions"] + f["deletions"]
    kinds = f"{f['substitutions']} sub + {f['insertions']} ins + {f['deletions']} del"
    rate = f"{_percent(f['digit_error_rate'])} [{errors} = {kinds} / {f['digits']}]"
    return f"{right}, digit error rate {rate}{_bounds(f['digit_error_rate_95'])}"


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.1f} %"


def _bounds(bounds: Sequence[float] | None) -> str:
    return "" if bounds is None else f" ({100 * bounds[0]:.1f}–{100 * bounds[1]:.1f})"
