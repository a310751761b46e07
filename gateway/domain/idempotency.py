"""One use of an Idempotency-Key, and the answer it is bound to."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Claim:
    """One use of a key: who, where, which key, and the hash of the body it came with."""

    caller: str
    route: str
    key: str
    body_sha256: bytes


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """What the first request made and how it was answered."""

    resource: str
    status: int
    answer: bytes
    replayed: bool = False
