"""A dispute that is lost: the money is gone, and whoever received it gives it back, or the treasury by contract."""

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

    `shares` are account and minor units as the capture credited them, the treasury's in place of a department's it
    spares; without any the treasury bears the loss.
    """
    weights: dict[str, int] = {}
    for account, minor in shares or [(accounts.CHARGEBACK_LOSSES, 1)]:
        weights[account] = weights.get(account, 0) + minor
    parts = lost.allocate(list(weights.values()))
    return Entry(
        reference=f"resolution:{break_id}",
        kind=LOST_KIND,
        business_date=booking.business_date,
        effective_at=booking.effective_at,
        postings=(
            *(Posting(account, part) for account, part in zip(weights, parts, strict=True) if part),
            Posting(accounts.DISPUTES_RECEIVABLE, -lost, item),
        ),
        source=Source(payment=payment, file=break_id),
        # What a department must give back it may not have any more: the balance is carried forward.
        below_floor=True,
    )
