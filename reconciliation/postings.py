"""How a settlement line becomes a journal, and what every journal of the night is named and dated by."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from ledger import accounts
from ledger.entry import Entry, Posting, Source
from ledger.money import Money

DISPUTES_RECEIVABLE: Final = "disputes:receivable"

SETTLED_KINDS: Final = {
    "payment": "payment_settled",
    "refund": "refund_settled",
    "chargeback": "dispute_opened",
    "chargeback_reversed": "dispute_won",
    "fee": "provider_fee_charged",
}
UNIDENTIFIED_SETTLED: Final = "settled_unidentified"


@dataclass(frozen=True, slots=True)
class Booking:
    """The day and instant an entry takes effect: fixed when its evidence was stored, so a rerun posts the same."""

    business_date: date
    effective_at: datetime
    late_for: date | None = None


@dataclass(frozen=True, slots=True)
class LineEvidence:
    """One settlement line as it is posted: its amounts, its file, and the open item it was matched to, if any.

    `account` and `item` are what the line clears. A line nobody could match clears an item of its own in suspense,
    so that the batch still adds up to what the bank will credit. What is settled more or less than expected within the
    contract's tolerance (`tolerated_minor`) is rounding: the item is cleared as a whole.
    """

    provider: str
    file_no: int
    file_name: str
    number: int
    kind: str
    batch_reference: str
    currency: str
    gross_minor: int
    fee_minor: int
    fee_vat_minor: int
    net_minor: int
    account: str
    item: str | None
    payment: str | None = None
    provider_reference: str | None = None
    tolerated_minor: int = 0


def line_reference(provider: str, file_no: int, number: int) -> str:
    """Name a settlement line's journal, and its item in suspense."""
    return f"settle:{provider}:{file_no}:{number}"


def rematch_reference(first: str, version: int) -> str:
    """Name the journal that moves a line or entry out of suspense; one found again after it was undone is another."""
    return f"rematch:{first}" if version == 2 else f"rematch{version}:{first}"  # noqa: PLR2004 - the first found later


def suspense_item(provider: str, file_no: int, number: int) -> str:
    return f"{provider}:{file_no}:{number}"


def bank_reference(statement_no: int, number: int) -> str:
    return f"bank:{statement_no}:{number}"


def unidentified_item(statement_no: int, number: int) -> str:
    return f"{statement_no}:{number}"


def summed_postings(currency: str, *legs: tuple[str, int, str | None]) -> tuple[Posting, ...]:
    """Add up legs of the same account and item, drop what is zero, keep the order."""
    sums: dict[tuple[str, str | None], int] = {}
    for account, amount_minor, item in legs:
        sums[account, item] = sums.get((account, item), 0) + amount_minor
    return tuple(Posting(account, Money(minor, currency), item) for (account, item), minor in sums.items() if minor)


def settlement_entry(line: LineEvidence, booking: Booking) -> Entry | None:
    """Post one settlement line; `None` when it moves nothing.

    In transit grows by the net, fees and their VAT are taken as the line states them, the matched item is cleared by
    the gross. Signs do the rest: a refund's gross is negative, so it leaves in transit and clears a credit. What the
    line's own arithmetic leaves over (a rounding of one) goes to rounding.
    """
    left_minor = line.gross_minor - line.fee_minor - line.fee_vat_minor - line.net_minor
    postings = summed_postings(
        line.currency,
        (accounts.provider_in_transit(line.provider), line.net_minor, line.batch_reference),
        (accounts.PROVIDER_FEES, line.fee_minor, None),
        (accounts.PROVIDER_FEES_VAT, line.fee_vat_minor, None),
        (accounts.ROUNDING, left_minor - line.tolerated_minor, None),
        (line.account, line.tolerated_minor - line.gross_minor, line.item),
    )
    if not postings:
        return None
    unidentified = line.account == accounts.SUSPENSE_UNIDENTIFIED
    return Entry(
        reference=line_reference(line.provider, line.file_no, line.number),
        kind=UNIDENTIFIED_SETTLED if unidentified else SETTLED_KINDS[line.kind],
        business_date=booking.business_date,
        effective_at=booking.effective_at,
        late_for=booking.late_for,
        postings=postings,
        source=Source(
            payment=line.payment,
            provider=line.provider,
            provider_reference=line.provider_reference,
            file=line.file_name,
            line=line.number or None,
        ),
    )


def rematch_entry(line: LineEvidence, booking: Booking, version: int = 2) -> Entry:
    """Move a line's amount out of suspense onto the item that has since been found; what is tolerated is rounding."""
    held = suspense_item(line.provider, line.file_no, line.number)
    return Entry(
        reference=rematch_reference(f"{line.provider}:{line.file_no}:{line.number}", version),
        kind="settled_line_identified",
        business_date=booking.business_date,
        effective_at=booking.effective_at,
        late_for=booking.late_for,
        postings=summed_postings(
            line.currency,
            (accounts.SUSPENSE_UNIDENTIFIED, line.gross_minor, held),
            (accounts.ROUNDING, -line.tolerated_minor, None),
            (line.account, line.tolerated_minor - line.gross_minor, line.item),
        ),
        source=Source(
            payment=line.payment,
            provider=line.provider,
            provider_reference=line.provider_reference,
            file=line.file_name,
            line=line.number or None,
        ),
    )


def borne_fee_entry(
    provider: str, file_no: int, file_name: str, department: str, fee: Money, fee_vat: Money, booking: Booking
) -> Entry:
    """Charge a department what its contract makes it bear of a file's fees."""
    return Entry(
        reference=f"fees:{provider}:{file_no}:{department}",
        kind="provider_fees_borne",
        business_date=booking.business_date,
        effective_at=booking.effective_at,
        late_for=booking.late_for,
        postings=summed_postings(
            fee.currency,
            (accounts.department_payable(department), fee.amount_minor + fee_vat.amount_minor, None),
            (accounts.PROVIDER_FEES, -fee.amount_minor, None),
            (accounts.PROVIDER_FEES_VAT, -fee_vat.amount_minor, None),
        ),
        source=Source(provider=provider, file=file_name),
    )
