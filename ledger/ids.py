"""Prefixed identifiers that sort by time and cannot be guessed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Final

_CROCKFORD: Final = "0123456789abcdefghjkmnpqrstvwxyz"
_RANDOM_BYTES: Final = 10
_CHARACTERS: Final = 26


def mint(prefix: str, at: datetime, random_bytes: Callable[[int], bytes]) -> str:
    """Return `{prefix}_` and 26 characters: 48 bits of milliseconds, then 80 random bits, Crockford base 32."""
    millis = int(at.timestamp() * 1000) & ((1 << 48) - 1)
    number = millis << 80 | int.from_bytes(random_bytes(_RANDOM_BYTES))
    characters = []
    for _ in range(_CHARACTERS):
        number, digit = divmod(number, 32)
        characters.append(_CROCKFORD[digit])
    return f"{prefix}_{''.join(reversed(characters))}"
