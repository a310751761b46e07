"""What the provider's words mean, as literal tables: read them with its document open."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from adapters.contract import DeclineReason, Outcome, PaymentReport, Redirect, RefundReport
from adapters.template.wire import WirePayment, WireRefund, read_money

STATUSES: Final[dict[str, Outcome]] = {
    "open": Outcome.PENDING,
    "processing": Outcome.PENDING,
    "paid": Outcome.SUCCEEDED,
    "failed": Outcome.DECLINED,
    "cancelled": Outcome.DECLINED,
}
"""A word that stands not here is pending, and the report says that it was not recognised."""

DECLINES: Final[dict[str, DeclineReason]] = {
    "do_not_honour": DeclineReason.DECLINED_BY_BANK,
    "no_funds": DeclineReason.INSUFFICIENT_FUNDS,
    "card_expired": DeclineReason.EXPIRED_CARD,
}

REFUNDS: Final[dict[str, Outcome]] = {
    "done": Outcome.SUCCEEDED,
    "waiting": Outcome.PENDING,
    "failed": Outcome.DECLINED,
}


def read_report(payment: WirePayment) -> PaymentReport:
    """Read a payment as the truth about our attempt."""
    outcome = STATUSES.get(payment.status, Outcome.PENDING)
    decline = DECLINES.get(payment.decline_code or "", DeclineReason.OTHER)
    if payment.status == "cancelled":
        decline = DeclineReason.CANCELLED_BY_PAYER
    return PaymentReport(
        outcome=outcome,
        provider_reference=payment.id,
        reference=payment.reference,
        captured=payment.money() if outcome is Outcome.SUCCEEDED else None,
        refunded=read_money(payment.refunded_minor, payment.currency) if payment.refunded_minor else None,
        word=payment.status,
        decline=decline if outcome is Outcome.DECLINED else None,
        next_step=Redirect(payment.page) if payment.page and payment.status == "open" else None,
        occurred_at=_instant(payment.updated_at),
        unrecognised=payment.status not in STATUSES,
    )


def read_refund(refund: WireRefund) -> RefundReport:
    return RefundReport(
        outcome=REFUNDS.get(refund.status, Outcome.PENDING),
        provider_reference=refund.id,
        amount=read_money(refund.amount_minor, refund.currency),
        word=refund.status,
        unrecognised=refund.status not in REFUNDS,
    )


def _instant(text: str | None) -> datetime | None:
    """Read the provider's own time; one that cannot be read is no reason to refuse the answer."""
    try:
        instant = datetime.fromisoformat(text) if text else None
        return instant.astimezone(UTC) if instant and instant.tzinfo else None
    except (ValueError, OverflowError):
        return None
