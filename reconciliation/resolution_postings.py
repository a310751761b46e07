"""What two people decided about a break, as a journal."""

from __future__ import annotations

from ledger import accounts
from ledger.entry import Entry, Source
from ledger.money import Money
from reconciliation.postings import Booking, summed_postings


def exchanged_entry(
    break_id: str, own: tuple[str, str, Money], other: tuple[str, str, Money], booking: Booking
) -> Entry:
    """Clear two items of different currencies, as two people decided: each balances against the exchange's account.

    Both are account, item and what is open of it with its sign. When what was exchanged has come back to its currency,
    the account is at zero in the other one, and what it holds is the gain or loss.
    """
    legs = [
        posting
        for account, item, amount in (own, other)
        for posting in summed_postings(
            amount.currency,
            (account, -amount.amount_minor, item),
            (accounts.EXCHANGE, amount.amount_minor, None),
        )
    ]
    return Entry(
        reference=f"resolution:{break_id}",
        kind="exchanged",
        business_date=booking.business_date,
        effective_at=booking.effective_at,
        postings=tuple(legs),
        source=Source(file=break_id),
    )


def cleared_by_hand_entry(
    break_id: str, kind: str, own: tuple[str, str], against: tuple[str, str | None], amount: Money, booking: Booking
) -> Entry:
    """Clear a break's item, as two people decided: `amount` is what is open of it, with its sign."""
    return Entry(
        reference=f"resolution:{break_id}",
        kind=kind,
        business_date=booking.business_date,
        effective_at=booking.effective_at,
        postings=summed_postings(
            amount.currency, (own[0], -amount.amount_minor, own[1]), (against[0], amount.amount_minor, against[1])
        ),
        source=Source(file=break_id),
    )
