"""What a department may read of its own payouts: each one, the payments inside it, and its statement as a file."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from ledger.money import Money
from reconciliation.breaks import Language
from reconciliation.reports.catalogue import Format, build_report, render
from reconciliation.reports.report import PaymentNames
from reconciliation.store import Connection, Record, inside, payouts

REPORTS: Final = {"statement": "departments", "remittance": "remittance"}
"""What a department calls its reports, and what finance calls them."""
_SHOWN: Final = {"draft": "awaiting_approval", "released": "instructed"}
"""What a department is told of a line's status where finance has a word of its own."""


@dataclass(frozen=True, slots=True)
class Payout:
    """One transfer to a department, from its draft on. `reason` is the bank's word where it refused or returned it."""

    id: str
    status: str
    amount: Money
    business_date: date
    instructed_at: datetime | None
    paid_on: date | None
    iban_ending: str
    revenue_code: str
    remittance: str
    reason: str


@dataclass(frozen=True, slots=True)
class PayoutPart:
    """One journal's part of a payout: a payment collected, a refund given, a fee, an earlier payout that came back."""

    journal: int
    kind: str
    payment: str | None
    reference: str
    business_date: date
    amount: Money


@dataclass(frozen=True, slots=True)
class Inside:
    """A payout, some of what is inside it, and what of the amount no journal of its stretch explains."""

    payout: Payout
    parts: Sequence[PayoutPart]
    not_itemised: Money


class DepartmentPayouts:
    """Answers for one department at a time; another's payout is not there.

    With `names`, reports call payments as their department does.
    """

    def __init__(self, names: PaymentNames | None = None) -> None:
        self._names = names

    async def list_payouts(
        self, connection: Connection, department: str, *, before: str | None, limit: int
    ) -> Sequence[Payout]:
        """Return payouts, drafts among them, newest first."""
        return [_payout(row) for row in await payouts.of_department(connection, department, before=before, limit=limit)]

    async def read_payout(
        self, connection: Connection, department: str, payout_id: str, *, after: int, limit: int
    ) -> Inside | None:
        """Return a payout with its parts whose journals come after `after`."""
        row = await payouts.one_of_department(connection, department, payout_id)
        if row is None:
            return None
        payout = _payout(row)
        found = await inside.page(connection, department, row, after=after, limit=limit)
        parts = [
            PayoutPart(
                one["journal_id"], one["kind"], one["payment"], one["reference"], one["business_date"],
                Money(one["amount_minor"], row["currency"]),
            )
            for one in found
        ]  # fmt: skip
        explained = Money.of_total(await inside.total(connection, department, row), row["currency"])
        return Inside(payout, parts, payout.amount - explained)

    async def write_report(
        self, connection: Connection, name: str, department: str, *, since: date, until: date, language: str
    ) -> AsyncIterator[bytes]:
        """Write a report as CSV. Its rows stream from the connection: read it inside the transaction."""
        period = since if name == "statement" else None
        report = await build_report(
            connection, REPORTS[name], until, Language(language), department=department, since=period,
            names=self._names,
        )  # fmt: skip
        return render(report, Format.CSV)


def _payout(row: Record) -> Payout:
    return Payout(
        id=row["id"],
        status=_SHOWN.get(row["status"], row["status"]),
        amount=Money(row["amount_minor"], row["currency"]),
        business_date=row["business_date"],
        instructed_at=row["released_at"],
        paid_on=row["paid_on"],
        iban_ending=row["creditor_iban"][-4:],
        revenue_code=row["revenue_code"],
        remittance=row["remittance"],
        reason=row["reason"],
    )
