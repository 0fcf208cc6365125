"""An evaluation as lines of text."""

from collections.abc import Iterator

from spoken_numbers.assessment.evaluation import Evaluation, total
from spoken_numbers.assessment.metrics import ErrorCounts


def lines(evaluation: Evaluation, worst: int = 10) -> Iterator[str]:
    """Figures with their counts, per manifest and overall, then the worst utterances."""
    names = [str(path) for path in evaluation.readings]
    width = max(len(name) for name in [*names, "overall"])
    for path, readings in evaluation.readings.items():
        yield f"{path!s:{width}}  {figures(total(readings))}"
    if len(names) > 1:
        yield f"{'overall':{width}}  {figures(evaluation.overall)}"
    if evaluation.unreadable:
        yield f"{len(evaluation.unreadable)} recordings could not be read, the first: {evaluation.unreadable[0]}"
    wrong = evaluation.worst(worst)
    if wrong:
        yield ""
        yield "most errors:"
        for reading in wrong:
            yield f"  {reading.reference or '(no number)'} read as {reading.hypothesis or '(nothing)'}  {reading.path}"


def figures(counts: ErrorCounts) -> str:
    """``96.4 % of strings [268/278], digit error rate 0.9 % [12 = 8 sub + 1 ins + 3 del / 1321]``"""
    strings = f"{100 * counts.string_accuracy:.1f} % of strings [{counts.strings_right}/{counts.strings}]"
    if not counts.digits:
        return f"{strings}, no digits in the references, {counts.insertions} inserted"
    kinds = f"{counts.substitutions} sub + {counts.insertions} ins + {counts.deletions} del"
    rate = f"{100 * counts.digit_error_rate:.1f} % [{counts.errors} = {kinds} / {counts.digits}]"
    return f"{strings}, digit error rate {rate}"
