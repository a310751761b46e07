"""What can go wrong while talking to a provider, told apart by what is known about the money."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

from ledger.money import Money


class ProviderError(Exception):
    """A provider could not be asked or understood."""

    code = "provider_error"


class NotSentError(ProviderError):
    """The request never left: connection refused, name not found. Safe to retry or to fail over."""

    code = "not_sent"


class OutcomeUnknownError(ProviderError):
    """The request may have been acted on: time-out, reset after the write, 5xx, an answer nobody can read."""

    code = "outcome_unknown"

    def __init__(self, reason: str = "", *, status: int | None = None, body: bytes = b"") -> None:
        super().__init__(reason)
        self.status = status
        self.body = body


class RejectedError(ProviderError):
    """The provider answered, readably, that it will not do this; nothing moved."""

    code = "rejected"

    def __init__(self, reason: str, *, status: int | None = None, body: bytes = b"") -> None:
        super().__init__(reason)
        self.status = status
        self.body = body


class CallbackRefusedError(ProviderError):
    """A callback's signature, header, age or shape does not stand; it changes nothing."""

    code = "callback_refused"


class FileRefusedError(ProviderError):
    """A settlement file or statement cannot be trusted as a whole; the reason and the line say why.

    `cause` is the reason's code, `stated` and `found` the figures of a total that is not its lines'. Whoever fetched
    the file adds its name and hash (`naming`), so that what was refused can be shown to whoever sent it.
    """

    code = "file_refused"

    def __init__(
        self, reason: str, *, line: int | None = None, cause: str = "unreadable", stated: Money | None = None,
        found: Money | None = None,
    ) -> None:  # fmt: skip
        super().__init__(f"line {line}: {reason}" if line is not None else reason)
        self.reason = reason
        self.line = line
        self.cause = cause
        self.stated = stated
        self.found = found
        self.file = ""
        self.sha256 = ""


@contextmanager
def naming(name: str, content: bytes) -> Iterator[None]:
    """Give a file that is refused inside its name and hash."""
    try:
        yield
    except FileRefusedError as error:
        error.file = error.file or name
        error.sha256 = error.sha256 or hashlib.sha256(content).hexdigest()
        raise
