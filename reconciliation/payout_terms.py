"""What a department is paid tonight: pure arithmetic on its balance, what is not proven yet, and its contract."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final


class Proof(StrEnum):
    """How far a payment must be proven before its department may have the money."""

    CAPTURED = "captured"
    SETTLED = "settled"  # the provider's settlement report lists it
    BANKED = "banked"  # the bank statement shows the batch


class FeeBearer(StrEnum):
    TREASURY = "treasury"
    DEPARTMENT = "department"


class Schedule(StrEnum):
    DAILY = "daily"
    WEEKLY = "weekly"
    THRESHOLD = "threshold"  # whenever the minimum is reached; the same as daily with a high minimum


class Held(StrEnum):
    """Why a department is not paid tonight."""

    NOTHING_DUE = "nothing_due"
    NEGATIVE = "negative"
    BELOW_MINIMUM = "below_minimum"
    NOT_TODAY = "not_today"
    NO_ACCOUNT = "no_account"
    ACCOUNT_REFUSED = "account_refused"


HELD_WORDS: Final[dict[Held, tuple[str, str]]] = {
    Held.NOTHING_DUE: ("nothing is due", "لا يوجد مستحق"),
    Held.NEGATIVE: ("a debit balance is carried forward", "رصيد مدين مُرحَّل"),
    Held.BELOW_MINIMUM: ("below the agreed minimum", "أقل من الحد الأدنى المتفق عليه"),
    Held.NOT_TODAY: ("not a payout day", "ليس يوم تحويل"),
    Held.ACCOUNT_REFUSED: ("the bank refuses the account", "يرفض البنك الحساب"),
    Held.NO_ACCOUNT: ("no approved bank account", "لا يوجد حساب بنكي معتمد"),
}


@dataclass(frozen=True, slots=True)
class PayoutTerms:
    """A department's contract, as far as its payout needs it."""

    proof: Proof = Proof.SETTLED
    schedule: Schedule = Schedule.DAILY
    weekday: int = 0
    minimum_minor: int = 1
    holdback_minor: int = 0
    account_refused: bool = False


@dataclass(frozen=True, slots=True)
class Due:
    """What was computed for one department and currency; every part is kept, so that the amount explains itself."""

    payable_minor: int
    unproven_minor: int
    holdback_minor: int
    amount_minor: int
    held: Held | None

    @property
    def available_minor(self) -> int:
        """What is proven and not held back; below zero when more waits than is owed."""
        return self.payable_minor - self.unproven_minor - self.holdback_minor


def due(
    payable_minor: int, unproven_minor: int, terms: PayoutTerms | None, business_date: date,
    drafted_before: date | None = None,
) -> Due:  # fmt: skip
    """Return what is paid, or why nothing is. `drafted_before` is the last date before this one that was drafted.

    A negative balance is simply not paid: it stays in the account and lowers what the next nights find.
    """
    holdback_minor = terms.holdback_minor if terms else 0
    available_minor = payable_minor - unproven_minor - holdback_minor

    def result(amount_minor: int, held: Held | None) -> Due:
        return Due(payable_minor, unproven_minor, holdback_minor, amount_minor, held)

    if payable_minor < 0:
        return result(0, Held.NEGATIVE)
    if available_minor <= 0:
        return result(0, Held.NEGATIVE if payable_minor - unproven_minor < 0 else Held.NOTHING_DUE)
    if terms is None or terms.account_refused:
        return result(0, Held.NO_ACCOUNT if terms is None else Held.ACCOUNT_REFUSED)
    if terms.schedule is Schedule.WEEKLY and not _is_payday(terms.weekday, business_date, drafted_before):
        return result(0, Held.NOT_TODAY)
    if available_minor < terms.minimum_minor:
        return result(0, Held.BELOW_MINIMUM)
    return result(available_minor, None)


def _is_payday(weekday: int, business_date: date, drafted_before: date | None) -> bool:
    """Say whether it is the weekday, or the weekday fell on one of the dates since the last draft, left out."""
    since_days = (business_date - drafted_before).days if drafted_before else 1
    return (business_date.weekday() - weekday) % 7 < since_days
