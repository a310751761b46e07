"""A refund of cash is handed out: the citizen comes with their card, the agent asks, a supervisor agrees.

It need not be the centre, the drawer or the day the cash was taken in: any centre of the department will do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import structlog

from gateway import metrics
from gateway.deps import Deps
from gateway.domain.agent import Agent
from gateway.domain.errors import InvalidError, NotFoundError, SamePersonError, TransitionError
from gateway.domain.ids import Prefix
from gateway.domain.refund import RefundStatus
from gateway.domain.shift import COUNTER, Shift
from gateway.services.centres.give_back import give_out_of
from gateway.services.centres.identity import is_card_of
from gateway.services.notices import part_refund_events, refund_event
from gateway.store import audits, cash_handouts, events, refunds, shifts
from gateway.store.audits import Deed
from gateway.store.connections import Connection
from gateway.store.give_backs import GiveBack
from gateway.store.refunds import Refund
from ledger.accounts import centre_cash

_log: Final = structlog.get_logger(__name__)
_WAITING_MAX: Final = 50


async def to_collect(deps: Deps, agent: Agent, intent_id: str) -> Sequence[Refund]:
    """Return the refunds of a bill whose citizen is expected, and that nobody is handing out yet."""
    async with deps.connection() as connection:
        found = await refunds.of_intent(connection, intent_id)
        return [
            refund
            for refund in found
            if refund.status is RefundStatus.AWAITING_COLLECTION
            and refund.department == agent.department
            and await cash_handouts.read(connection, refund.id) is None
        ]


async def ask_hand_out(deps: Deps, agent: Agent, refund_id: str, emirates_id: str) -> None:
    """Ask to hand a refund out of the agent's drawer, to whoever shows the card that paid."""
    async with deps.transaction() as connection:
        shift = await shifts.lock_open_of(connection, agent.code)
        if shift is None:
            raise TransitionError("open a shift first")
        refund = await _locked(connection, refund_id)
        if refund.department != agent.department:
            raise NotFoundError
        if refund.status is not RefundStatus.AWAITING_COLLECTION:
            raise TransitionError("this cash does not wait for anybody")
        if not await is_card_of(deps, connection, refund.intent, emirates_id):
            raise InvalidError("is not the card that paid this bill", pointer="/card")
        await _check_drawer(connection, shift, refund)
        if not await cash_handouts.insert(connection, refund_id, shift.id, agent.code, deps.clock()):
            raise TransitionError("this bill's cash is being given back already")


async def waiting_hand_outs(deps: Deps, supervisor: Agent) -> Sequence[GiveBack]:
    if not supervisor.is_supervisor:
        return ()
    async with deps.connection() as connection:
        return await cash_handouts.waiting(connection, supervisor.centre, _WAITING_MAX)


async def decide_hand_out(deps: Deps, supervisor: Agent, refund_id: str, *, approve: bool) -> None:
    """Agree that the agent gives the cash now, as the second person; refused, the refund waits as it did."""
    if not supervisor.is_supervisor:
        raise NotFoundError
    now = deps.clock()
    async with deps.transaction() as connection:
        seen = await cash_handouts.read(connection, refund_id)
        shift = await shifts.lock(connection, seen.shift) if seen is not None else None
        if seen is None or shift is None or shift.centre != supervisor.centre:
            raise NotFoundError
        refund = await _locked(connection, refund_id)
        handout = await cash_handouts.read(connection, refund_id)  # under the locks now
        if handout != seen or seen.checker is not None or refund.status is not RefundStatus.AWAITING_COLLECTION:
            raise TransitionError("this cash does not wait for anybody")
        if seen.agent == supervisor.code:
            raise SamePersonError("whoever asked for the cash cannot agree to it")
        if approve:
            await _check_drawer(connection, shift, refund)
            await _hand_out(deps, connection, refund, shift)
            await cash_handouts.check(connection, refund_id, supervisor.code, now)
        else:
            await cash_handouts.drop(connection, refund_id)
        action = "cash_given_back" if approve else "cash_not_given_back"
        deed = Deed(deps.mint(Prefix.AUDIT), now, supervisor.code, action, refund_id,
                    after={"amount_minor": refund.amount.amount_minor, "agent": seen.agent})  # fmt: skip
        await audits.record(connection, [deed])
    if approve:
        metrics.REFUNDS.labels(COUNTER, RefundStatus.SUCCEEDED.value).inc()
    _log.info("cash_hand_out_decided", refund=refund_id, intent=refund.intent, handed_out=approve)


async def _hand_out(deps: Deps, connection: Connection, refund: Refund, shift: Shift) -> None:
    now = deps.clock()
    lines = (await refunds.lines(connection, [refund.id])).get(refund.id, [])
    given = replace(
        refund,
        status=RefundStatus.SUCCEEDED,
        word="given back in cash",
        updated_at=now,
        sent_at=now,
        booked_at=now,
    )
    await refunds.move(connection, given)
    await give_out_of(deps, connection, shift, given, lines)
    told = [refund_event(deps, given, "succeeded"), *part_refund_events(deps, given, "refunded", lines)]
    await events.record(connection, told)


async def _locked(connection: Connection, refund_id: str) -> Refund:
    """Lock a refund of cash; the shift is held already."""
    refund = await refunds.lock_with_intent(connection, refund_id)
    if refund is None or refund.provider != COUNTER:
        raise NotFoundError
    return refund


async def _check_drawer(connection: Connection, shift: Shift, refund: Refund) -> None:
    if shift.counted_at is not None:
        raise TransitionError("this drawer has been counted")
    if shift.float.currency != refund.amount.currency:
        raise TransitionError("the drawer holds another currency")
    account = centre_cash(shift.centre)
    held = await shifts.cash_in(connection, account, shift.id, refund.amount.currency)
    if held < refund.amount.amount_minor:
        raise TransitionError("the drawer holds less than this")
