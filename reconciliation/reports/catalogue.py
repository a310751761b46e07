"""The reports by name, and the ways to write them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import date
from enum import StrEnum
from typing import Final

from reconciliation.breaks import Language
from reconciliation.errors import NotFoundError
from reconciliation.reports.banking import bank_reconciliation
from reconciliation.reports.break_list import break_list
from reconciliation.reports.csv_file import render_csv
from reconciliation.reports.daily import daily_reconciliation
from reconciliation.reports.departments import department_statement, remittance_advice
from reconciliation.reports.html_page import render_html
from reconciliation.reports.payout_register import payout_register
from reconciliation.reports.report import Report
from reconciliation.reports.text import render_text
from reconciliation.reports.trial import trial_balance_report
from reconciliation.reports.xlsx_file import render_xlsx
from reconciliation.store import Connection


class Format(StrEnum):
    TEXT = "text"
    CSV = "csv"
    HTML = "html"
    XLSX = "xlsx"


_BY_DATE: Final[dict[str, Callable[[Connection, date, Language], Awaitable[Report]]]] = {
    "reconciliation": daily_reconciliation,
    "breaks": break_list,
    "payouts": payout_register,
    "bank": bank_reconciliation,
    "trial-balance": trial_balance_report,
}
_BY_DEPARTMENT: Final[dict[str, Callable[[Connection, date, Language, str], Awaitable[Report]]]] = {
    "departments": department_statement,
    "remittance": remittance_advice,
}
REPORTS: Final = (*_BY_DATE, *_BY_DEPARTMENT)
NEED_A_DEPARTMENT: Final = frozenset(_BY_DEPARTMENT)

_RENDERERS: Final[dict[Format, Callable[[Report], AsyncIterator[bytes]]]] = {
    Format.TEXT: render_text,
    Format.CSV: render_csv,
    Format.HTML: render_html,
    Format.XLSX: render_xlsx,
}


async def build_report(
    connection: Connection, name: str, business_date: date, language: Language, *, department: str | None = None
) -> Report:
    """Build a report by name. Its rows may stream from the connection: render it inside the same transaction."""
    if name in _BY_DATE:
        return await _BY_DATE[name](connection, business_date, language)
    if name not in _BY_DEPARTMENT:
        raise NotFoundError(f"there is no report {name!r}; the reports are {', '.join(REPORTS)}")
    if department is None:
        raise NotFoundError(f"the report {name!r} is of one department; name it")
    return await _BY_DEPARTMENT[name](connection, business_date, language, department)


def render(report: Report, report_format: Format) -> AsyncIterator[bytes]:
    """Write a report; the first bytes come before the last row is read."""
    return _RENDERERS[report_format](report)
