"""What Daraja's numbers mean, as literal tables, and its answers read as reports."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo

from adapters.contract import ApproveOnPhone, DeclineReason, Outcome, PaymentReport
from adapters.daraja.wire import WireError, WireMovement, WirePrompt, WireResult
from adapters.errors import OutcomeUnknownError

_LIMIT, _OUT = DeclineReason.LIMIT_EXCEEDED, DeclineReason.PROVIDER_OUTAGE

DECLINES: Final[dict[str, DeclineReason]] = {
    "1": DeclineReason.INSUFFICIENT_FUNDS,
    "2": _LIMIT,  # below the least amount
    "3": _LIMIT,  # above the most
    "4": _LIMIT,  # above the day's limit
    "8": _LIMIT,  # the receiver would hold too much
    "11": DeclineReason.NOT_SUPPORTED,  # the payer's account is in an invalid state
    "17": _OUT,
    "26": _OUT,
    "1001": DeclineReason.OTHER,  # another M-Pesa session of the payer is open
    "1019": DeclineReason.TIMED_OUT,
    "1025": _OUT,  # the prompt could not be sent
    "1032": DeclineReason.CANCELLED_BY_PAYER,
    "1037": DeclineReason.TIMED_OUT,  # no answer from the phone
    "2001": DeclineReason.AUTHENTICATION_FAILED,  # wrong PIN
    "8006": DeclineReason.RISK_REFUSED,  # too many wrong PINs
    "9999": _OUT,
}
"""`ResultCode` of a prompt that came to nothing. A code that is not here is pending: new ones for "still being worked
on" have appeared over the years, and were taken for failures by those who thought that whatever is not 0 is one."""

SUCCESS: Final = "0"
PROCESSING: Final = frozenset({"4999"})
"""Result codes that say "not yet"."""

BEING_PROCESSED: Final = "500.001.1001"
PROCESSING_WORDS: Final = "being processed"
"""A prompt the payer has not answered is told as HTTP 500 with this code and these words. The same code also says that
credentials are wrong and that the payer is busy, so the words count too."""

BUSY_WORDS: Final = "unable to lock subscriber"
TOKEN_CODES: Final = frozenset({"404.001.03", "400.003.01", "401.002.01"})
"""How a token that has died is told: mostly by HTTP 404."""

INVALID_CODE: Final = "400.002.02"
INVALID_NUMBER_WORDS: Final = "phonenumber"


def read_started(prompt: WirePrompt, reference: str | None, mobile: str | None) -> PaymentReport:
    """Read the answer to a push. Only code 0 says that the phone is being asked."""
    if str(prompt.response_code) != SUCCESS:
        raise OutcomeUnknownError(f"the prompt was answered with code {str(prompt.response_code)[:20]}")
    return PaymentReport(
        Outcome.PENDING,
        provider_reference=prompt.checkout_request_id,
        reference=reference,
        word=str(prompt.response_code),
        next_step=ApproveOnPhone(mobile) if mobile else None,
    )


def read_outcome(result: WireResult) -> PaymentReport:
    """Read the result of a prompt. A success has no amount yet: the account's list has it, with the receipt."""
    code = str(result.result_code)
    decline = DECLINES.get(code)
    return PaymentReport(
        Outcome.DECLINED if decline is not None else Outcome.PENDING,
        provider_reference=result.checkout_request_id,
        word=code,
        decline=decline,
        unrecognised=decline is None and code != SUCCESS and code not in PROCESSING,
    )


def read_movement(movement: WireMovement, reference: str | None, zone: ZoneInfo) -> PaymentReport:
    """Read a payment in the account's list: it is there because the money has come."""
    return PaymentReport(
        Outcome.SUCCEEDED,
        provider_reference=movement.transaction_id,
        reference=reference,
        captured=movement.money(),
        word=SUCCESS,
        occurred_at=read_instant(movement.trx_date, zone),
        facts={"receipt": movement.transaction_id},
    )


def still_processing(error: WireError | None) -> bool:
    return error is not None and error.error_code == BEING_PROCESSED and PROCESSING_WORDS in error.error_message.lower()


def refused_start(error: WireError | None) -> DeclineReason | None:
    """Return why a push was refused for a reason of the payer's; None when the refusal says nothing to them."""
    if error is None:
        return None
    words = error.error_message.lower()
    if error.error_code == BEING_PROCESSED and BUSY_WORDS in words:
        return DeclineReason.OTHER
    if error.error_code == INVALID_CODE and INVALID_NUMBER_WORDS in words.replace(" ", ""):
        return DeclineReason.INVALID_DETAILS
    return None


def read_instant(text: str, zone: ZoneInfo) -> datetime | None:
    """Read the provider's own time; without a zone it is Nairobi's."""
    try:
        instant = datetime.fromisoformat(text)
        return (instant if instant.tzinfo else instant.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
