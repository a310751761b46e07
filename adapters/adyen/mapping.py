"""What Adyen's words mean, as literal tables, and links and notifications read as reports."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from adapters.adyen.wire import WireLink
from adapters.contract import DeclineReason, Outcome, PaymentReport, Redirect

STATUSES: Final[dict[str, Outcome]] = {
    "active": Outcome.PENDING,
    "paymentPending": Outcome.PENDING,
    "completed": Outcome.SUCCEEDED,
    "paid": Outcome.SUCCEEDED,
    "expired": Outcome.DECLINED,
}
"""Status of a payment link. A link that is not reusable is completed by one successful payment of its amount."""

EVENTS: Final = frozenset(
    {
        "AUTHENTICATION", "AUTHORISATION", "AUTHORISATION_ADJUSTMENT", "CANCELLATION", "CANCEL_OR_REFUND", "CAPTURE",
        "CAPTURE_FAILED", "CHARGEBACK", "CHARGEBACK_REVERSED", "DISPUTE_DEFENSE_PERIOD_ENDED", "EXPIRE",
        "INFORMATION_SUPPLIED", "ISSUER_COMMENTS", "MANUAL_REVIEW_ACCEPT", "MANUAL_REVIEW_REJECT",
        "NOTIFICATION_OF_CHARGEBACK", "NOTIFICATION_OF_FRAUD", "OFFER_CLOSED", "ORDER_CLOSED", "ORDER_OPENED",
        "PREARBITRATION_LOST", "PREARBITRATION_WON", "REFUND", "REFUNDED_REVERSED", "REFUND_FAILED",
        "REFUND_WITH_DATA", "REPORT_AVAILABLE", "REQUEST_FOR_INFORMATION", "SECOND_CHARGEBACK", "TECHNICAL_CANCEL",
        "VOID_PENDING_REFUND",
    }
)  # fmt: skip
"""Event codes we know. Only AUTHORISATION says what became of a payment; the others lead to a look at it."""

_BANK, _INVALID, _AUTH = (
    DeclineReason.DECLINED_BY_BANK,
    DeclineReason.INVALID_DETAILS,
    DeclineReason.AUTHENTICATION_FAILED,
)
_OUT, _RISK, _NO = DeclineReason.PROVIDER_OUTAGE, DeclineReason.RISK_REFUSED, DeclineReason.NOT_SUPPORTED

DECLINES: Final[dict[str, DeclineReason]] = {
    "refused": _BANK,
    "referral": _BANK,
    "acquirer error": _OUT,
    "blocked card": _BANK,
    "expired card": DeclineReason.EXPIRED_CARD,
    "invalid amount": _INVALID,
    "invalid card number": _INVALID,
    "issuer unavailable": _OUT,
    "not supported": _NO,
    "3d not authenticated": _AUTH,
    "not enough balance": DeclineReason.INSUFFICIENT_FUNDS,
    "acquirer fraud": _RISK,
    "cancelled": DeclineReason.CANCELLED_BY_PAYER,
    "shopper cancelled": DeclineReason.CANCELLED_BY_PAYER,
    "invalid pin": _AUTH,
    "pin tries exceeded": _AUTH,
    "fraud": _RISK,
    "fraud-cancelled": _RISK,
    "issuer suspected fraud": _RISK,
    "transaction not permitted": _NO,
    "cvc declined": _INVALID,
    "restricted card": _BANK,
    "revocation of auth": _BANK,
    "declined non generic": _BANK,
    "withdrawal amount exceeded": DeclineReason.LIMIT_EXCEEDED,
    "withdrawal count exceeded": DeclineReason.LIMIT_EXCEEDED,
    "avs declined": _INVALID,
    "card requires online pin": _AUTH,
    "no checking account available on card": _NO,
    "no savings account available on card": _NO,
    "mobile pin required": _AUTH,
    "authentication required": _AUTH,
    "rreq not received from ds": _AUTH,
    "current aid is in penalty box.": _OUT,
    "cvm required restart payment": _AUTH,
    "3ds authentication error": _AUTH,
    "the transaction was not processed by the issuer": _OUT,
    "transaction timed out": DeclineReason.TIMED_OUT,
}
"""Refusal reasons, in lower case, as the `reason` of a failed AUTHORISATION words them."""

EXPONENTS: Final = {"IDR": 0}
"""Currencies whose minor unit at Adyen is not ISO's; a payment in one of them is refused before it is sent."""


def read_report(link: WireLink, psp_reference: str | None) -> PaymentReport:
    """Read a link as the truth about an attempt. A link does not name its payment; only notifications do."""
    outcome = STATUSES.get(link.status, Outcome.PENDING)
    return PaymentReport(
        outcome=outcome,
        provider_reference=psp_reference,
        reference=link.reference,
        captured=link.amount.money() if outcome is Outcome.SUCCEEDED else None,
        word=link.status,
        decline=DeclineReason.TIMED_OUT if outcome is Outcome.DECLINED else None,
        next_step=Redirect(link.url) if link.status == "active" else None,
        occurred_at=read_instant(link.updated_at),
        facts={"link": link.id},
        unrecognised=link.status not in STATUSES,
    )


def decline_of(reason: str) -> DeclineReason:
    """Read a refusal reason; some acquirers put a code and a colon in front of it."""
    text = reason.rsplit(":", 1)[-1].strip().lower()
    return DECLINES.get(text, DeclineReason.OTHER)


def read_instant(text: str | None) -> datetime | None:
    """Read the provider's own time; one that cannot be read is no reason to refuse the answer."""
    try:
        instant = datetime.fromisoformat(text) if text else None
        if instant is None:
            return None
        return instant.astimezone(UTC) if instant.tzinfo else instant.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None
