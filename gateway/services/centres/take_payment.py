"""Money taken at a counter: the bill is found or made, the payer's identity recorded, cash or a slip taken.

What the agent did is this payment's proof. The attempt and its proof are stored in one transaction, so that a crash
loses neither; then the proof is applied by the one function that applies every provider's truth.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import msgspec

from adapters.contract import CallbackNotice, Method, Outcome, PaymentReport
from gateway import metrics
from gateway.deps import Deps
from gateway.domain import intent as intent_rules
from gateway.domain.agent import Agent
from gateway.domain.attempt import LIVE
from gateway.domain.contact import Contact
from gateway.domain.errors import InvalidError, NotFoundError, NothingToPayError, OverloadedError, TransitionError
from gateway.domain.idempotency import Claim
from gateway.domain.ids import Prefix, is_id
from gateway.domain.intent import IntentEvent, IntentStatus
from gateway.domain.refund import COUNTED
from gateway.domain.shift import COUNTER
from gateway.services import links
from gateway.services.attempts.apply_reports import Finding, apply_reports
from gateway.services.attempts.begin_attempt import begin_attempt
from gateway.services.attempts.give_up import give_up
from gateway.services.catalogue.price_basket import LineRequest
from gateway.services.centres.give_back import is_cash_of
from gateway.services.centres.identity import read_card, record_card
from gateway.services.intents.create_intent import IntentRequest, create_intent
from gateway.store import attempts, inbox, intents, refunds, shifts
from gateway.store.attempts import Attempt
from gateway.store.connections import Connection
from gateway.store.intents import Intent

_ROUTE: Final = "service centre"
_SLIP: Final = re.compile(r"[A-Z0-9]{6,20}")
_APPROVAL: Final = re.compile(r"[A-Z0-9]{6}")
_BILLS_MAX: Final = 20
_WORD: Final = "taken_at_counter"


@dataclass(frozen=True, slots=True)
class Slip:
    """What the card terminal printed: its own reference of the payment, and the bank's approval code."""

    reference: str
    approval: str


@dataclass(frozen=True, slots=True)
class CounterBill:
    """A bill as the agent sees it; of the payer's identity card only the last digits."""

    intent: Intent
    payer_ending: str | None
    holds_cash: bool = False
    """Whether its cash lies in this agent's own open drawer and nothing of it is asked back."""

    @property
    def is_payable(self) -> bool:
        return intent_rules.may(self.intent.status, IntentEvent.ATTEMPT_STARTED)


async def open_bill(
    deps: Deps,
    agent: Agent,
    lines: Sequence[LineRequest],
    emirates_id: str,
    *,
    reference: str,
    language: str,
    once: str,
    bundle: str | None = None,
) -> str:
    """Ask for a fee on behalf of a citizen who stands at the counter; `once` makes a repeated press the same bill.

    What was changed after a step back in the browser makes another bill.
    """
    digits = read_card(deps, emirates_id)
    request = IntentRequest(
        reference=reference,
        lines=lines,
        bundle=bundle,
        language=language,
        metadata={"channel": "service_centre", "centre": agent.centre},
    )
    asked = msgspec.json.encode([agent.code, once, reference, bundle, lines])
    digest = hashlib.sha256(asked).digest()
    stored = await create_intent(deps, agent.department, request, Claim(agent.department, _ROUTE, digest.hex(), digest))
    await record_card(deps, agent, stored.resource, digits)
    return stored.resource


async def identify_payer(deps: Deps, agent: Agent, intent_id: str, emirates_id: str) -> None:
    """Record whose card was shown for a bill that a system or the citizen made."""
    await read_bill(deps, agent, intent_id)
    await record_card(deps, agent, intent_id, read_card(deps, emirates_id))


async def find_bills(deps: Deps, agent: Agent, asked: str) -> Sequence[str]:
    """Return bills of the agent's own department, by reference, id, or the payer's link.

    By reference those that are unpaid, or whose cash is to be collected.
    """
    text = asked.strip()
    token = text.partition("/pay/")[2].partition("/")[0].partition("?")[0]
    async with deps.connection() as connection:
        if token or is_id(text, Prefix.INTENT):
            try:
                intent_id = links.intent_of(deps, token) if token else text
            except NotFoundError:
                return ()
            intent = await intents.read(connection, intent_id)
            return [intent_id] if intent is not None and intent.department == agent.department else ()
        return await shifts.payable(connection, agent.department, text, _BILLS_MAX)


async def read_bill(deps: Deps, agent: Agent, intent_id: str) -> CounterBill:
    """Return a bill of the agent's own department; another's is not there."""
    async with deps.connection() as connection:
        intent = await intents.read(connection, intent_id)
        if intent is None or intent.department != agent.department:
            raise NotFoundError
        ending = await shifts.payer_ending(connection, intent_id)
        return CounterBill(intent, ending, await _holds_cash(connection, agent, intent))


async def _holds_cash(connection: Connection, agent: Agent, intent: Intent) -> bool:
    if intent.paid_attempt is None:
        return False
    shift = await shifts.open_of(connection, agent.code)
    attempt = await attempts.read(connection, intent.paid_attempt)
    if shift is None or attempt is None or not is_cash_of(attempt, shift):
        return False
    return not any(one.status in COUNTED for one in await refunds.of_intent(connection, intent.id))


async def take_cash(deps: Deps, agent: Agent, intent_id: str) -> IntentStatus:
    """Take the whole amount in cash into the open shift's drawer."""
    return await _take(deps, agent, intent_id, Method.CASH, None)


async def take_slip(deps: Deps, agent: Agent, intent_id: str, reference: str, approval: str) -> IntentStatus:
    """Take what the card terminal has charged, on its slip; one slip pays one bill."""
    slip = Slip(reference.strip().upper(), approval.strip().upper())
    if not _SLIP.fullmatch(slip.reference):
        raise InvalidError("is not the reference on a terminal's slip", pointer="/terminal_reference")
    if not _APPROVAL.fullmatch(slip.approval):
        raise InvalidError("is not an approval code", pointer="/approval_code")
    if agent.terminal_provider is None:
        raise TransitionError("no card terminal stands in this centre")
    return await _take(deps, agent, intent_id, Method.CARD_TERMINAL, slip)


async def _take(deps: Deps, agent: Agent, intent_id: str, method: Method, slip: Slip | None) -> IntentStatus:
    bill = await read_bill(deps, agent, intent_id)
    if bill.intent.status is IntentStatus.PAID:
        return bill.intent.status  # pressed twice, or paid online meanwhile: the receipt says how
    if bill.intent.is_reserved:
        raise NothingToPayError("the payer's bank has reserved the amount already")
    if bill.payer_ending is None:
        raise TransitionError("record the payer's identity first")
    await _end_what_is_under_way(deps, bill.intent)
    finding = await _store(deps, agent, intent_id, method, slip)
    if finding is not None:
        [applied] = await apply_reports(deps, [finding])
        if applied.error is not None:
            raise OverloadedError(retry_after_s=2)  # it is stored: the worker books it
    return (await read_bill(deps, agent, intent_id)).intent.status


async def _end_what_is_under_way(deps: Deps, intent: Intent) -> None:
    """Give up what the citizen began on their phone, at its provider: they must not be charged twice."""
    async with deps.connection() as connection:
        last = (await attempts.last_of(connection, [intent.id])).get(intent.id)
    if last is not None and last.status in LIVE and last.provider in deps.providers:
        await give_up(deps, intent, last)


async def _store(deps: Deps, agent: Agent, intent_id: str, method: Method, slip: Slip | None) -> Finding | None:
    """Store an attempt with its proof; None when the bill has been paid meanwhile."""
    async with deps.transaction() as connection:
        shift = await shifts.lock_open_of(connection, agent.code)
        if shift is None:
            raise TransitionError("open a shift first")
        intent = (await intents.lock(connection, [intent_id]))[intent_id]
        now = deps.clock()
        if intent.status is IntentStatus.PAID:
            return None
        if intent.amount.currency != shift.float.currency:
            raise TransitionError("the drawer holds another currency")
        last = (await attempts.last_of(connection, [intent_id])).get(intent_id)
        if last is not None and last.status in LIVE:
            raise TransitionError("a payment of this bill is under way; wait for its result", retry_after_s=30)
        if not intent_rules.may(intent.status, IntentEvent.ATTEMPT_STARTED) or now >= intent.expires_at:
            raise NothingToPayError("this bill can no longer be paid")
        provider = COUNTER if slip is None or agent.terminal_provider is None else agent.terminal_provider
        attempt = await begin_attempt(deps, connection, intent, last, method, Contact(), provider, now)
        reference = slip.reference if slip is not None else None
        if not await shifts.insert_payment(connection, attempt.id, shift, provider, reference, now):
            raise TransitionError("this slip has paid another bill")
        facts = {"centre": shift.centre, "shift": shift.id}
        report = _report(attempt, slip, facts, now)
        notice = CallbackNotice(f"counter:{attempt.id}", attempt.id, reference, _WORD, proven=True, report=report)
        await inbox.store(connection, provider, [notice], now, now)
    metrics.INTENTS.labels(IntentEvent.ATTEMPT_STARTED.value).inc()
    return Finding(attempt.id, report, notices=((provider, notice.event_id),))


def _report(attempt: Attempt, slip: Slip | None, facts: Mapping[str, str], now: datetime) -> PaymentReport:
    return PaymentReport(
        Outcome.SUCCEEDED,
        provider_reference=slip.reference if slip else None,
        reference=attempt.id,
        captured=attempt.amount,
        word=_WORD,
        occurred_at=now,
        facts={**facts, "authorisation_code": slip.approval} if slip else facts,
    )
