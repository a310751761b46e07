"""Every report by name, whichever package knows what is in it."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Final

from ops.revenue_reports import OF_THE_GATEWAY
from reconciliation.breaks import Language
from reconciliation.errors import NotAllowedError
from reconciliation.reports import catalogue
from reconciliation.reports.report import Asked, Report

REPORTS: Final = (*catalogue.REPORTS, *OF_THE_GATEWAY)


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
