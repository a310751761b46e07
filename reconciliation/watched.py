"""What may not stand open without a break: by which date each account's items are somebody's work.

The night raises a break for each of them; a day is not closed while one has none.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

from ledger import accounts
from reconciliation.breaks import BreakType
from reconciliation.business_days import Calendar
from reconciliation.provider_terms import ProviderTerms


@dataclass(frozen=True, slots=True)
class Watched:
    """Items of one account opened up to a date: side 1 is debits, -1 credits, 0 is both."""

    type: BreakType
    account: str
    until: date
    side: int


def watched_at(
    provider: str, calendar: Calendar, terms: ProviderTerms, business_date: date, *, direct: bool
) -> tuple[Watched, ...]:
    """What a provider should have settled by now, and what it settled beyond what we booked."""
    until = calendar.latest_due(business_date, terms.settlement_days)
    receivable, refunds = accounts.provider_receivable(provider), accounts.provider_refunds_in_transit(provider)
    # Money that comes straight to our account is the bank's to show: no provider settles it.
    missing = BreakType.MISSING_AT_BANK if direct else BreakType.MISSING_AT_PROVIDER
    return (
        Watched(missing, receivable, until, 1),
        Watched(BreakType.SETTLED_NOT_CAPTURED, receivable, business_date, -1),
        Watched(BreakType.REFUND_NOT_SETTLED, refunds, until, -1),
        Watched(BreakType.REFUND_BEYOND, refunds, business_date, 1),
    )


def watched_late(business_date: date) -> Watched:
    """Late money waits for a decision from its first night on."""
    return Watched(BreakType.LATE_PAYMENT, accounts.SUSPENSE_LATE_PAYMENTS, business_date, 0)


NEVER_WITHOUT_BREAK: Final = (accounts.SUSPENSE_UNIDENTIFIED, accounts.DISPUTES_RECEIVABLE)
"""Whatever is open in these, on either side, came with a break; the rest of it needs one as long as it is open."""
