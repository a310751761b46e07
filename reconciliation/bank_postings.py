"""How an entry of a bank statement becomes a journal: what it clears, and what nobody can name yet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ledger import accounts
from ledger.entry import Entry, Source
from ledger.money import Money
from reconciliation.postings import Booking, bank_reference, rematch_reference, summed_postings, unidentified_item


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
