"""What the API's words mean, as literal tables, and its documents read as reports."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from adapters.contract import ApproveOnPhone, DeclineReason, NextStep, Outcome, PaymentReport, RefundReport
from adapters.errors import OutcomeUnknownError
from adapters.gsma.wire import WireError, WireState, WireTransaction

STATUSES: Final[dict[str, Outcome]] = {
    "completed": Outcome.SUCCEEDED,
    "reversed": Outcome.SUCCEEDED,
    "pending": Outcome.PENDING,
    "inprogress": Outcome.PENDING,
    "failed": Outcome.DECLINED,
    "rejected": Outcome.DECLINED,
    "declined": Outcome.DECLINED,
    "cancelled": Outcome.DECLINED,
}
"""`transactionStatus` is free text in the specification; these are the words providers use."""

STATES: Final[dict[str, Outcome]] = {
    "pending": Outcome.PENDING,
    "failed": Outcome.DECLINED,
    "completed": Outcome.PENDING,  # its transaction has the amount, and is read next
}
"""`status` of a request state."""

_LIMIT, _INVALID, _OUT = DeclineReason.LIMIT_EXCEEDED, DeclineReason.INVALID_DETAILS, DeclineReason.PROVIDER_OUTAGE
_NO = DeclineReason.NOT_SUPPORTED

DECLINES: Final[dict[str, DeclineReason]] = {
    "genericError": DeclineReason.OTHER,
    "dailyVolumeLimitExceeded": _LIMIT,
    "dailyValueLimitExceeded": _LIMIT,
    "weeklyVolumeLimitExceeded": _LIMIT,
    "weeklyValueLimitExceeded": _LIMIT,
    "monthlyVolumeLimitExceeded": _LIMIT,
    "monthlyValueLimitExceeded": _LIMIT,
    "accountMaxTotalVolumeExceeded": _LIMIT,
    "accountMaxTotalValueExceeded": _LIMIT,
    "lessThanTransactionMinValue": _LIMIT,
    "greaterThanTransactionMaxValue": _LIMIT,
    "maxBalanceExceeded": _LIMIT,
    "samePartiesError": _INVALID,
    "insufficientFunds": DeclineReason.INSUFFICIENT_FUNDS,
    "incorrectState": DeclineReason.OTHER,
    "underPaymentNotAllowed": _INVALID,
    "overPaymentNotAllowed": _INVALID,
    "rateLimitError": _OUT,
    "transactionTypeError": _NO,
    "noMandateAuthority": _NO,
    "linkViolation": _NO,
    "countryofOriginNotPermitted": DeclineReason.RISK_REFUSED,
    "nationalityNotPermitted": DeclineReason.RISK_REFUSED,
    "idDocumentNotSupported": _NO,
    "issuingCountryNotSupported": _NO,
    "quoteHasExpired": DeclineReason.TIMED_OUT,
    "identifierError": _INVALID,
    "lengthError": _INVALID,
    "formatError": _INVALID,
    "negativeValue": _INVALID,
    "currencyNotSupported": _NO,
    "mandatoryValueNotSupplied": _INVALID,
    "invalidOffset": DeclineReason.OTHER,
    "clientAuthorisationError": _OUT,
    "requestDeclined": DeclineReason.CANCELLED_BY_PAYER,
    "servicingPartyAuthorisationError": _OUT,
    "requestingPartyAuthorisationError": DeclineReason.AUTHENTICATION_FAILED,
}
"""`errorCode` of an error object. `duplicateRequest` is none: it says that the request is known already."""

DUPLICATE: Final = "duplicateRequest"

PAYER_CATEGORIES: Final = frozenset({"businessRule", "validation", "identification"})
"""Refusals that concern this payment. The others concern us or the provider, and say nothing to the payer."""


def read_payment(transaction: WireTransaction) -> PaymentReport:
    """Read a transaction as the truth about an attempt."""
    status = transaction.transaction_status.lower()
    outcome = STATUSES.get(status, Outcome.PENDING)
    captured = transaction.money() if outcome is Outcome.SUCCEEDED else None
    if outcome is Outcome.SUCCEEDED and captured is None:
        raise OutcomeUnknownError("the transaction is completed, but no amount says of how much")
    facts = {"receipt": transaction.transaction_receipt} if transaction.transaction_receipt else {}
    return PaymentReport(
        outcome=outcome,
        provider_reference=transaction.transaction_reference,
        reference=transaction.requesting_organisation_transaction_reference,
        captured=captured,
        refunded=captured if status == "reversed" else None,
        word=transaction.transaction_status,
        decline=DeclineReason.OTHER if outcome is Outcome.DECLINED else None,
        occurred_at=read_instant(transaction.creation_date),
        reversed=status == "reversed",
        facts=facts,
        unrecognised=status not in STATUSES,
    )


def read_waiting(state: WireState, reference: str | None, mobile: str | None) -> PaymentReport:
    """Read a request state that has no transaction yet: the payer's phone asks, or the request failed."""
    outcome = STATES.get(state.status.lower(), Outcome.PENDING)
    step: NextStep | None = ApproveOnPhone(mobile) if mobile and state.status == "pending" else None
    return PaymentReport(
        outcome=outcome,
        reference=reference,
        word=state.error.error_code if state.error else state.status,
        decline=decline_of(state.error) if outcome is Outcome.DECLINED else None,
        next_step=step,
        facts={"request": state.server_correlation_id},
        unrecognised=state.status.lower() not in STATES,
    )


def read_refund(transaction: WireTransaction) -> RefundReport:
    status = transaction.transaction_status.lower()
    return RefundReport(
        outcome=STATUSES.get(status, Outcome.PENDING),
        provider_reference=transaction.transaction_reference,
        amount=transaction.money(),
        word=transaction.transaction_status,
        unrecognised=status not in STATUSES,
    )


def read_refund_waiting(state: WireState) -> RefundReport:
    return RefundReport(
        outcome=STATES.get(state.status.lower(), Outcome.PENDING),
        word=state.error.error_code if state.error else state.status,
        unrecognised=state.status.lower() not in STATES,
    )


def decline_of(error: WireError | None) -> DeclineReason:
    return DECLINES.get(error.error_code, DeclineReason.OTHER) if error else DeclineReason.OTHER


def read_instant(text: str | None) -> datetime | None:
    """Read the provider's own time; one that cannot be read is no reason to refuse the answer."""
    try:
        instant = datetime.fromisoformat(text) if text else None
        if instant is None:
            return None
        return instant.astimezone(UTC) if instant.tzinfo else instant.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None
