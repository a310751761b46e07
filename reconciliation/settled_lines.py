"""Payments a provider settled as expected, together in one journal: pure, from sums and items to an entry."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from ledger import accounts
from ledger.collective import CollectiveEntry
from ledger.entry import Entry, Posting, Source
from ledger.money import Money
from reconciliation.postings import SETTLED_KINDS, Booking, summed_postings

LINES_TOGETHER: Final = 5_000
"""How many lines of a file one journal may settle. It cuts every file alike, and so names the journal of a line: books
that were posted with one number are not found again with another."""


def lines_around(number: int) -> tuple[int, int]:
    """Return the first and last line of the part of its file that a line lies in."""
    first = (number - 1) // LINES_TOGETHER * LINES_TOGETHER + 1
    return first, first + LINES_TOGETHER - 1


def lines_reference(provider: str, file_no: int, number: int) -> str:
    """Name the journal that settles the lines around a line together."""
    first, last = lines_around(number)
    return f"settle:{provider}:{file_no}:{first}-{last}"


@dataclass(frozen=True, slots=True)
class SettledLines:
    """Payments of one file that a provider settled as our books expected: their sums, and each item's gross."""

    provider: str
    file_no: int
    file_name: str
    first_line: int
    batch_reference: str
    currency: str
    fee_minor: int
    fee_vat_minor: int
    net_minor: int
    items: Sequence[str]
    gross_minor: Sequence[int]


def settled_lines_entry(lines: SettledLines, booking: Booking) -> CollectiveEntry:
    """Post the payments of a part of a file together: their sums as `settlement_entry` has them, each item cleared."""
    gross_minor = sum(lines.gross_minor)
    left_minor = gross_minor - lines.fee_minor - lines.fee_vat_minor - lines.net_minor
    sums = summed_postings(
        lines.currency,
        (accounts.provider_in_transit(lines.provider), lines.net_minor, lines.batch_reference),
        (accounts.PROVIDER_FEES, lines.fee_minor, None),
        (accounts.PROVIDER_FEES_VAT, lines.fee_vat_minor, None),
        (accounts.ROUNDING, left_minor, None),
    )
    receivable = accounts.provider_receivable(lines.provider)
    whole = Entry(
        reference=lines_reference(lines.provider, lines.file_no, lines.first_line),
        kind=SETTLED_KINDS["payment"],
        business_date=booking.business_date,
        effective_at=booking.effective_at,
        late_for=booking.late_for,
        postings=(*sums, Posting(receivable, Money(-gross_minor, lines.currency), lines.items[0])),
        source=Source(provider=lines.provider, file=lines.file_name),
    )
    return CollectiveEntry(whole, lines.items, [-minor for minor in lines.gross_minor])
