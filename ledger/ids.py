"""Prefixed identifiers that sort by time and cannot be guessed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import lru_cache
from typing import Final

_CROCKFORD: Final = "0123456789abcdefghjkmnpqrstvwxyz"
_PAIRS: Final = [first + second for first in _CROCKFORD for second in _CROCKFORD]
_RANDOM_BYTES: Final = 10
_HALF_BITS: Final = 40
_HALF: Final = (1 << _HALF_BITS) - 1


def mint(prefix: str, at: datetime, random_bytes: Callable[[int], bytes]) -> str:
    """Return `{prefix}_` and 26 characters: 48 bits of milliseconds, then 80 random bits, Crockford base 32."""
    number = int.from_bytes(random_bytes(_RANDOM_BYTES))
    high, low = number >> _HALF_BITS, number & _HALF
    return f"{prefix}_{_instant(int(at.timestamp() * 1000))}{_eight(high)}{_eight(low)}"


@lru_cache(maxsize=16)
def _instant(millis: int) -> str:
    """Write the ten characters that all identifiers of a millisecond begin with."""
    return _PAIRS[millis >> _HALF_BITS & 255] + _eight(millis & _HALF)


def _eight(bits: int) -> str:
    """Write forty bits, ten a pair of characters; numbers of one machine word are much cheaper than longer ones."""
    return _PAIRS[bits >> 30] + _PAIRS[bits >> 20 & 1023] + _PAIRS[bits >> 10 & 1023] + _PAIRS[bits & 1023]
