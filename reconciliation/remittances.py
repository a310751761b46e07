"""Remittance advices on their way: each payout's, to each department's finance office, at least once and shown once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from adapters.errors import RejectedError
from reconciliation.deps import Deps, Letter
from reconciliation.errors import NotFoundError
from reconciliation.reports.message import remittance_of
from reconciliation.store import Record, audits, remittances

_LEASE: Final = timedelta(minutes=5)
_WAITS_S: Final = (60, 300, 1_800, 7_200, 21_600, 43_200, 86_400)
LISTED_MAX: Final = 200


async def send_remittances(deps: Deps, limit: int) -> int:
    """Send up to `limit` advices of released payouts; return how many were tried."""
    if deps.letters is None:
        return 0
    now = deps.clock()
    async with deps.pool.acquire() as connection, connection.transaction():
        due = await remittances.claim(connection, now, now + _LEASE, limit)
    for one in due:
        await _send(deps, one)
    return len(due)


async def _send(deps: Deps, owed: Record) -> None:
    batch_id, department, corrections = owed["batch_id"], owed["department"], owed["corrections"]
    if deps.letters is None:
        return
    try:
        async with (
            deps.pool.acquire() as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            advice = await remittance_of(connection, owed["business_date"], department, corrects=corrections > 0)
        # The id is the payout's and the department's: a mailbox shows a second delivery of the same letter once.
        letter_id = f"{batch_id}-{department}" + (f"-{corrections}" if corrections else "")
        letter = Letter(letter_id, owed["recipient"], advice.subject, advice.text, advice.files)
        await deps.letters.send_with_files(letter)
    except RejectedError as error:
        await _put_off(deps, owed, error, for_ever=True)
    except Exception as error:  # noqa: BLE001 - a carrier's fault is retried, whatever it is
        await _put_off(deps, owed, error, for_ever=owed["tries"] > len(_WAITS_S))
    else:
        async with deps.pool.acquire() as connection:
            await remittances.mark_sent(connection, batch_id, department, corrections, deps.clock())


async def _put_off(deps: Deps, owed: Record, error: Exception, *, for_ever: bool) -> None:
    at = None if for_ever else deps.clock() + timedelta(seconds=_WAITS_S[owed["tries"] - 1])
    said = f"{type(error).__name__}: {error}"
    async with deps.pool.acquire() as connection:
        await remittances.postpone(connection, owed["batch_id"], owed["department"], owed["corrections"], at, said)


@dataclass(frozen=True, slots=True)
class AdviceSent:
    """How far one advice has come: waiting, sent, or given up with the carrier's last word."""

    batch_id: str
    department: str
    business_date: date
    recipient: str
    status: str
    tries: int
    sent_at: datetime | None
    error: str


async def list_remittances(deps: Deps) -> list[AdviceSent]:
    """Read the latest advices, newest first."""
    async with deps.pool.acquire() as connection:
        return [AdviceSent(**dict(row)) for row in await remittances.latest(connection, LISTED_MAX)]


async def send_again(deps: Deps, batch_id: str, department: str, *, by: str) -> None:
    """Owe a department its advice once more."""
    async with deps.pool.acquire() as connection, connection.transaction():
        if not await remittances.again(connection, batch_id, department, deps.clock()):
            raise NotFoundError(f"there is no advice of {batch_id} for {department}")
        await audits.insert(connection, deps, by, "remittance_again", f"{batch_id}:{department}")
