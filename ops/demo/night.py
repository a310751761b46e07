"""Moving the demo's clock to the night, and watching the worker run it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any, Final

import asyncpg

from ops.clock import ShiftedClock
from ops.night_cli import words
from ops.settings import Settings
from reconciliation.nightly import NightStatus, night_status

Say = Callable[[str], None]

_WAIT_S: Final = 300.0


def coming_night(now: datetime, settings: Settings) -> tuple[date, datetime]:
    """Return the business date that the coming night closes, and the instant at which that night begins."""
    local = now.astimezone(settings.time_zone)
    begins = datetime.combine(local.date(), settings.night_at, settings.time_zone)
    if local >= begins:
        begins = datetime.combine(local.date() + timedelta(days=1), settings.night_at, settings.time_zone)
    return begins.date() - timedelta(days=1), begins


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


async def watch_night(settings: Settings, url: str, say: Say) -> NightStatus:
    """Move the clock to the coming night, wait until the worker has run it, and say what each step did."""
    if settings.clock_file is None:
        raise ValueError("the clock of this Mizan cannot be moved")
    clock = ShiftedClock(settings.clock_file)
    business_date, begins = coming_night(clock(), settings)
    clock.move_to(begins + timedelta(seconds=1))
    say(f"The clock stands at {clock().astimezone(settings.time_zone):%A %Y-%m-%d %H:%M}; the worker runs the night.")
    async with asyncio.timeout(_WAIT_S):
        while (status := await _look(url, business_date)) is None or status.finished_at is None:  # noqa: ASYNC110 - across processes
            await asyncio.sleep(0.3)
    say(f"Night of {business_date}: {status.status}")
    for step in status.steps:
        say(f"  {step.step:<12} {words(step.counts)}")
    return status
