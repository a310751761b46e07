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
