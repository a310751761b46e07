"""Prefixed identifiers that sort by time and cannot be guessed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Final

_CROCKFORD: Final = "0123456789abcdefghjkmnpqrstvwxyz"
_PAIRS: Final = [first + second for first in _CROCKFORD for second in _CROCKFORD]
_RANDOM_BYTES: Final = 10
_SHIFTS: Final = range(120, -1, -10)
"""Where each pair of the 26 characters stands in the number: ten bits a pair, the highest first."""


def mint(prefix: str, at: datetime, random_bytes: Callable[[int], bytes]) -> str:
    """Return `{prefix}_` and 26 characters: 48 bits of milliseconds, then 80 random bits, Crockford base 32."""
    millis = int(at.timestamp() * 1000) & ((1 << 48) - 1)
    number = millis << 80 | int.from_bytes(random_bytes(_RANDOM_BYTES))
    return f"{prefix}_" + "".join([_PAIRS[number >> shift & 1023] for shift in _SHIFTS])
