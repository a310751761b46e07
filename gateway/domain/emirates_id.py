"""The number of an Emirates ID, as people type it: its form and its check digit."""

from __future__ import annotations

import re
from datetime import date
from typing import Final

_FORM: Final = re.compile(r"784[- ]?([0-9]{4})[- ]?([0-9]{7})[- ]?([0-9])")
_BORN_FIRST: Final = 1900


def read_emirates_id(typed: str, today: date) -> str | None:
    """Return the fifteen digits, or None when no such card can exist."""
    found = _FORM.fullmatch(typed.strip())
    if found is None or not _BORN_FIRST <= int(found[1]) <= today.year:
        return None
    digits = f"784{found[1]}{found[2]}{found[3]}"
    return digits if _luhn(digits) == 0 else None


def _luhn(digits: str) -> int:
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + place % 2)
        total += value - 9 if value > 9 else value  # noqa: PLR2004 - two digits, summed
    return total % 10
