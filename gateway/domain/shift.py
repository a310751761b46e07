"""A shift at a counter: the drawer's cash in the books, from the float to the deposit."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from ledger.accounts import CASH_OVER_SHORT, CENTRE_FLOATS, centre_cash, provider_in_transit
from ledger.entry import Entry, Posting, Source, credit, debit
from ledger.money import Money

COUNTER: Final = "counter"
"""The name under which cash stands where a provider's name stands: it settles by being deposited."""


@dataclass(frozen=True, slots=True)
class Drawer:
    """Where a cash payment lies: the centre's account and the shift's item."""

    centre: str
    shift: str


@dataclass(frozen=True, slots=True)
class Shift:
    id: str
    centre: str
    agent: str
    float: Money
    opened_at: datetime
    expected: Money | None = None
    counted: Money | None = None
    counted_at: datetime | None = None
    deposit_reference: str | None = None
    checker: str | None = None
    closed_at: datetime | None = None

    @property
    def difference(self) -> Money | None:
        """What was counted beyond what the books say; negative when cash is missing."""
        return None if self.counted is None or self.expected is None else self.counted - self.expected


def deposit_reference(shift_id: str) -> str:
    """Return what stands on the deposit slip, so that the bank's statement names it."""
    return f"CASH-{shift_id.partition('_')[2].upper()}"


def opened(shift: Shift, business_date: date) -> Entry | None:
    """The treasury's float goes into the drawer; a shift without one needs no journal."""
    if not shift.float:
        return None
    return Entry(
        reference=f"shift_opened:{shift.id}",
        kind="shift_opened",
        business_date=business_date,
        effective_at=shift.opened_at,
        postings=(
            debit(centre_cash(shift.centre), shift.float, shift.id),
            credit(CENTRE_FLOATS, shift.float),
        ),
        source=Source(provider=COUNTER),
    )


def closed(shift: Shift, expected: Money, counted: Money, business_date: date, at: datetime) -> Entry | None:
    """Empty the drawer: the float goes back, the takings to the bank, and what differs to over and short.

    What is missing is the treasury's loss, never the department's: the citizens have paid.
    """
    nothing = Money(0, expected.currency)
    float_back = min(shift.float, counted)
    amounts = (
        (centre_cash(shift.centre), nothing - expected, shift.id),
        (CASH_OVER_SHORT, expected - counted, None),
        (CENTRE_FLOATS, float_back, None),
        (provider_in_transit(COUNTER), counted - float_back, deposit_reference(shift.id)),
    )
    postings = tuple(Posting(account, amount, item) for account, amount, item in amounts if amount)
    if not postings:
        return None
    return Entry(
        reference=f"shift_closed:{shift.id}",
        kind="shift_closed",
        business_date=business_date,
        effective_at=at,
        postings=postings,
        source=Source(provider=COUNTER, provider_reference=deposit_reference(shift.id)),
    )
