"""Where a payer stands with a payment, read from what is committed."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from gateway.domain.attempt import LIVE, PROVEN_DEAD
from gateway.domain.intent import IntentStatus
from gateway.services.payers.views import CheckoutView


class State(StrEnum):
    """What the payer meets when they open their link."""

    PAYABLE = "payable"
    DECLINED = "declined"  # payable again, after a try that came to nothing
    STARTED = "started"  # the provider's page is waiting for them
    CHECKING = "checking"  # the bank has not said yes or no
    RESERVED = "reserved"  # the bank holds the amount until the department takes it
    PAID = "paid"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    LATE = "late"  # money came after the payment was closed


CLOSED: Final = frozenset({State.PAID, State.CANCELLED, State.EXPIRED, State.LATE})


def state_of(view: CheckoutView) -> State:
    """Read the state from what is committed; nothing a browser says counts."""
    attempt = view.last_attempt
    match view.status:
        case IntentStatus.PAID:
            state = State.PAID
        case IntentStatus.CANCELLED:
            state = State.LATE if view.late_payment else State.CANCELLED
        case IntentStatus.EXPIRED:
            state = State.LATE if view.late_payment else State.EXPIRED
        case IntentStatus.REQUIRES_CAPTURE:
            state = State.RESERVED
        case IntentStatus.PROCESSING:
            state = State.STARTED if attempt and attempt.next_step and attempt.status in LIVE else State.CHECKING
        case IntentStatus.REQUIRES_PAYMENT:
            state = State.DECLINED if attempt and attempt.status in PROVEN_DEAD else State.PAYABLE
    return state
