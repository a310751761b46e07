"""Days that are worked or not whatever the calendar package says: holidays announced at short notice, or moved."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from typing import Final

import msgspec

from reconciliation.business_days import Calendar, Calendars
from reconciliation.deps import Deps
from reconciliation.errors import NotAllowedError, NotFoundError
from reconciliation.store import Connection, audits, holidays

_PROVIDER: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")


async def read_calendars(connection: Connection, base: Calendar) -> Calendars:
    """Read what everybody's and each provider's calendar says by now."""
    everybody, of_providers = dict[date, bool](), dict[str, dict[date, bool]]()
    for row in await holidays.read(connection, base.country):
        own = of_providers.setdefault(row["provider"], {}) if row["provider"] else everybody
        own[row["day"]] = row["worked"]
    return Calendars(replace(base, overrides={**everybody, **base.overrides}), of_providers)


async def set_holiday(
    deps: Deps, day: date, *, worked: bool, provider: str, names: tuple[str, str], by: str
) -> None:  # fmt: skip
    """Say that a day is not worked, or worked after all, by everybody or by one provider; a later word replaces it."""
    if not by.strip():
        raise NotAllowedError("whoever changes the calendar has a name")
    if provider and not _PROVIDER.fullmatch(provider):
        raise NotAllowedError(f"{provider!r} is not a provider's name")
    country = deps.calendar.country
    async with deps.pool.acquire() as connection, connection.transaction():
        before = await holidays.put(connection, country, provider, day, names, worked=worked)
        await audits.insert(
            connection, deps, by, "holiday_set", f"{country} {provider} {day}".replace("  ", " "),
            before=None if before is None else msgspec.json.encode({"worked": before}),
            after=msgspec.json.encode({"worked": worked, "name_en": names[0], "name_ar": names[1]}),
        )  # fmt: skip


async def remove_holiday(deps: Deps, day: date, *, provider: str, by: str) -> None:
    """Leave a day to the calendar package again."""
    country = deps.calendar.country
    async with deps.pool.acquire() as connection, connection.transaction():
        before = await holidays.remove(connection, country, provider, day)
        if before is None:
            raise NotFoundError(f"nothing is set for {day}")
        await audits.insert(
            connection, deps, by, "holiday_removed", f"{country} {provider} {day}".replace("  ", " "),
            before=msgspec.json.encode({"worked": before}),
        )  # fmt: skip


async def list_holidays(deps: Deps) -> list[str]:
    """Say every day that is set, the latest first."""
    async with deps.pool.acquire() as connection:
        rows = await holidays.read(connection, deps.calendar.country)
    return [
        f"{row['day']}  {'worked' if row['worked'] else 'not worked'}  {row['provider'] or 'everybody'}"
        f"  {row['name_en']}  {row['name_ar']}".rstrip()
        for row in rows
    ]
