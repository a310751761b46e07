"""A payment intent: one fee, asked for once, paid at most once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from gateway.domain.errors import TransitionError


class IntentStatus(StrEnum):
    """What a department sees. Money that comes late does not change it; it raises `late_payment` instead."""

    REQUIRES_PAYMENT = "requires_payment"
    PROCESSING = "processing"
    REQUIRES_CAPTURE = "requires_capture"
    PAID = "paid"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


class IntentEvent(StrEnum):
    """What may happen to an intent."""

    ATTEMPT_STARTED = "attempt_started"
    ATTEMPT_DIED = "attempt_died"
    AUTHORISED = "authorised"
    CAPTURE_ASKED = "capture_asked"
    CAPTURED = "captured"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


_S, _E = IntentStatus, IntentEvent

TRANSITIONS: Final[Mapping[tuple[IntentStatus, IntentEvent], IntentStatus]] = {
    (_S.REQUIRES_PAYMENT, _E.ATTEMPT_STARTED): _S.PROCESSING,
    # An attempt believed dead was captured after all, before anything else happened: the fee is paid.
    (_S.REQUIRES_PAYMENT, _E.CAPTURED): _S.PAID,
    (_S.REQUIRES_PAYMENT, _E.CANCELLED): _S.CANCELLED,
    (_S.REQUIRES_PAYMENT, _E.EXPIRED): _S.EXPIRED,
    (_S.PROCESSING, _E.ATTEMPT_DIED): _S.REQUIRES_PAYMENT,
    (_S.PROCESSING, _E.CAPTURED): _S.PAID,
    # Both only after the provider was asked to give the attempt up; what it captures later is late money.
    (_S.PROCESSING, _E.CANCELLED): _S.CANCELLED,
    (_S.PROCESSING, _E.EXPIRED): _S.EXPIRED,
    # Where the department captures later, the payer's bank has reserved the amount: nothing moved, nothing is booked.
    (_S.PROCESSING, _E.AUTHORISED): _S.REQUIRES_CAPTURE,
    (_S.REQUIRES_CAPTURE, _E.CAPTURE_ASKED): _S.PROCESSING,
    (_S.REQUIRES_CAPTURE, _E.CAPTURED): _S.PAID,
    (_S.REQUIRES_CAPTURE, _E.ATTEMPT_DIED): _S.REQUIRES_PAYMENT,
    (_S.REQUIRES_CAPTURE, _E.CANCELLED): _S.CANCELLED,
    (_S.REQUIRES_CAPTURE, _E.EXPIRED): _S.EXPIRED,
}
"""The whole life of an intent. What is not here does not happen."""

FINAL: Final = frozenset(status for status in IntentStatus if not any(source is status for source, _ in TRANSITIONS))
"""Statuses no event leaves: paid, cancelled, expired."""


def advance(status: IntentStatus, event: IntentEvent) -> IntentStatus:
    """Return the next status; `TransitionError` names an event the table does not have."""
    try:
        return TRANSITIONS[status, event]
    except KeyError:
        raise TransitionError(f"an intent that is {status.value} cannot be {event.value}") from None


def may(status: IntentStatus, event: IntentEvent) -> bool:
    return (status, event) in TRANSITIONS


def takes_late_money(status: IntentStatus) -> bool:
    """Tell whether a capture now is late or a duplicate, and belongs in suspense instead of the departments' books."""
    return not may(status, IntentEvent.CAPTURED)


@dataclass(frozen=True, slots=True)
class Search:
    """Filters of the list; every one is optional and they add up."""

    status: IntentStatus | None = None
    reference: str | None = None
    created_from: datetime | None = None
    created_before: datetime | None = None
    amount_minor: int | None = None
    currency: str | None = None
    metadata: tuple[str, str] | None = None
    duplicate: bool | None = None
