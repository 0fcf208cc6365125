"""How many digits a string has, as people type it."""

import re

from spoken_numbers.errors import UserError

MOST = 64


def parse_length(spec: str, where: str = "--length") -> tuple[int, int]:
    """``6`` or ``4-8`` → fewest and most digits.

    Raises:
        UserError: anything else, or more than ``MOST`` digits.
    """
    match = re.fullmatch(r"(\d{1,3})(?:-(\d{1,3}))?", spec.strip())
    fewest, most = (int(match[1]), int(match[2] or match[1])) if match else (0, 0)
    if not 1 <= fewest <= most <= MOST:
        raise UserError(f"'{spec}' is no number of digits", where=where, todo=f"write 6 or 4-8, at most {MOST}")
    return fewest, most
