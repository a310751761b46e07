"""A department's journals in its own chart of accounts, as its own books would have them, for its own system to load.

Our books say what we owe a department; its books say what it is owed. So every posting to one of its accounts is turned
round, and where money came in or went out the line against it is the account its mapping gives for that kind.
"""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

from ledger.money import Money
from reconciliation.charts import CONTRA, Chart, MappingLine
from reconciliation.errors import BooksDisagreeError, NotAllowedError, NotFoundError
from reconciliation.reports.csv_file import safe
from reconciliation.reports.report import Asked
from reconciliation.store import Connection, Record, charts, known

ROWS_A_CHUNK: Final = 500


class ExportForm(StrEnum):
    """For which system the file is written."""

    CSV = "csv"
    ORACLE = "oracle"
    SAP = "sap"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a journal over there; a debit is positive."""

    journal_id: int
    number: int
    reference: str
    kind: str
    business_date: date
    account: str
    cost_centre: str
    amount: Money
    payment: str | None

    @property
    def debit(self) -> str:
        return self.amount.decimal() if self.amount.amount_minor > 0 else ""

    @property
    def credit(self) -> str:
        return (-self.amount).decimal() if self.amount.amount_minor < 0 else ""


def _generic(line: Line, department: str) -> Sequence[str]:
    del department
    return (
        str(line.journal_id), str(line.number), line.business_date.isoformat(), line.reference, line.kind, line.account,
        line.cost_centre, line.amount.currency, line.debit, line.credit, line.payment or "",
    )  # fmt: skip


def _oracle(line: Line, department: str) -> Sequence[str]:
    """Write a row of Oracle's journal import interface (GL_INTERFACE)."""
    return (
        "NEW", line.business_date.strftime("%Y/%m/%d"), "Mizan", line.kind, line.amount.currency,
        line.business_date.strftime("%Y/%m/%d"), "A", department, line.cost_centre, line.account, line.debit,
        line.credit, f"Mizan {line.business_date}", f"Mizan {line.journal_id}", line.reference,
    )  # fmt: skip


def _sap(line: Line, department: str) -> Sequence[str]:
    """Write a line of SAP's journal entry upload; posting key 40 debits, 50 credits."""
    day = line.business_date.strftime("%Y%m%d")
    return (
        department.upper(), "SA", day, day, line.amount.currency, str(line.journal_id), line.kind[:25],
        f"{line.number:03}", "40" if line.amount.amount_minor > 0 else "50", line.account, line.debit or line.credit,
        line.cost_centre, line.reference[:50],
    )  # fmt: skip


_FORMS: Final[dict[ExportForm, tuple[Sequence[str], Callable[[Line, str], Sequence[str]]]]] = {
    ExportForm.CSV: (
        ("journal", "line", "date", "reference", "kind", "account", "cost_centre", "currency", "debit", "credit",
         "payment"),
        _generic,
    ),
    ExportForm.ORACLE: (
        ("STATUS", "ACCOUNTING_DATE", "USER_JE_SOURCE_NAME", "USER_JE_CATEGORY_NAME", "CURRENCY_CODE", "DATE_CREATED",
         "ACTUAL_FLAG", "SEGMENT1", "SEGMENT2", "SEGMENT3", "ENTERED_DR", "ENTERED_CR", "REFERENCE1", "REFERENCE4",
         "REFERENCE10"),
        _oracle,
    ),
    ExportForm.SAP: (
        ("BUKRS", "BLART", "BLDAT", "BUDAT", "WAERS", "XBLNR", "BKTXT", "BUZEI", "BSCHL", "HKONT", "WRBTR", "KOSTL",
         "SGTXT"),
        _sap,
    ),
}  # fmt: skip


async def export_journals(
    connection: Connection, asked: Asked, department: str, form: ExportForm
) -> AsyncIterator[bytes]:
    """Stream a period's journals; refuse before the first byte when an account has no counterpart over there.

    Render it inside one transaction. At the end what was written is held against the ledger's own movement.
    """
    chart = await _chart(connection, asked, department)
    header, row_of = _FORMS[form]
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow(header)
    sums: dict[str, int] = {}
    count = 0
    async for line in _lines(connection, asked, department, chart, sums):
        writer.writerow([safe(cell) for cell in row_of(line, department)])
        count += 1
        if count % ROWS_A_CHUNK == 0:
            yield buffer.getvalue().encode()
            buffer.seek(0)
            buffer.truncate()
    await _prove(connection, asked, department, sums)
    yield buffer.getvalue().encode()


async def _chart(connection: Connection, asked: Asked, department: str) -> Chart:
    version = await charts.latest(connection, department, asked.known)
    if version is None:
        raise NotFoundError(f"{department} has no mapping of accounts")
    chart = Chart(MappingLine(**dict(row)) for row in await charts.lines(connection, department, version))
    span = (department, asked.first_date, asked.business_date, asked.recorded_since, asked.known)
    unmapped = [f"{account} ({kind})" for account, kind in sorted(await charts.used(connection, *span))
                if chart.find(account, kind) is None]  # fmt: skip
    if unmapped:
        raise NotAllowedError(f"the mapping of {department} has no account for {', '.join(unmapped)}")
    return chart


async def _lines(
    connection: Connection, asked: Asked, department: str, chart: Chart, sums: dict[str, int]
) -> AsyncIterator[Line]:
    """Turn each journal round, and close it with the line against what is left."""
    held: list[Record] = []
    async for row in charts.postings(
        connection, department, asked.first_date, asked.business_date, asked.recorded_since, asked.known
    ):
        sums[f"{row['account']} {row['currency']}"] = (
            sums.get(f"{row['account']} {row['currency']}", 0) + row["amount_minor"]
        )
        if held and held[0]["journal_id"] != row["journal_id"]:
            for line in _journal(held, chart):
                yield line
            held = []
        held.append(row)
    for line in _journal(held, chart):
        yield line


def _journal(held: Sequence[Record], chart: Chart) -> list[Line]:
    lines: list[Line] = []

    def add(row: Record, account: str, minor: int) -> None:
        found = chart.find(account, row["kind"])
        if found is None:
            raise NotAllowedError(f"the mapping has no account for {account} ({row['kind']})")
        lines.append(
            Line(
                row["journal_id"], len(lines) + 1, row["reference"], row["kind"], row["business_date"], found.theirs,
                found.cost_centre, Money(minor, row["currency"]), row["payment"],
            )
        )  # fmt: skip

    for row in held:
        add(row, row["account"], -row["amount_minor"])
    for currency in sorted({row["currency"] for row in held}):
        left_minor = sum(row["amount_minor"] for row in held if row["currency"] == currency)
        if left_minor:
            add(next(row for row in held if row["currency"] == currency), CONTRA, left_minor)
    return lines


async def _prove(connection: Connection, asked: Asked, department: str, sums: dict[str, int]) -> None:
    """Compare what was written of each account with how far the ledger says it moved."""
    moved = await known.movements(
        connection, asked.business_date, asked.first_date, asked.recorded_since, asked.known,
        f"department:{department}:%",
    )  # fmt: skip
    for row in moved:
        if row["debit_minor"] - row["credit_minor"] != sums.get(f"{row['account']} {row['currency']}", 0):
            raise BooksDisagreeError(f"the export of {row['account']} is not what the ledger moved by")
