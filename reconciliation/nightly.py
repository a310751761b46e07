"""The night: its steps in order, each resumable, under one lease, once per business date however often it is run."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Final

import asyncpg
import msgspec

from ledger.decisions import closed_until
from ledger.ids import mint
from reconciliation.contracts import read_contracts
from reconciliation.deps import Deps
from reconciliation.errors import FutureDateError, LeaseLostError, NightRunningError, PastDateError, ReconciliationError
from reconciliation.holidays import read_calendars
from reconciliation.night import Counts, Night, Progress
from reconciliation.rehearsal import rehearse
from reconciliation.steps.breaks import raise_and_cure
from reconciliation.steps.confirm import confirm_payouts
from reconciliation.steps.match import match_and_post
from reconciliation.steps.payouts import pay_departments
from reconciliation.steps.settlements import import_settlements
from reconciliation.steps.statements import import_statements
from reconciliation.store import Record, days, leases, overdue, runs

STEPS: Final[dict[str, Callable[[Night], Awaitable[Counts]]]] = {
    "settlements": import_settlements,
    "statements": import_statements,
    "match": match_and_post,
    "breaks": raise_and_cure,
    "payouts": pay_departments,
    "confirm": confirm_payouts,
}


@dataclass(frozen=True, slots=True)
class NightSummary:
    """What one run did: each step's counts. A second run of the same date counts what was new, usually nothing."""

    business_date: date
    dry_run: bool
    steps: Mapping[str, Mapping[str, int]]


@dataclass(frozen=True, slots=True)
class StepStatus:
    step: str
    status: str
    started_at: datetime
    finished_at: datetime | None
    counts: Mapping[str, int]
    error: str | None


@dataclass(frozen=True, slots=True)
class NightStatus:
    business_date: date
    status: str
    times_started: int
    started_at: datetime
    finished_at: datetime | None
    steps: tuple[StepStatus, ...] = field(default_factory=tuple)


async def run_night(
    deps: Deps, business_date: date, *, step: str | None = None, dry_run: bool = False, progress: Progress | None = None
) -> NightSummary:
    """Run the whole night of a business date, or one step of it.

    Raises `FutureDateError` for a date that has not begun, `PastDateError` for one before the books or too long ago,
    and `NightRunningError` while another night holds the lease. A failed step leaves what it committed, which is what
    the next run goes on from.
    """
    if step is not None and step not in STEPS:
        raise ReconciliationError(f"there is no step {step!r}; the steps are {', '.join(STEPS)}")
    if business_date > deps.calendar.business_date(deps.clock()):
        raise FutureDateError
    await _refuse_past(deps, business_date)
    night = await _begin(deps, business_date, progress)
    try:
        if dry_run:
            return NightSummary(business_date, dry_run=True, steps=await rehearse(night))
        return NightSummary(business_date, dry_run=False, steps=await _run(night, [step] if step else list(STEPS)))
    finally:
        # Best effort: a lease that cannot be given back runs out by itself.
        with suppress(asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
            async with deps.pool.acquire() as connection:
                await leases.give_back(connection, night.fence, now=deps.clock())


async def _refuse_past(deps: Deps, business_date: date) -> None:
    """Refuse a mistyped date: a night books what it finds, and stands in the row of days that are to be closed."""
    earliest = earliest_night(deps)
    if business_date < earliest:
        raise PastDateError(
            f"the night of {business_date} is too long ago: nights are run for {deps.policy.rematch_days} days,"
            f" from {earliest} on"
        )
    async with deps.pool.acquire() as connection:
        first = await days.first_date(connection)
        begun = await runs.read(connection, business_date)  # while the books were empty; it may be seen through
    if first is not None and business_date < first and begun is None:
        raise PastDateError(f"the books begin on {first}: there is no night of {business_date}")


def earliest_night(deps: Deps) -> date:
    """Return the earliest business date a night may still be run for: as far back as lines are matched again."""
    return deps.calendar.business_date(deps.clock()) - timedelta(days=deps.policy.rematch_days)


async def first_day(connection: asyncpg.Connection[Any]) -> date | None:
    """Return the business date the nights begin with; `None` while there is nothing in the books and from outside."""
    return await days.first_date(connection)


async def _begin(deps: Deps, business_date: date, progress: Progress | None) -> Night:
    now = deps.clock()
    async with deps.pool.acquire() as connection, connection.transaction():
        holder = mint("rn", now, deps.random_bytes)
        fence = await leases.take(connection, holder, now=now, duration_s=deps.lease_s)
        if fence is None:
            raise NightRunningError
        latest = await runs.latest_date(connection)
        closed = await closed_until(connection)
        calendars = await read_calendars(connection, deps.calendar)
        contracts = await read_contracts(connection)
    return Night(
        deps=deps,
        business_date=business_date,
        book_date=open_day(business_date, latest, closed),
        closed_until=closed,
        calendars=calendars,
        contracts=contracts,
        fence=fence,
        progress=progress,
    )


def open_day(business_date: date, latest: date | None, closed: date | None) -> date:
    """Return the day that takes a night's postings: its own, the latest night's, or the first after the closed ones."""
    first_open = closed + timedelta(days=1) if closed is not None else business_date
    return max(business_date, latest or business_date, first_open)


async def _run(night: Night, names: list[str]) -> dict[str, Counts]:
    async with night.transaction() as connection:
        await runs.start(connection, night.business_date, night.fence, night.deps.clock())
    done: dict[str, Counts] = {}
    for name in names:
        async with night.transaction() as connection:
            await runs.start_step(connection, night.business_date, name, night.fence, night.deps.clock())
        try:
            counts = await STEPS[name](night)
        except LeaseLostError:
            raise  # the new holder writes the record now
        except Exception as error:
            # The database may be what failed; then the run's own record has to wait for the next one.
            with suppress(asyncpg.PostgresError, asyncpg.InterfaceError, OSError, ReconciliationError):
                await _finish(night, name, {}, f"{type(error).__name__}: {error}")
            raise
        await _finish(night, name, counts, None)
        done[name] = counts
        night.tell(name, counts)
    async with night.transaction() as connection:
        await runs.finish(connection, night.business_date, night.deps.clock())
    return done


async def _finish(night: Night, step: str, counts: Counts, error: str | None) -> None:
    """Record a step's end, and with an error the run's."""
    async with night.transaction() as connection:
        await runs.finish_step(connection, night.business_date, step, counts, error, night.deps.clock())
        if error is not None:
            await runs.fail(connection, night.business_date, night.deps.clock())


async def night_status(connection: asyncpg.Connection[Any], business_date: date) -> NightStatus | None:
    """Read how far the night of a date has come; `None` when it never ran."""
    row = await runs.read(connection, business_date)
    if row is None:
        return None
    steps = tuple(
        StepStatus(
            step["step"], step["status"], step["started_at"], step["finished_at"],
            msgspec.json.decode(step["counts"], type=dict[str, int]), step["error"],
        )
        for step in await runs.read_steps(connection, business_date)
    )  # fmt: skip
    return _status(row, steps)


def _status(row: Record, steps: tuple[StepStatus, ...] = ()) -> NightStatus:
    return NightStatus(
        row["business_date"], row["status"], row["times_started"], row["started_at"], row["finished_at"], steps
    )


async def recent_nights(connection: asyncpg.Connection[Any], limit: int = 14) -> list[NightStatus]:
    """Read the latest nights, newest first."""
    return [_status(row) for row in await runs.recent(connection, limit)]


@dataclass(frozen=True, slots=True)
class Requery:
    """A payment or refund its provider should be asked about again, and the break that says why."""

    break_id: str
    type: str
    provider: str
    reference: str | None
    provider_reference: str | None
    payment: str | None


async def payments_to_requery(deps: Deps, limit: int = 500, after: str = "") -> list[Requery]:
    """Name the payments whose breaks their provider's word can settle, a page by id; whoever sees payments asks."""
    async with deps.pool.acquire() as connection:
        rows = await overdue.to_requery(connection, limit, after)
    return [
        Requery(
            row["id"], row["type"], row["provider"],
            row["item"] if row["type"] != "missing_in_books" else row["reference"],
            row["provider_reference"], row["payment"],
        )
        for row in rows
    ]  # fmt: skip
