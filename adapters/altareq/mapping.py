"""What the standard's words mean, as literal tables, and its documents read as reports."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from adapters.altareq.wire import WireConsent, WirePayment
from adapters.contract import DeclineReason, Outcome, PaymentReport

PAYMENT_STATUSES: Final[dict[str, Outcome]] = {
    "Pending": Outcome.PENDING,
    "AcceptedSettlementCompleted": Outcome.PENDING,  # the payer is debited; we are not credited yet
    "AcceptedWithoutPosting": Outcome.PENDING,  # our bank has it, our account not yet
    "AcceptedCreditSettlementCompleted": Outcome.SUCCEEDED,  # our account is credited: the only word that is paid
    "Rejected": Outcome.DECLINED,
}

CONSENT_STATUSES: Final[dict[str, Outcome]] = {
    "AwaitingAuthorization": Outcome.PENDING,
    "Authorized": Outcome.PENDING,  # no money moves before we make the payment
    "Suspended": Outcome.PENDING,
    "Consumed": Outcome.PENDING,  # its payment tells
    "Rejected": Outcome.DECLINED,
    "Revoked": Outcome.DECLINED,
    "Expired": Outcome.DECLINED,
}

CONSENT_DECLINES: Final[dict[str, DeclineReason]] = {
    "Rejected": DeclineReason.CANCELLED_BY_PAYER,
    "Revoked": DeclineReason.TIMED_OUT,
    "Expired": DeclineReason.TIMED_OUT,
}
"""Why a consent that came to nothing did. We revoke one only when nothing can be made of it any more."""

_NO = DeclineReason.NOT_SUPPORTED

DECLINES: Final[dict[str, DeclineReason]] = {
    "access_denied": DeclineReason.CANCELLED_BY_PAYER,
    "AC01": DeclineReason.INVALID_DETAILS,
    "AC04": _NO,
    "AC06": DeclineReason.DECLINED_BY_BANK,
    "AG01": _NO,
    "AM02": DeclineReason.LIMIT_EXCEEDED,
    "AM04": DeclineReason.INSUFFICIENT_FUNDS,
    "AM14": DeclineReason.LIMIT_EXCEEDED,
    "BE01": DeclineReason.INVALID_DETAILS,
    "DS02": DeclineReason.AUTHENTICATION_FAILED,
    "DUPL": DeclineReason.DECLINED_BY_BANK,
    "FR01": DeclineReason.RISK_REFUSED,
    "MD07": _NO,
    "MS03": DeclineReason.OTHER,
    "RR04": DeclineReason.RISK_REFUSED,
    "TM01": DeclineReason.TIMED_OUT,
    "AB05": DeclineReason.PROVIDER_OUTAGE,
    "AB08": DeclineReason.PROVIDER_OUTAGE,
}
"""`RejectReasonCode` behind its namespace (`AANI.AM04`): ISO 20022 reasons; and OAuth's word for a payer's no."""

REFUSALS: Final[dict[str, DeclineReason]] = {
    "Consent.BusinessRuleViolation": DeclineReason.DECLINED_BY_BANK,
    "Consent.FailsControlParameters": DeclineReason.DECLINED_BY_BANK,
    "Consent.TransientAccountAccessFailure": DeclineReason.PROVIDER_OUTAGE,
    "Consent.AccountTemporarilyBlocked": DeclineReason.DECLINED_BY_BANK,
    "Consent.PermanentAccountAccessFailure": _NO,
    "GenericRecoverableError": DeclineReason.PROVIDER_OUTAGE,
}
"""Error codes of a payment that was refused before it existed."""


def read_payment(payment: WirePayment, reference: str | None) -> PaymentReport:
    """Read a payment as the truth about an attempt."""
    outcome = PAYMENT_STATUSES.get(payment.status, Outcome.PENDING)
    amount = payment.instruction.amount.money()
    facts = {"consent": payment.consent_id}
    if payment.payment_transaction_id:
        facts["end_to_end_id"] = payment.payment_transaction_id
    word, decline = payment.status, None
    if outcome is Outcome.DECLINED:
        code = payment.reject_reason_code[0].code if payment.reject_reason_code else ""
        word, decline = code or payment.status, decline_of(code)
    return PaymentReport(
        outcome=outcome,
        provider_reference=payment.payment_id,
        reference=reference,
        captured=amount if outcome is Outcome.SUCCEEDED else None,
        word=word,
        decline=decline,
        occurred_at=read_instant(payment.status_update_date_time),
        facts=facts,
        unrecognised=payment.status not in PAYMENT_STATUSES,
    )


def read_consent(consent: WireConsent, reference: str | None, why: DeclineReason | None = None) -> PaymentReport:
    """Read a consent that no payment was made of."""
    outcome = CONSENT_STATUSES.get(consent.status, Outcome.PENDING)
    reason = why or CONSENT_DECLINES.get(consent.status, DeclineReason.OTHER)
    return PaymentReport(
        outcome=outcome,
        reference=reference,
        word=consent.status,
        decline=reason if outcome is Outcome.DECLINED else None,
        occurred_at=read_instant(consent.status_update_date_time),
        facts={"consent": consent.consent_id},
        unrecognised=consent.status not in CONSENT_STATUSES,
    )


def decline_of(code: str) -> DeclineReason:
    return DECLINES.get(code.rpartition(".")[2], DeclineReason.OTHER)


def read_instant(text: str | None) -> datetime | None:
    """Read the bank's own time; one that cannot be read is no reason to refuse the answer."""
    try:
        instant = datetime.fromisoformat(text) if text else None
        if instant is None:
            return None
        return instant.astimezone(UTC) if instant.tzinfo else instant.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None
