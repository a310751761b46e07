"""How a payout becomes journals: instructed, and owed again when the bank sends it back."""

from __future__ import annotations

from dataclasses import dataclass

from ledger import accounts
from ledger.entry import Entry, Source
from ledger.money import Money
from reconciliation.postings import Booking, summed_postings


@dataclass(frozen=True, slots=True)
class PayoutEvidence:
    """One payout line as it is posted. Its id is its end-to-end id at the bank."""

    line_id: str
    batch_id: str
    department: str
    amount: Money


def payout_entry(line: PayoutEvidence, booking: Booking) -> Entry:
    """Instructed: what was owed is on its way."""
    return Entry(
        reference=f"payout:{line.line_id}",
        kind="payout_instructed",
        business_date=booking.business_date,
        effective_at=booking.effective_at,
        late_for=booking.late_for,
        postings=summed_postings(
            line.amount.currency,
            (accounts.department_payable(line.department), line.amount.amount_minor, None),
            (accounts.department_payout_in_transit(line.department), -line.amount.amount_minor, line.line_id),
        ),
        source=Source(file=line.batch_id),
    )


def department_of_payout(account: str) -> str | None:
    """Name the department whose payouts an account holds under way; `None` when it is another kind of account."""
    head, _, rest = account.partition(":")
    department, _, kind = rest.partition(":")
    return department if head == "department" and kind == "payout_in_transit" else None


def booked_paid_entry(break_id: str, account: str, line_id: str, amount: Money, booking: Booking) -> Entry:
    """Two people say that the department has what the bank took for a payout: it is owed that much less."""
    department = department_of_payout(account) or ""
    return Entry(
        reference=f"resolution:{break_id}",
        kind="payout_booked_paid",
        business_date=booking.business_date,
        effective_at=booking.effective_at,
        postings=summed_postings(
            amount.currency,
            (accounts.department_payable(department), amount.amount_minor, None),
            (account, -amount.amount_minor, line_id),
        ),
        source=Source(file=break_id),
    )


def payout_returned_entry(line: PayoutEvidence, booking: Booking, corrects: int | None) -> Entry:
    """Rejected by the bank or sent back: it is owed again."""
    return Entry(
        reference=f"payout_returned:{line.line_id}",
        kind="payout_returned",
        business_date=booking.business_date,
        effective_at=booking.effective_at,
        late_for=booking.late_for,
        postings=summed_postings(
            line.amount.currency,
            (accounts.department_payout_in_transit(line.department), line.amount.amount_minor, line.line_id),
            (accounts.department_payable(line.department), -line.amount.amount_minor, None),
        ),
        source=Source(file=line.batch_id),
        corrects=corrects,
    )
