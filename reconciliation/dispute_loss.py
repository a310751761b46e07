"""A dispute that is lost: the money is gone, and whoever received it gives it back, or the treasury by policy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from ledger import accounts
from ledger.entry import Entry, Posting, Source
from ledger.money import Money
from reconciliation.postings import Booking

LOST_KIND: Final = "dispute_lost"


def dispute_lost_entry(
    break_id: str, item: str, lost: Money, shares: Sequence[tuple[str, int]], payment: str | None, booking: Booking
) -> Entry:
    """Post a loss against the accounts the payment was credited to, each in its proportion; parts sum to the whole.

    `shares` are account and minor units as the capture credited them; without any the treasury bears the loss.
    """
    bearers = [account for account, _ in shares] or [accounts.CHARGEBACK_LOSSES]
    weights = [minor for _, minor in shares] or [1]
    parts = lost.allocate(weights)
    return Entry(
        reference=f"resolution:{break_id}",
        kind=LOST_KIND,
        business_date=booking.business_date,
        effective_at=booking.effective_at,
        postings=(
            *(Posting(account, part) for account, part in zip(bearers, parts, strict=True) if part),
            Posting(accounts.DISPUTES_RECEIVABLE, -lost, item),
        ),
        source=Source(payment=payment, file=break_id),
        # What a department must give back it may not have any more: the balance is carried forward.
        below_floor=True,
    )
