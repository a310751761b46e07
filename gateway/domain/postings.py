"""From what a provider has proven to the journal that says it. The table stands in money.md's order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo

from gateway.domain.refund import RefundLine
from gateway.domain.shift import Drawer
from ledger.accounts import (
    SUSPENSE_LATE_PAYMENTS,
    VAT_PAYABLE,
    centre_cash,
    department_payable,
    provider_receivable,
    provider_refunds_in_transit,
)
from ledger.entry import Entry, Posting, Source, credit, debit
from ledger.money import Money


@dataclass(frozen=True, slots=True)
class DepartmentShare:
    """What one line credits: the department's part and the VAT inside it."""

    department: str
    amount_minor: int
    vat_minor: int


@dataclass(frozen=True, slots=True)
class Evidence:
    """Who said it, about which payment, and when."""

    intent_id: str
    attempt_id: str
    provider: str
    provider_reference: str | None
    effective_at: datetime
    zone: tzinfo
    drawer: Drawer | None = None
    """Where the money lies when it was paid in cash; else the provider owes it to us."""

    @property
    def source(self) -> Source:
        return Source(
            payment=self.intent_id,
            provider=self.provider,
            provider_reference=self.provider_reference,
        )


def captured(evidence: Evidence, shares: Sequence[DepartmentShare], amount: Money) -> Entry:
    """A payment captured in time: the provider owes us, we owe each department and the VAT."""
    return _entry(
        f"capture:{evidence.attempt_id}",
        "payment_captured",
        evidence,
        (
            _received(evidence, amount),
            *_owed(shares, amount.currency),
        ),
    )


def captured_late(evidence: Evidence, amount: Money) -> Entry:
    """Money for an intent that is cancelled, expired or already paid: held in suspense until somebody decides."""
    return _suspended("late_payment_captured", evidence, amount)


def captured_for_review(evidence: Evidence, amount: Money) -> Entry:
    """The provider captured another amount or currency than was asked: never a success, and never dropped."""
    return _suspended("payment_captured_for_review", evidence, amount)


def taken_back(evidence: Evidence, shares: Sequence[DepartmentShare] | None, amount: Money) -> Entry:
    """A payment the provider took back after it had succeeded, unasked: what a capture credited is owed no more.

    The provider is expected to list it as it lists a refund. Without shares the money was still in suspense.
    """
    owed = (
        (debit(SUSPENSE_LATE_PAYMENTS, amount, evidence.attempt_id),)
        if shares is None
        else tuple(debit(account, part) for account, part in _by_account(shares, amount.currency).items())
    )
    return _entry(
        f"reversal:{evidence.attempt_id}",
        "payment_reversed",
        evidence,
        (*owed, credit(provider_refunds_in_transit(evidence.provider), amount, evidence.attempt_id)),
    )


def late_accepted(evidence: Evidence, shares: Sequence[DepartmentShare], amount: Money) -> Entry:
    """A late payment accepted, by an operator or by policy: out of suspense, as a capture."""
    return _entry(
        f"late_accepted:{evidence.attempt_id}",
        "late_payment_accepted",
        evidence,
        (debit(SUSPENSE_LATE_PAYMENTS, amount, evidence.attempt_id), *_owed(shares, amount.currency)),
    )


def refunded(evidence: Evidence, refund_id: str, lines: Sequence[RefundLine], amount: Money) -> Entry:
    """A refund the provider accepted: out of what is owed to each line's department."""
    return _entry(
        f"refund:{refund_id}",
        "refund_accepted",
        evidence,
        (
            *(
                debit(account, part)
                for account, part in _by_account(
                    (DepartmentShare(line.department, line.amount_minor, line.vat_minor) for line in lines),
                    amount.currency,
                ).items()
            ),
            credit(provider_refunds_in_transit(evidence.provider), amount, refund_id),
        ),
    )


def late_refunded(evidence: Evidence, refund_id: str, amount: Money) -> Entry:
    """A late payment given back: out of suspense, no department was ever owed it."""
    return _entry(
        f"refund:{refund_id}",
        "late_payment_refunded",
        evidence,
        (
            debit(SUSPENSE_LATE_PAYMENTS, amount, evidence.attempt_id),
            credit(provider_refunds_in_transit(evidence.provider), amount, refund_id),
        ),
    )


def refund_failed(accepted: Entry, refund_id: str, evidence: Evidence) -> Entry:
    """A refund that failed after it was booked: the same postings, the other side."""
    return _entry(
        f"refund_failed:{refund_id}",
        "refund_failed",
        evidence,
        tuple(Posting(posting.account, -posting.amount, posting.item) for posting in accepted.postings),
    )


def _suspended(kind: str, evidence: Evidence, amount: Money) -> Entry:
    return _entry(
        f"capture:{evidence.attempt_id}",
        kind,
        evidence,
        (
            _received(evidence, amount),
            credit(SUSPENSE_LATE_PAYMENTS, amount, evidence.attempt_id),
        ),
    )


def _received(evidence: Evidence, amount: Money) -> Posting:
    """Say who holds the money now: a drawer of ours, or a provider that owes it."""
    if evidence.drawer is not None:
        return debit(centre_cash(evidence.drawer.centre), amount, evidence.drawer.shift)
    return debit(provider_receivable(evidence.provider), amount, evidence.attempt_id)


def _owed(shares: Iterable[DepartmentShare], currency: str) -> tuple[Posting, ...]:
    return tuple(credit(account, part) for account, part in _by_account(shares, currency).items())


def _by_account(shares: Iterable[DepartmentShare], currency: str) -> Mapping[str, Money]:
    """Sum shares by account, so that one journal posts each account once, and leave out what is zero."""
    sums: dict[str, int] = {}
    for share in shares:
        payable = department_payable(share.department)
        sums[payable] = sums.get(payable, 0) + share.amount_minor - share.vat_minor
        sums[VAT_PAYABLE] = sums.get(VAT_PAYABLE, 0) + share.vat_minor
    return {account: Money(minor, currency) for account, minor in sums.items() if minor}


def _entry(reference: str, kind: str, evidence: Evidence, postings: tuple[Posting, ...]) -> Entry:
    return Entry(
        reference=reference,
        kind=kind,
        # An attempt settles in the business day, in the provider's zone, in which it was captured.
        business_date=evidence.effective_at.astimezone(evidence.zone).date(),
        effective_at=evidence.effective_at,
        postings=postings,
        source=evidence.source,
    )
