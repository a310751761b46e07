"""A shift at a counter: opened with a float, counted blind, closed at once when it is right, else by a supervisor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

from gateway.deps import Deps
from gateway.domain import shift as shift_rules
from gateway.domain.agent import Agent
from gateway.domain.errors import InvalidError, NotFoundError, SamePersonError, TransitionError
from gateway.domain.ids import Prefix
from gateway.domain.shift import Shift
from gateway.store import audits, cash_handouts, give_backs, shifts
from gateway.store.audits import Deed
from gateway.store.connections import Connection
from gateway.store.shifts import Taken
from ledger.accounts import centre_cash
from ledger.entry import Entry
from ledger.journal import PostStatus, post_within
from ledger.money import Money

FLOAT_MINOR_MAX: Final = 10_000_00
COUNTED_MINOR_MAX: Final = 10**12
_WAITING_MAX: Final = 50


@dataclass(frozen=True, slots=True)
class ShiftView:
    """A shift as its agent sees it. What the books expect is not shown before the cash is counted."""

    shift: Shift
    taken: Sequence[Taken]


async def read_shift(deps: Deps, agent: Agent) -> ShiftView | None:
    async with deps.connection() as connection:
        shift = await shifts.open_of(connection, agent.code)
        return None if shift is None else ShiftView(shift, await shifts.taken_in(connection, shift.id))


async def open_shift(deps: Deps, agent: Agent, float_: Money) -> Shift:
    """Open a shift; the float goes from the treasury into the drawer."""
    if not 0 <= float_.amount_minor <= FLOAT_MINOR_MAX:
        raise InvalidError("is not a float a drawer is given", pointer="/float")
    now = deps.clock()
    shift = Shift(deps.mint(Prefix.SHIFT), agent.centre, agent.code, float_, now)
    async with deps.transaction() as connection:
        if not await shifts.insert(connection, shift):
            raise TransitionError("a shift of this agent is open")
        await _post(deps, connection, shift_rules.opened(shift, _today(deps)))
    return shift


async def count_shift(deps: Deps, agent: Agent, counted: Money) -> Shift:
    """Count the drawer. What agrees with the books closes at once; what differs waits for a second person."""
    now = deps.clock()
    async with deps.transaction() as connection:
        shift = await shifts.lock_open_of(connection, agent.code)
        if shift is None:
            raise TransitionError("no shift of this agent is open")
        if counted.currency != shift.float.currency or not 0 <= counted.amount_minor <= COUNTED_MINOR_MAX:
            raise InvalidError("is not an amount of cash", pointer="/counted")
        if await shifts.being_booked(connection, shift.id):
            raise TransitionError("a payment is still being booked; count again in a moment", retry_after_s=2)
        if await give_backs.of_shift(connection, shift.id) or await cash_handouts.of_shift(connection, shift.id):
            raise TransitionError("cash of this drawer waits to be given back")
        currency = shift.float.currency
        account = centre_cash(shift.centre)
        expected = Money.of_total(await shifts.cash_in(connection, account, shift.id, currency), currency)
        await shifts.count(connection, shift.id, expected, counted, now)
        counted_shift = replace(shift, expected=expected, counted=counted, counted_at=now)
        if counted != expected:
            return counted_shift
        return await _close(deps, connection, counted_shift, expected, counted, None)


async def waiting_shifts(deps: Deps, supervisor: Agent) -> Sequence[Shift]:
    """Return the shifts of the supervisor's own centre whose cash differs."""
    if not supervisor.is_supervisor:
        return ()
    async with deps.connection() as connection:
        return await shifts.waiting(connection, supervisor.centre, _WAITING_MAX)


async def approve_shift(deps: Deps, supervisor: Agent, shift_id: str) -> Shift:
    """Close a shift whose cash differs, as the second person; the difference goes to over and short."""
    if not supervisor.is_supervisor:
        raise NotFoundError
    async with deps.transaction() as connection:
        shift = await shifts.lock(connection, shift_id)
        if shift is None or shift.centre != supervisor.centre:
            raise NotFoundError
        if shift.closed_at is not None or shift.expected is None or shift.counted is None:
            raise TransitionError("this shift does not wait for anybody")
        if shift.agent == supervisor.code:
            raise SamePersonError("whoever counted the drawer cannot approve it")
        closed = await _close(deps, connection, shift, shift.expected, shift.counted, supervisor.code)
        deed = Deed(
            deps.mint(Prefix.AUDIT), deps.clock(), supervisor.code, "cash_difference_approved", shift.id,
            before={"expected_minor": shift.expected.amount_minor}, after={"counted_minor": shift.counted.amount_minor},
        )  # fmt: skip
        await audits.record(connection, [deed])
    return closed


async def _close(
    deps: Deps, connection: Connection, shift: Shift, expected: Money, counted: Money, checker: str | None
) -> Shift:
    now = deps.clock()
    deposited = counted > min(shift.float, counted)
    reference = shift_rules.deposit_reference(shift.id) if deposited else None
    await shifts.close(connection, shift.id, reference, checker, now)
    await _post(deps, connection, shift_rules.closed(shift, expected, counted, _today(deps), now))
    return replace(shift, deposit_reference=reference, checker=checker, closed_at=now)


async def _post(deps: Deps, connection: Connection, entry: Entry | None) -> None:
    if entry is None:
        return
    [posted] = await post_within(connection, [entry], recorded_at=deps.clock())
    if posted.status is PostStatus.REFUSED:
        raise TransitionError("the books do not take this now") from posted.error


def _today(deps: Deps) -> date:
    return deps.clock().astimezone(deps.zone).date()
