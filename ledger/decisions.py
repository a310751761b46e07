"""What people decide about the books: a period is closed, an account gets a floor or loses it."""

from __future__ import annotations

from datetime import date, datetime
from typing import Final

import asyncpg

from ledger.accounts import check_path
from ledger.errors import EntryError, PeriodClosedError
from ledger.money import Money, exponent_of
from ledger.store import Connection

_FIRST_JOURNALS: Final = 1000
_DECIDE: Final = "SELECT ledger.decide($1, $2, $3, $4, $5, $6, $7, $8, $9)"


async def close_period(
    connection: Connection, *, until: date, ends_at: datetime, reason: str, decided_by: str, recorded_at: datetime
) -> int:
    """Close every business date up to and with `until`, and every effective instant before `ends_at`.

    Takes the same lock as posting, so that no entry in flight slips past. Returns the decision's number.
    """
    try:
        number: int = await connection.fetchval(
            _DECIDE, recorded_at, "period_closed", None, None, None, until, ends_at, reason, decided_by
        )
    except asyncpg.CheckViolationError as error:
        raise PeriodClosedError(str(error)) from None
    return number


async def set_floor(
    connection: Connection, account: str, floor: Money, *, reason: str, decided_by: str, recorded_at: datetime
) -> int:
    """Never let an account's balance, on the side where it normally stands, fall below `floor`.

    Only an entry that says `below_floor` may pass it. The account need not have been opened yet.
    """
    check_path(account)
    number: int = await connection.fetchval(
        _DECIDE,
        recorded_at,
        "floor_set",
        account,
        floor.currency,
        floor.amount_minor,
        None,
        None,
        reason,
        decided_by,
    )
    return number


async def lift_floor(
    connection: Connection, account: str, currency: str, *, reason: str, decided_by: str, recorded_at: datetime
) -> int:
    """Take an account's floor away."""
    check_path(account)
    exponent_of(currency)
    number: int = await connection.fetchval(
        _DECIDE, recorded_at, "floor_lifted", account, currency, None, None, None, reason, decided_by
    )
    return number


async def closed_until(connection: Connection) -> date | None:
    """Return the last closed business date; the open period begins the day after."""
    day: date | None = await connection.fetchval("SELECT closed_until FROM ledger.head")
    return day


async def first_business_date(connection: Connection) -> date | None:
    """Return the business date the books begin with: the earliest among their first journals; `None` when empty."""
    day: date | None = await connection.fetchval(
        "SELECT min(business_date) FROM (SELECT business_date FROM ledger.journal ORDER BY id LIMIT $1) AS first",
        _FIRST_JOURNALS,
    )
    return day


async def open_months(connection: Connection, *, months: int, at: datetime) -> None:
    """Create the partitions of this and the coming months, so that no posting has to."""
    if not 0 <= months <= 120:  # noqa: PLR2004 - ten years ahead is plenty
        raise EntryError(f"months must be 0 to 120, got {months}")
    await connection.execute("SELECT ledger.open_months($1, $2)", at, months)


async def archive_month(connection: Connection, month: date) -> str:
    """Move a closed month's postings into the archive and return the name of its table."""
    name: str = await connection.fetchval("SELECT ledger.archive_month($1)", month)
    return name
