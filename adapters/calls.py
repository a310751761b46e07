"""One request as pure code builds it, one answer as pure code reads it. What sends them is `adapters.http`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

import msgspec

from adapters.errors import OutcomeUnknownError

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Call:
    """One request, ready to send."""

    operation: str
    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Answer:
    """A provider's 2xx answer, read whole."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def decode_json(body: bytes, shape: type[T]) -> T:
    """Decode what came over the wire. A NUL inside a text, which no database can keep, is read as a space."""
    # Six letters for six letters: where they are no escape but its name, the text stays well formed.
    return msgspec.json.decode(body.replace(b"\\u0000", b"\\u0020"), type=shape)


def read_json(body: bytes, shape: type[T]) -> T:
    """Read an answer strictly into its shape; what cannot be read leaves the outcome unknown."""
    try:
        return decode_json(body, shape)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise OutcomeUnknownError(f"the answer cannot be read: {error}") from None


def write_json(value: Any) -> bytes:
    return msgspec.json.encode(value)
