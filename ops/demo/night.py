"""Moving the demo's clock to the night, and watching the worker run it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any, Final

import asyncpg

from ops.clock import ShiftedClock
from ops.commands.night import words
from ops.demo.stage import StageError
from ops.settings import Settings
from reconciliation.nightly import NightStatus, first_day, night_status

Say = Callable[[str], None]

_LOOKS_MAX: Final = 1000
_LOOK_PAUSE_S: Final = 0.3


def coming_night(now: datetime, settings: Settings) -> tuple[date, datetime]:
    """Return the business date that the coming night closes, and the instant at which that night begins."""
    local = now.astimezone(settings.time_zone)
    begins = datetime.combine(local.date(), settings.night_at, settings.time_zone)
    if local >= begins:
        begins = datetime.combine(local.date() + timedelta(days=1), settings.night_at, settings.time_zone)
    return begins.date() - timedelta(days=1), begins


def _is_done(status: NightStatus, begins: datetime) -> bool:
    return status.status == "done" and status.finished_at is not None and status.started_at >= begins


async def _look(url: str, business_date: date) -> NightStatus | None:
    """Read the night's record on a connection of its own; None while the database is away."""
    try:
        connection: asyncpg.Connection[Any] = await asyncpg.connect(url)
    except (OSError, asyncpg.PostgresError):
        return None
    try:
        return await night_status(connection, business_date)
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
        return None
    finally:
        connection.terminate()


async def _first_day(url: str) -> date | None:
    connection: asyncpg.Connection[Any] = await asyncpg.connect(url)
    try:
        return await first_day(connection)
    finally:
        await connection.close()


async def watch_night(settings: Settings, url: str, say: Say) -> NightStatus:
    """Move the clock to the coming night, wait until the worker has run it, and say what each step did."""
    if settings.clock_file is None:
        raise ValueError("the clock of this Mizan cannot be moved")
    clock = ShiftedClock(settings.clock_file)
    business_date, begins = coming_night(clock(), settings)
    first = await _first_day(url)
    if first is not None and first > business_date:
        # Between midnight and the night, all there is was paid on a day that only the night after this one closes.
        business_date, begins = first, begins + (first - business_date)
    clock.move_to(begins + timedelta(seconds=1))
    say(f"The clock stands at {clock().astimezone(settings.time_zone):%A %Y-%m-%d %H:%M}; the worker runs the night.")
    for _ in range(_LOOKS_MAX):
        status = await _look(url, business_date)
        if status is not None and _is_done(status, begins):
            break
        await asyncio.sleep(_LOOK_PAUSE_S)
    else:
        seen = status.status if status else "not begun"
        raise StageError(f"the night of {business_date} is {seen}; mizan.log says why")
    say(f"Night of {business_date}: {status.status}")
    for step in status.steps:
        say(f"  {step.step:<12} {words(step.counts, settings.bank_currency)}")
    return status
