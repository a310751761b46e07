"""Finance's reports for the API: the same pages as the command's, and its refusals in the API's own words."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from gateway.domain import errors
from gateway.domain.finance_report import AskedReport, FinanceReport
from ops.clock import Clock
from ops.reporting import OF_A_PERIOD, REPORTS, build_any_report, date_of
from reconciliation.breaks import Language
from reconciliation.business_days import Calendar
from reconciliation.errors import NotFoundError, ReconciliationError
from reconciliation.reports.catalogue import NEED_A_DEPARTMENT, Format, check_department, check_known_at, render
from reconciliation.reports.words import word

_TITLES: Final = {"fees": "fee_analysis", "files": "missing_files", "settlement": "settlement_proof"}
"""The words of titles that are not the reports' own names."""


@dataclass(frozen=True, slots=True)
class FinanceReports:
    """Writes any report for whoever may read them all."""

    clock: Clock
    calendar: Calendar

    def reports(self) -> Sequence[FinanceReport]:
        """Return every report there is."""
        return [
            FinanceReport(
                name=name,
                title_ar=word(_TITLES.get(name, name), Language.ARABIC),
                title_en=word(_TITLES.get(name, name), Language.ENGLISH),
                of_a_period=name in OF_A_PERIOD,
                of_a_department=name in NEED_A_DEPARTMENT,
            )
            for name in REPORTS
        ]

    async def write(self, connection: Any, asked: AskedReport) -> AsyncIterator[bytes]:
        """Write a report as the command does. Its rows stream from the connection."""
        with _refused_at("/query/date"):
            business_date = date_of(self.calendar, self.clock(), asked.business_date)
        if asked.known_at is not None:
            with _refused_at("/query/known_at"):
                await check_known_at(connection, asked.known_at, self.clock())
        await _check_department(connection, asked)
        with _refused_at("/query/from"):
            try:
                report = await build_any_report(
                    connection, asked.name, business_date, Language(asked.language), department=asked.department,
                    since=asked.since, known_at=asked.known_at,
                )  # fmt: skip
            except NotFoundError as error:
                raise errors.NotFoundError(str(error)) from None
        async for chunk in render(report, Format(asked.report_format)):
            yield chunk


async def _check_department(connection: Any, asked: AskedReport) -> None:
    """Refuse a department where none is asked about, and a missing or unknown one where one is."""
    pointer = "/query/department"
    if asked.name not in NEED_A_DEPARTMENT:
        if asked.department is not None:
            raise errors.InvalidError("this report is over all departments", pointer=pointer)
    elif asked.department is None:
        raise errors.InvalidError("this report is of one department: name it", pointer=pointer)
    else:
        with _refused_at(pointer):
            await check_department(connection, asked.department)


@contextmanager
def _refused_at(pointer: str) -> Iterator[None]:
    """Tell a refusal as one of the API's, by the parameter that was wrong."""
    try:
        yield
    except ReconciliationError as error:
        raise errors.InvalidError(str(error), pointer=pointer) from None
