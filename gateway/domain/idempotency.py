"""One use of an Idempotency-Key, and the answer it is bound to."""

from __future__ import annotations

import msgspec


class Claim(msgspec.Struct, frozen=True):
    """One use of a key: who, where, which key, and the hash of the body it came with."""

    caller: str
    route: str
    key: str
    body_sha256: bytes


class StoredAnswer(msgspec.Struct, frozen=True):
    """What the first request made and how it was answered."""

    resource: str
    status: int
    answer: bytes
    replayed: bool = False
