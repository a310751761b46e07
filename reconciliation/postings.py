"""How the night's evidence becomes journals: pure functions from a line, an entry or a payout to an `Entry`."""

from __future__ import annotations

from collections.abc import Sequence
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
    so that the batch still adds up to what the bank will credit.
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
        (accounts.ROUNDING, left_minor, None),
        (line.account, -line.gross_minor, line.item),
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
    """Move a line's amount out of suspense onto the item that has since been found."""
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
            (line.account, -line.gross_minor, line.item),
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


@dataclass(frozen=True, slots=True)
class BankEvidence:
    """One booked entry of a statement: a credit is positive, a debit negative."""

    statement_no: int
    statement: str
    number: int
    bank_account: str
    amount: Money


@dataclass(frozen=True, slots=True)
class Cleared:
    """An open item a bank entry clears, and by how much; the sign is the bank entry's."""

    account: str
    item: str
    amount_minor: int


def bank_entry(
    evidence: BankEvidence,
    kind: str,
    cleared: Sequence[Cleared],
    booking: Booking,
    provider: str | None = None,
    payment: str | None = None,
) -> Entry:
    """Post one bank entry against the items it clears; a rounding the rule allowed goes to rounding."""
    left_minor = evidence.amount.amount_minor - sum(part.amount_minor for part in cleared)
    legs = [(part.account, -part.amount_minor, part.item) for part in cleared]
    postings = summed_postings(
        evidence.amount.currency,
        (accounts.bank_cash(evidence.bank_account), evidence.amount.amount_minor, None),
        *legs,
        (accounts.ROUNDING, -left_minor, None),
    )
    return Entry(
        reference=bank_reference(evidence.statement_no, evidence.number),
        kind=kind,
        business_date=booking.business_date,
        effective_at=booking.effective_at,
        late_for=booking.late_for,
        postings=postings,
        source=Source(payment=payment, provider=provider, file=evidence.statement, line=evidence.number or None),
    )


def unidentified_bank_entry(evidence: BankEvidence, booking: Booking) -> Entry:
    """Post a bank entry nobody can name to suspense: cash must equal the statement, whatever it says."""
    credit = evidence.amount.amount_minor > 0
    held = Cleared(
        accounts.SUSPENSE_UNIDENTIFIED,
        unidentified_item(evidence.statement_no, evidence.number),
        evidence.amount.amount_minor,
    )
    return bank_entry(evidence, "bank_credit_unidentified" if credit else "bank_debit_unidentified", (held,), booking)


def excess_of(evidence: BankEvidence, excess_minor: int) -> Cleared:
    """Hold what a payer transferred too much in suspense, until two people send it back."""
    held = unidentified_item(evidence.statement_no, evidence.number)
    return Cleared(accounts.SUSPENSE_UNIDENTIFIED, held, excess_minor)


def transfer_found_entry(
    evidence: BankEvidence,
    cleared: Sequence[Cleared],
    booking: Booking,
    provider: str | None,
    payment: str | None,
    version: int,
) -> Entry:
    """Move a transfer out of suspense onto the payment that is complete by now; what it has too much stays there."""
    moved_minor = sum(part.amount_minor for part in cleared)
    source = Source(payment=payment, provider=provider, file=evidence.statement, line=evidence.number or None)
    return _found_entry("transfer_identified", evidence, moved_minor, cleared, booking, source, version)


def reidentified_entry(
    evidence: BankEvidence, cleared: Sequence[Cleared], booking: Booking, provider: str | None, version: int
) -> Entry:
    """Move a credit out of suspense onto the batch that has since been found."""
    source = Source(provider=provider, file=evidence.statement, line=evidence.number or None)
    moved_minor = evidence.amount.amount_minor
    return _found_entry("bank_credit_identified", evidence, moved_minor, cleared, booking, source, version)


def _found_entry(
    kind: str, evidence: BankEvidence, moved_minor: int, cleared: Sequence[Cleared], booking: Booking, source: Source,
    version: int,
) -> Entry:  # fmt: skip
    """Move so much of a credit out of suspense onto what it clears; what is left over goes to rounding."""
    left_minor = moved_minor - sum(part.amount_minor for part in cleared)
    return Entry(
        reference=rematch_reference(bank_reference(evidence.statement_no, evidence.number), version),
        kind=kind,
        business_date=booking.business_date,
        effective_at=booking.effective_at,
        late_for=booking.late_for,
        postings=summed_postings(
            evidence.amount.currency,
            (accounts.SUSPENSE_UNIDENTIFIED, moved_minor, unidentified_item(evidence.statement_no, evidence.number)),
            *((part.account, -part.amount_minor, part.item) for part in cleared),
            (accounts.ROUNDING, -left_minor, None),
        ),
        source=source,
    )


def opening_entry(statement_no: int, statement: str, bank_account: str, opening: Money, booking: Booking) -> Entry:
    """Post what the account held before our first statement: cash, and suspense until somebody names it."""
    return Entry(
        reference=f"bank:{statement_no}:opening",
        kind="bank_opening_balance",
        business_date=booking.business_date,
        effective_at=booking.effective_at,
        late_for=booking.late_for,
        postings=summed_postings(
            opening.currency,
            (accounts.bank_cash(bank_account), opening.amount_minor, None),
            (accounts.SUSPENSE_UNIDENTIFIED, -opening.amount_minor, f"{statement_no}:opening"),
        ),
        source=Source(file=statement),
    )


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
