"""The reports by name, and the ways to write them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final

from reconciliation.breaks import Language
from reconciliation.errors import NotAllowedError, NotFoundError
from reconciliation.reports.banking import bank_reconciliation
from reconciliation.reports.break_list import break_list
from reconciliation.reports.certificate import close_certificate
from reconciliation.reports.csv_file import render_csv
from reconciliation.reports.daily import daily_reconciliation
from reconciliation.reports.departments import department_statement, remittance_advice
from reconciliation.reports.fees import fee_analysis
from reconciliation.reports.files import missing_files
from reconciliation.reports.html_page import render_html
from reconciliation.reports.payout_register import payout_register
from reconciliation.reports.pdf_file import render_pdf
from reconciliation.reports.report import Asked, PaymentNames, Report
from reconciliation.reports.settlement_proof import settlement_proof
from reconciliation.reports.suspense import suspense_ageing
from reconciliation.reports.text import render_text
from reconciliation.reports.trial import trial_balance_report
from reconciliation.reports.xlsx_file import render_xlsx
from reconciliation.store import Connection, known, leases


class Format(StrEnum):
    TEXT = "text"
    CSV = "csv"
    HTML = "html"
    XLSX = "xlsx"
    PDF = "pdf"


BINARY: Final = frozenset({Format.XLSX, Format.PDF})

_BY_DATE: Final[dict[str, Callable[[Connection, Asked], Awaitable[Report]]]] = {
    "reconciliation": daily_reconciliation,
    "breaks": break_list,
    "payouts": payout_register,
    "bank": bank_reconciliation,
    "settlement": settlement_proof,
    "fees": fee_analysis,
    "suspense": suspense_ageing,
    "files": missing_files,
    "certificate": close_certificate,
    "trial-balance": trial_balance_report,
}
_BY_DEPARTMENT: Final[dict[str, Callable[[Connection, Asked, str], Awaitable[Report]]]] = {
    "departments": department_statement,
    "remittance": remittance_advice,
}
REPORTS: Final = (*_BY_DATE, *_BY_DEPARTMENT)
NEED_A_DEPARTMENT: Final = frozenset(_BY_DEPARTMENT)
OF_A_PERIOD: Final = frozenset({"fees", "files", "settlement", "departments"})
"""The reports that take a first date as well."""

KNOWN_AFTER: Final = timedelta(minutes=1)
"""How long after an instant everything that was being written at it has been written, or has failed."""

_RENDERERS: Final[dict[Format, Callable[[Report], AsyncIterator[bytes]]]] = {
    Format.TEXT: render_text,
    Format.CSV: render_csv,
    Format.HTML: render_html,
    Format.XLSX: render_xlsx,
    Format.PDF: render_pdf,
}


async def build_report(
    connection: Connection, name: str, business_date: date, language: Language, *, department: str | None = None,
    since: date | None = None, known_at: datetime | None = None, names: PaymentNames | None = None,
) -> Report:  # fmt: skip
    """Build a report by name. Its rows may stream from the connection: render it inside the same transaction."""
    asked = Asked(
        business_date=business_date, language=language, department=department, since=since, known_at=known_at,
        names=names,
    )  # fmt: skip
    if since is not None and (name not in OF_A_PERIOD or since > business_date):
        raise NotAllowedError(f"the report {name!r} takes no period that begins on {since}")
    if name in _BY_DATE:
        return await _BY_DATE[name](connection, asked)
    if name not in _BY_DEPARTMENT:
        raise NotFoundError(f"there is no report {name!r}; the reports are {', '.join(REPORTS)}")
    if department is None:
        raise NotFoundError(f"the report {name!r} is of one department; name it")
    return await _BY_DEPARTMENT[name](connection, asked, department)


async def check_department(connection: Connection, department: str) -> None:
    """Refuse a department that neither books nor payees know: its page would be bare, as if nothing were owed."""
    if not await known.knows_department(connection, department):
        raise NotFoundError(f"there is no department {department!r} in the books")


async def check_known_at(connection: Connection, known_at: datetime, now: datetime) -> None:
    """Refuse an instant of which something may still be written: the same question must have the same answer.

    A night stamps what it stores with the instant at which it began to store it, so while one runs only what was
    known before it began is settled.
    """
    if known_at > now - KNOWN_AFTER:
        raise NotAllowedError("ask as known at an instant that is at least a minute past")
    began = await leases.running_since(connection, now)
    if began is not None and known_at >= began:
        raise NotAllowedError(
            f"a night is running since {began:%Y-%m-%d %H:%M:%S} UTC; ask as known before it, or after"
        )


def render(report: Report, report_format: Format) -> AsyncIterator[bytes]:
    """Write a report; the first bytes come before the last row is read."""
    return _RENDERERS[report_format](report)
