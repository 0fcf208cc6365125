"""The vocabulary, and digit string ⇄ label ⇄ spoken words."""

from spoken_numbers.errors import UserError

LABELS = ("0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "*")
"""What the network emits; ``*`` is a spoken "thousand" or "million"."""

BLANK = len(LABELS)
"""Index of the CTC blank: last, as NeMo has it."""


class LabelError(UserError):
    """Text that is no spoken number, or no label."""


def digit_string(label: str) -> str:
    """The label without its group separators: ``183*037`` → ``183037``."""
    return label.replace("*", "")
