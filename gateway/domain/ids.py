"""The kinds of thing that carry an identifier, and how one is recognised before it reaches the database."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final

from ledger import ids


class Prefix(StrEnum):
    INTENT = "pi"
    ATTEMPT = "pa"
    REFUND = "re"
    REFUND_BATCH = "rb"
    PAYMENT_LINK = "pk"
    EVENT = "ev"
    ENDPOINT = "we"
    API_KEY = "key"
    MESSAGE = "ms"
    CLIENT = "cl"
    TARIFF = "tf"
    AUDIT = "ga"
    TRANSFER_CLAIM = "tc"
    REVIEW = "rw"
    PAYOUT = "pl"
    SHIFT = "sh"


_MINTING: Final = timedelta(seconds=2)
"""How far the instant in an identifier may lie from the one beside it."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_ALPHABET: Final = "0123456789abcdefghjkmnpqrstvwxyz"
_BODY: Final = re.compile(r"[0-7][0-9abcdefghjkmnpqrstvwxyz]{25}")


def mint(prefix: Prefix, at: datetime, random_bytes: Callable[[int], bytes]) -> str:
    return ids.mint(prefix.value, at, random_bytes)


def id_bound(prefix: Prefix, at: datetime) -> str:
    """Return the lowest identifier that could be minted at an instant."""
    return mint(prefix, max(at, _EPOCH), bytes)


def id_range(
    prefix: Prefix, created_from: datetime | None, created_before: datetime | None, cursor: str | None
) -> tuple[str | None, str | None]:
    """Return below and above which identifier a page lies, newest first: under a cursor, in a time, a bit wider."""
    ends = [] if cursor is None else [cursor]
    if created_before is not None:
        ends.append(id_bound(prefix, created_before + _MINTING))
    after = None if created_from is None else id_bound(prefix, created_from - _MINTING)
    return min(ends, default=None), after


def successor(identifier: str) -> str:
    """Return the next identifier of the same kind, for things that happen in one millisecond and have an order."""
    head, _, body = identifier.partition("_")
    characters = list(body)
    for place in range(len(characters) - 1, -1, -1):
        digit = _ALPHABET.index(characters[place]) + 1
        characters[place] = _ALPHABET[digit % len(_ALPHABET)]
        if digit < len(_ALPHABET):
            break
    return f"{head}_{''.join(characters)}"


def is_id(text: str, prefix: Prefix) -> bool:
    """Tell whether a text has the form of an identifier of this kind."""
    head, _, body = text.partition("_")
    return head == prefix.value and _BODY.fullmatch(body) is not None
