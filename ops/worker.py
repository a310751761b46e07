"""The worker process: the gateway's jobs, the night at its hour, and what the night asks the gateway to look at."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from functools import partial
from typing import Final

import structlog
from aiohttp import web
from prometheus_client import Gauge

from gateway.services.attempts.recheck import recheck
from gateway.worker import JOBS
from ledger.decisions import open_months
from ledger.store import Pool
from ops import operations
from ops.database import database
from ops.jobs import Job, run_jobs
from ops.settings import Settings
from ops.wiring import Parts, assemble
from reconciliation.errors import NightRunningError
from reconciliation.nightly import NightStatus, first_day, payments_to_requery, recent_nights, run_night
from reconciliation.remittances import send_remittances

log = structlog.get_logger()

NIGHT_DONE: Final = Gauge("mizan_night_business_date_timestamp_seconds", "The latest business date whose night is done")
NIGHTS_WAITING: Final = Gauge("mizan_nights_waiting", "Business dates whose night is due and not done")

_CATCH_UP_DAYS_MAX: Final = 31
_RECHECK_PAUSE: Final = timedelta(hours=1)
_RECHECKS_A_TURN: Final = 500
_ADVICES_A_TURN: Final = 10


def due_at(business_date: date, settings: Settings) -> datetime:
    """Return when the night of a date is due: at the set hour of the next day."""
    return datetime.combine(business_date + timedelta(days=1), settings.night_at, settings.time_zone)


def nights_due(
    now: datetime, settings: Settings, nights: Sequence[NightStatus], first_day: date | None = None
) -> list[date]:
    """Return the business dates whose night should have run by now and did not, oldest first.

    A night counts when it was started after it was due and all of it was done: one that failed, one step run by hand
    and a run before the day had ended do not. After an outage every missed night is caught up in order; a new
    installation starts with yesterday. Nothing is due for days before `first_day`, on which the books begin, but what
    was begun while they were empty: it is seen through.
    """
    local = now.astimezone(settings.time_zone)
    latest = local.date() - timedelta(days=1 if local.time() >= settings.night_at else 2)
    done = {
        night.business_date
        for night in nights
        if night.status == "done" and night.started_at >= due_at(night.business_date, settings)
    }
    known = min((night.business_date for night in nights), default=latest)
    earliest = latest - timedelta(days=_CATCH_UP_DAYS_MAX - 1)
    first = max(earliest, known, first_day or known)
    begun = {night.business_date for night in nights if night.status != "done" and night.business_date >= earliest}
    begun.update(first + timedelta(days=number) for number in range((latest - first).days + 1))
    return sorted(day for day in begun if day not in done and day <= latest)


async def run_due_nights(parts: Parts) -> int:
    """Run what is due; 0 when nothing is, or when another worker is at it."""
    async with parts.pool.acquire() as connection:
        nights = await recent_nights(connection, _CATCH_UP_DAYS_MAX * 2)
        begun = await first_day(connection)
    due = nights_due(parts.clock(), parts.settings, nights, begun)
    if done := [night.business_date for night in nights if night.status == "done"]:
        _tell_done(max(done), parts)  # also what was done before this process began
    for number, business_date in enumerate(due):
        NIGHTS_WAITING.set(len(due) - number)
        try:
            await run_night(parts.night, business_date)
        except NightRunningError:
            return 0
        log.info("night done", business_date=business_date.isoformat())
        _tell_done(business_date, parts)
    NIGHTS_WAITING.set(0)
    return len(due)


def _tell_done(business_date: date, parts: Parts) -> None:
    NIGHT_DONE.set(datetime.combine(business_date, datetime.min.time(), parts.settings.time_zone).timestamp())


class Rechecks:
    """Asks the gateway about payments that a break names, each at most once an hour, all of them in turn.

    Each turn looks at the page of breaks after the last one, so that no number of older ones keeps the newer waiting.
    """

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._asked: dict[str, datetime] = {}
        self._after = ""

    async def run(self) -> int:
        now = self._parts.clock()
        self._asked = {name: at for name, at in self._asked.items() if at + _RECHECK_PAUSE > now}
        page = await payments_to_requery(self._parts.night, _RECHECKS_A_TURN, self._after)
        self._after = page[-1].break_id if len(page) == _RECHECKS_A_TURN else ""
        wanted = [each for each in page if each.reference is not None and each.break_id not in self._asked]
        self._asked.update({each.break_id: now for each in wanted})
        await recheck(self._parts.gateway, [each.reference for each in wanted if each.reference is not None])
        return 0


async def open_coming_months(pool: Pool, clock: Callable[[], datetime]) -> int:
    """See that the partitions of this and the next month are there before anybody posts into them."""
    async with pool.acquire() as connection:
        await open_months(connection, months=1, at=clock())
    return 0


def jobs_of(parts: Parts) -> list[Job]:
    """List everything a worker does by itself."""
    return [
        *(Job(job.name, partial(job.run, parts.gateway), job.every_s) for job in JOBS),
        Job("run the night", partial(run_due_nights, parts), every_s=2.0),
        Job("send remittance advices", partial(send_remittances, parts.night, _ADVICES_A_TURN), every_s=10.0),
        Job("open the coming months", partial(open_coming_months, parts.pool, parts.clock), every_s=3_600.0),
        Job("ask about payments in breaks", Rechecks(parts).run, every_s=60.0),
    ]


async def work(settings: Settings, stopping: asyncio.Event) -> None:
    """Work until told to stop, then finish the batches under way."""
    async with database(settings) as url, assemble(settings, url) as parts, contextlib.AsyncExitStack() as stack:
        runner = web.AppRunner(operations.build_app(parts.pool), access_log=None)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, settings.host, settings.operations_port + 1).start()
        log.info("worker works")
        await run_jobs(jobs_of(parts), stopping, lambda: parts.clock().timestamp())
