"""String accuracy and digit error rate, as counts that add up."""

from dataclasses import astuple, dataclass

import kaldialign

from spoken_numbers.labels import digit_string


@dataclass(frozen=True, slots=True)
class ErrorCounts:
    """Counts over some utterances; two of them add to the counts over both."""

    strings: int = 0
    strings_right: int = 0
    digits: int = 0
    substitutions: int = 0
    insertions: int = 0
    deletions: int = 0

    def __add__(self, other: "ErrorCounts") -> "ErrorCounts":
        return ErrorCounts(*(mine + theirs for mine, theirs in zip(astuple(self), astuple(other), strict=True)))

    @property
    def errors(self) -> int:
        return self.substitutions + self.insertions + self.deletions

    @property
    def string_accuracy(self) -> float:
        """Share of utterances whose digit string is read without an error; NaN without utterances."""
        return self.strings_right / self.strings if self.strings else float("nan")

    @property
    def digit_error_rate(self) -> float:
        """(substitutions + insertions + deletions) / reference digits; NaN without digits."""
        return self.errors / self.digits if self.digits else float("nan")


def count_errors(reference: str, hypothesis: str) -> ErrorCounts:
    """Align two labels by their digit strings (Levenshtein, unit costs)."""
    ref, hyp = digit_string(reference), digit_string(hypothesis)
    edits = kaldialign.edit_distance(ref, hyp)
    return ErrorCounts(1, int(ref == hyp), len(ref), edits["sub"], edits["ins"], edits["del"])
