"""Business days: which instant belongs to which day, which days a bank works, when money is due."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Any, Final
from zoneinfo import ZoneInfo

import holidays

from reconciliation.errors import ReconciliationError

SEARCH_DAYS_MAX: Final = 366
"""Looking further than a year for a working day means the calendar is wrong."""


@lru_cache(maxsize=32)
def _country(code: str) -> Any:
    return holidays.country_holidays(code)


@dataclass(frozen=True, slots=True)
class Calendar:
    """The days of one bank or provider: its zone, its cut-off, its country's holidays and our overrides.

    Religious holidays move at short notice, so `overrides` (a day, and whether it is worked) wins over the package.
    """

    country: str = "AE"
    zone: str = "Asia/Dubai"
    cut_off: time = time(0, 0)
    overrides: Mapping[date, bool] = field(default_factory=dict)

    def is_working_day(self, day: date) -> bool:
        override = self.overrides.get(day)
        return bool(_country(self.country).is_working_day(day)) if override is None else override

    def next_working_day(self, day: date) -> date:
        """Return the day itself when it is worked, else the next that is."""
        for ahead in range(SEARCH_DAYS_MAX):
            if self.is_working_day(found := day + timedelta(days=ahead)):
                return found
        raise ReconciliationError(f"the calendar of {self.country} has no working day within a year of {day}")

    def after(self, day: date, working_days: int) -> date:
        """Return the day that many working days later; zero is the day itself or the next worked one."""
        found = self.next_working_day(day)
        for _ in range(working_days):
            found = self.next_working_day(found + timedelta(days=1))
        return found

    def latest_due(self, business_date: date, working_days: int) -> date:
        """Return the latest date whose money or file, that many working days later, is due by a business date."""
        day = business_date
        for _ in range(SEARCH_DAYS_MAX):
            if self.after(day, working_days) <= business_date:
                return day
            day -= timedelta(days=1)
        return day

    def business_date(self, instant: datetime) -> date:
        """Return the business day an instant belongs to: at the cut-off the next day begins."""
        local = instant.astimezone(ZoneInfo(self.zone))
        if self.cut_off != time(0, 0) and local.time() >= self.cut_off:
            return local.date() + timedelta(days=1)
        return local.date()

    def closing_instant(self, day: date) -> datetime:
        """Return the last second of a business day, in UTC; a day with a clock change is 23 or 25 hours long."""
        closing_day = day + timedelta(days=1) if self.cut_off == time(0, 0) else day
        local = datetime.combine(closing_day, self.cut_off, ZoneInfo(self.zone))
        return local.astimezone(UTC) - timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Calendars:
    """The days that everybody keeps, and what single providers keep differently."""

    everybody: Calendar
    of_providers: Mapping[str, Mapping[date, bool]] = field(default_factory=dict)

    def of(self, provider: str) -> Calendar:
        """Return a provider's calendar; its own days win over everybody's."""
        own = self.of_providers.get(provider)
        if own is None:
            return self.everybody
        return replace(self.everybody, overrides={**self.everybody.overrides, **own})
