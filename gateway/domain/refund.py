"""Giving money back: the states of a refund and how much may still be refunded."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from adapters.contract import Outcome, RefundReport
from gateway.domain.errors import RefundTooLargeError
from gateway.domain.shift import COUNTER
from ledger.money import Money


class RefundStatus(StrEnum):
    AWAITING_APPROVAL = "awaiting_approval"  # above what one person may give back
    AWAITING_COLLECTION = "awaiting_collection"  # cash that waits for its citizen at a service centre
    REQUESTED = "requested"  # saved and committed, the provider not yet heard
    PENDING = "pending"  # the provider took it and will tell later
    SUCCEEDED = "succeeded"
    FAILED = "failed"  # the provider says, explicitly, that nothing was given back
    UNKNOWN = "unknown"  # asked, and no answer can be trusted; only ever queried


_S = RefundStatus

TRANSITIONS: Final[Mapping[tuple[RefundStatus, RefundStatus], str]] = {
    (_S.AWAITING_APPROVAL, _S.REQUESTED): "approved",
    (_S.AWAITING_APPROVAL, _S.FAILED): "refused",
    (_S.AWAITING_APPROVAL, _S.SUCCEEDED): "given_back_in_cash",
    (_S.AWAITING_APPROVAL, _S.AWAITING_COLLECTION): "approved",
    (_S.AWAITING_COLLECTION, _S.SUCCEEDED): "given_back_in_cash",
    (_S.AWAITING_COLLECTION, _S.FAILED): "not_collected",
    (_S.REQUESTED, _S.PENDING): "accepted",
    (_S.REQUESTED, _S.SUCCEEDED): "succeeded",
    (_S.REQUESTED, _S.FAILED): "failed",
    (_S.REQUESTED, _S.UNKNOWN): "no_trustworthy_answer",
    (_S.PENDING, _S.SUCCEEDED): "succeeded",
    (_S.PENDING, _S.FAILED): "failed",
    (_S.UNKNOWN, _S.PENDING): "accepted",
    (_S.UNKNOWN, _S.SUCCEEDED): "succeeded",
    (_S.UNKNOWN, _S.FAILED): "failed",
    # A refund can bounce days after the provider called it done: the card is closed, the account is gone.
    (_S.SUCCEEDED, _S.FAILED): "failed_after_success",
}
"""Every edge of a refund's life, with its name."""

OPEN: Final = frozenset({_S.REQUESTED, _S.PENDING, _S.UNKNOWN})
"""Not decided yet; each of these counts against the cap, because its money may move."""

COUNTED: Final = OPEN | {_S.AWAITING_APPROVAL, _S.AWAITING_COLLECTION, _S.SUCCEEDED}
"""Refunds that use up the captured amount. A failed one, and one that was refused, gives its share back."""


class FailureCode(StrEnum):
    """Why nothing was given back."""

    REFUSED = "refused"  # by the second person
    CANCELLED = "cancelled"  # by the department
    NOT_COLLECTED = "not_collected"  # cash nobody came for
    DISPUTED = "disputed"  # not sent: the payer's bank had taken the money back by then
    DECLINED_BY_PROVIDER = "declined_by_provider"
    RETURNED_TO_PROVIDER = "returned_to_provider"  # sent, and it came back: the card or account is closed


DISPUTED: Final = "disputed"
CANCELLED: Final = "cancelled by its department"
NOT_COLLECTED: Final = "not collected in time"
REFUSED_AT_COUNTER: Final = "refused at the counter"
_REFUSED: Final = "refused: "
_WORDS: Final = {
    DISPUTED: FailureCode.DISPUTED,
    CANCELLED: FailureCode.CANCELLED,
    NOT_COLLECTED: FailureCode.NOT_COLLECTED,
    REFUSED_AT_COUNTER: FailureCode.REFUSED,
}


def refused(why: str) -> str:
    """Return the word kept with a refund the second person did not agree to."""
    return f"{_REFUSED}{why}"


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a refund failed: a code, and what was said: by whoever refused it, or by the provider in its own words."""

    code: FailureCode
    detail: str


def failure(status: RefundStatus, word: str, *, sent: bool, booked: bool) -> Failure | None:
    """Tell why a refund failed from what is kept with it; None where it has not."""
    if status is not RefundStatus.FAILED:
        return None
    if booked:
        return Failure(FailureCode.RETURNED_TO_PROVIDER, word)
    if word in _WORDS:
        return Failure(_WORDS[word], word)
    if not sent and word.startswith(_REFUSED):
        return Failure(FailureCode.REFUSED, word.removeprefix(_REFUSED))
    return Failure(FailureCode.DECLINED_BY_PROVIDER, word)


def agreed(provider: str) -> RefundStatus:
    """Return what a refund becomes once nobody has to agree any more: sent to its provider, or cash to collect."""
    return _S.AWAITING_COLLECTION if provider == COUNTER else _S.REQUESTED


def needs_approval(limits: Mapping[str, int], together: Money) -> bool:
    """Tell whether a second person must agree.

    `together` is the refund with all that belongs to it, its payment's other refunds and its batch: a large refund
    cut into small ones is still large.
    """
    limit_minor = limits.get(together.currency)
    return limit_minor is not None and together.amount_minor > limit_minor


def status_of(report: RefundReport) -> RefundStatus:
    """Return the status a report asks for. A request that never left stays requested and is sent again."""
    match report.outcome:
        case Outcome.SUCCEEDED:
            return _S.SUCCEEDED
        case Outcome.DECLINED:
            return _S.FAILED
        case Outcome.PENDING:
            return _S.PENDING
        case Outcome.NOT_SENT:
            return _S.REQUESTED
        case Outcome.UNKNOWN:
            return _S.UNKNOWN


def edge(status: RefundStatus, target: RefundStatus) -> str | None:
    """Return the name of the edge, or None when nothing may change."""
    return TRANSITIONS.get((status, target))


@dataclass(frozen=True, slots=True)
class RefundableLine:
    """One line of a paid intent, and what its refunds have already taken from it."""

    number: int
    department: str
    amount_minor: int
    vat_minor: int
    refunded_minor: int
    refunded_vat_minor: int

    @property
    def left_minor(self) -> int:
        return self.amount_minor - self.refunded_minor


@dataclass(frozen=True, slots=True)
class RefundLine:
    """What one refund takes from one line. `vat_minor` is the VAT inside `amount_minor`."""

    number: int
    department: str
    amount_minor: int
    vat_minor: int


def refundable(captured: Money, refunds: Iterable[tuple[RefundStatus, Money]]) -> Money:
    """Return captured less every refund that has moved or may move money."""
    left = captured
    for status, amount in refunds:
        if status in COUNTED:
            left -= amount
    return left


def check_cap(amount: Money, left: Money) -> None:
    """Refuse a refund above what is left; the error says how much that is."""
    if left < amount:
        raise RefundTooLargeError(f"{left} can still be refunded", pointer="/amount")


def spread(amount_minor: int, lines: Sequence[RefundableLine]) -> tuple[RefundLine, ...]:
    """Spread a refund without named lines over what each line has left, largest remainder first."""
    left = sum(line.left_minor for line in lines)
    if not 0 < amount_minor <= left:
        raise RefundTooLargeError(f"{left} minor units can still be refunded", pointer="/amount")
    floors = [amount_minor * line.left_minor // left for line in lines]
    remainders = [amount_minor * line.left_minor % left for line in lines]
    missing = amount_minor - sum(floors)
    for index in sorted(range(len(lines)), key=lambda i: (-remainders[i], i))[:missing]:
        floors[index] += 1
    return tuple(take(line, part) for line, part in zip(lines, floors, strict=True) if part)


def take(line: RefundableLine, amount_minor: int) -> RefundLine:
    """Take an amount from one line with its share of VAT.

    The share is counted on the running total, so that the parts of a line refunded bit by bit add up to its VAT.
    """
    if not 0 < amount_minor <= line.left_minor:
        raise RefundTooLargeError(f"line {line.number} has {line.left_minor} minor units left", pointer="/lines")
    after = line.refunded_minor + amount_minor
    vat_minor = line.vat_minor * after // line.amount_minor - line.refunded_vat_minor
    return RefundLine(line.number, line.department, amount_minor, vat_minor)
