"""Every report by name, whichever package knows what is in it, for the command and for the API."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any, Final

from ops.revenue_reports import OF_THE_GATEWAY
from reconciliation.breaks import Language
from reconciliation.business_days import Calendar
from reconciliation.errors import FutureDateError, NotAllowedError
from reconciliation.reports import catalogue
from reconciliation.reports.report import Asked, Report

REPORTS: Final = (*catalogue.REPORTS, *OF_THE_GATEWAY)
OF_A_PERIOD: Final = catalogue.OF_A_PERIOD | OF_THE_GATEWAY.keys()


def date_of(calendar: Calendar, now: datetime, asked: date | None) -> date:
    """Return the business date a report is of: the one asked for, which has begun, or yesterday."""
    today = calendar.business_date(now)
    if asked is not None and asked > today:
        raise FutureDateError(f"{asked} has not begun: a report is of a day up to {today}")
    return asked or today - timedelta(days=1)


async def build_any_report(
    connection: Any, name: str, business_date: date, language: Language, *, department: str | None = None,
    since: date | None = None, known_at: datetime | None = None,
) -> Report:  # fmt: skip
    """Build a report by name. Its rows may stream from the connection: render it inside the same transaction."""
    if name not in OF_THE_GATEWAY:
        return await catalogue.build_report(
            connection, name, business_date, language, department=department, since=since, known_at=known_at
        )
    if since is not None and since > business_date:
        raise NotAllowedError(f"the report {name!r} takes no period that begins on {since}")
    asked = Asked(business_date=business_date, language=language, department=department, since=since, known_at=known_at)
    return await OF_THE_GATEWAY[name](connection, asked)
