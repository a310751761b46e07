"""A report of finance as it is offered, and as it is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime


@dataclass(frozen=True, slots=True)
class FinanceReport:
    """A report finance may ask for, and what it is asked for beside its date."""

    name: str
    title_ar: str
    title_en: str
    of_a_period: bool
    of_a_department: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedReport:
    """One report as it was asked for. Without a date it is of yesterday."""

    name: str
    report_format: str
    language: str
    business_date: date | None = None
    since: date | None = None
    department: str | None = None
    known_at: datetime | None = None
