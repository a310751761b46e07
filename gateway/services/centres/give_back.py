"""Cash taken by mistake goes back out of the same drawer: the agent asks, a supervisor agrees, the books follow.

Once the drawer is counted its cash belongs to the bank's deposit: then the department asks for a refund, which is
handed out at any of its centres (`hand_out`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import structlog

from adapters.contract import Method
from gateway import metrics
from gateway.deps import Deps
from gateway.domain import postings
from gateway.domain.agent import Agent
from gateway.domain.errors import NotFoundError, SamePersonError, TransitionError
from gateway.domain.ids import Prefix
from gateway.domain.intent import IntentStatus
from gateway.domain.postings import Evidence
from gateway.domain.refund import REFUSED_AT_COUNTER, RefundLine, RefundStatus
from gateway.domain.shift import COUNTER, Drawer, Shift
from gateway.services.notices import part_refund_events, refund_event
from gateway.services.refunds.create_refund import new_refund
from gateway.store import attempts, audits, events, give_backs, intents, refunds, shifts
from gateway.store.attempts import Attempt
from gateway.store.audits import Deed
from gateway.store.connections import Connection
from gateway.store.give_backs import GiveBack
from gateway.store.refunds import Refund
from ledger.journal import PostStatus, post_within

_log: Final = structlog.get_logger(__name__)
_WAITING_MAX: Final = 50


async def ask_give_back(deps: Deps, agent: Agent, intent_id: str, reason: str) -> None:
    """Ask that the cash of a bill be given back; nothing moves before a supervisor agrees."""
    async with deps.transaction() as connection:
        shift = await shifts.lock_open_of(connection, agent.code)
        intent = (await intents.lock(connection, [intent_id])).get(intent_id)
        if intent is None or intent.department != agent.department:
            raise NotFoundError
        if intent.status is not IntentStatus.PAID or intent.paid_attempt is None:
            raise TransitionError("only a paid bill has cash to give back")
        attempt = (await attempts.lock(connection, [intent.paid_attempt]))[intent.paid_attempt]
        if shift is None or not is_cash_of(attempt, shift):
            raise TransitionError("this cash was not taken in your open shift")
        left = await refunds.refundable_lines(connection, intent_id)
        if any(line.refunded_minor for line in left):
            raise TransitionError("this bill's cash is being given back already")
        lines = [
            RefundLine(one.number, one.department, one.left_minor, one.vat_minor) for one in left if one.left_minor
        ]
        refund = replace(
            new_refund(deps, agent.department, attempt, attempt.amount, reason, late=False),
            status=RefundStatus.AWAITING_APPROVAL,
            asked_by=agent.code,
        )
        await refunds.insert(connection, refund, lines)
        await events.record(connection, [refund_event(deps, refund, refund.status.value)])
    metrics.REFUNDS.labels(COUNTER, RefundStatus.AWAITING_APPROVAL.value).inc()


def is_cash_of(attempt: Attempt, shift: Shift) -> bool:
    """Tell cash that lies in a shift's drawer."""
    return attempt.method is Method.CASH and attempt.facts.get("shift") == shift.id and attempt.review is None


async def waiting_give_backs(deps: Deps, supervisor: Agent) -> Sequence[GiveBack]:
    if not supervisor.is_supervisor:
        return ()
    async with deps.connection() as connection:
        return await give_backs.waiting(connection, supervisor.centre, _WAITING_MAX)


@dataclass(frozen=True, slots=True)
class _Held:
    """A request under its locks: in the order everybody keeps, the shift, the intent, the refund."""

    refund: Refund
    attempt: Attempt
    shift: Shift
    lines: Sequence[RefundLine]


async def decide_give_back(deps: Deps, supervisor: Agent, refund_id: str, *, approve: bool) -> None:
    """Agree that cash be given back, or refuse it, as the second person. Agreed, it is out of the drawer's books."""
    if not supervisor.is_supervisor:
        raise NotFoundError
    now = deps.clock()
    async with deps.transaction() as connection:
        held = await _hold(connection, supervisor, refund_id)
        if held.refund.status is not RefundStatus.AWAITING_APPROVAL:
            raise TransitionError("this cash does not wait for anybody")
        if held.refund.asked_by == supervisor.code:
            raise SamePersonError("whoever asked for the cash cannot agree to it")
        decided = replace(
            held.refund,
            status=RefundStatus.SUCCEEDED if approve else RefundStatus.FAILED,
            word="given back in cash" if approve else REFUSED_AT_COUNTER,
            decided_by=supervisor.code,
            decided_at=now,
            updated_at=now,
            sent_at=now if approve else None,
            booked_at=now if approve else None,
        )
        await refunds.decide(connection, decided)
        await refunds.move(connection, decided)
        told = [refund_event(deps, decided, "approved" if approve else "refused")]
        if approve:
            if held.shift.counted_at is not None:  # a counted drawer gives nothing any more
                raise TransitionError("the shift in which it was taken is over")
            await give_out_of(deps, connection, held.shift, decided, held.lines)
            told += [refund_event(deps, decided, "succeeded")]
            told += part_refund_events(deps, decided, "refunded", held.lines)
        await events.record(connection, told)
        action = "cash_given_back" if approve else "cash_not_given_back"
        deed = Deed(deps.mint(Prefix.AUDIT), now, supervisor.code, action, refund_id,
                    after={"amount_minor": decided.amount.amount_minor})  # fmt: skip
        await audits.record(connection, [deed])
    metrics.REFUNDS.labels(COUNTER, decided.status.value).inc()
    _log.info("cash_give_back_decided", refund=refund_id, intent=decided.intent, status=decided.status.value)


async def _hold(connection: Connection, supervisor: Agent, refund_id: str) -> _Held:
    seen = await refunds.read(connection, refund_id)
    attempt = await attempts.read(connection, seen.attempt) if seen is not None else None
    if seen is None or attempt is None or seen.provider != COUNTER or seen.asked_with is not None:
        raise NotFoundError
    shift = await shifts.lock(connection, attempt.facts["shift"])
    if shift is None or shift.centre != supervisor.centre:
        raise NotFoundError
    await intents.lock(connection, [seen.intent])
    refund = (await refunds.lock(connection, [refund_id]))[refund_id]
    lines = (await refunds.lines(connection, [refund_id])).get(refund_id, [])
    return _Held(refund, attempt, shift, lines)


async def give_out_of(
    deps: Deps, connection: Connection, shift: Shift, refund: Refund, lines: Sequence[RefundLine]
) -> None:
    """Take cash that is given back out of the books of a drawer."""
    now = deps.clock()
    evidence = Evidence(
        intent_id=refund.intent,
        attempt_id=refund.attempt,
        provider=COUNTER,
        provider_reference=None,
        effective_at=now,
        zone=deps.zone,
        drawer=Drawer(shift.centre, shift.id),
    )
    entry = postings.refunded(evidence, refund.id, lines, refund.amount)
    [posted] = await post_within(connection, [entry], recorded_at=now)
    if posted.status is PostStatus.REFUSED:
        raise TransitionError("the books do not take this now") from posted.error
