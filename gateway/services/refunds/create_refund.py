"""A department gives money back: counted against what is left under the intent's lock, sent by the worker."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

import msgspec

from adapters.contract import Method, Refunds
from gateway.deps import Deps
from gateway.domain import refund as rules
from gateway.domain.department import Department
from gateway.domain.errors import (
    DisputedError,
    IdempotencyInFlightError,
    InvalidError,
    NotFoundError,
    RefundTooLargeError,
    TransitionError,
)
from gateway.domain.idempotency import Claim, StoredAnswer
from gateway.domain.ids import Prefix
from gateway.domain.intent import IntentStatus
from gateway.domain.refund import RefundableLine, RefundLine, RefundStatus
from gateway.domain.verdict import Review
from gateway.services.documents import refund_document
from gateway.services.notices import refund_event
from gateway.store import attempts, disputes, events, idempotency, intents, refunds
from gateway.store.attempts import Attempt
from gateway.store.connections import Connection
from gateway.store.intents import Intent
from gateway.store.refunds import Refund
from ledger.money import Money

_CREATED: Final = 201


class RefundRequest(msgspec.Struct, frozen=True):
    """What is asked: named lines, or an amount spread over all lines, or everything that is left."""

    reason: str
    amount_minor: int | None = None
    currency: str | None = None
    lines: Mapping[int, int] | None = None
    asked_by: str | None = None
    """The person who asks, as the department's system knows them; the caller itself where it names nobody."""


@dataclass(frozen=True, slots=True)
class Asking:
    """Where a refund comes from: the caller, and the batch it belongs to with what that gives back in all."""

    caller: str
    batch: str | None = None
    batch_minor: int = 0


async def create_refund(
    deps: Deps, department: str, intent_id: str, request: RefundRequest, claim: Claim, asking: Asking
) -> StoredAnswer:
    """Save a refund for the worker to send; a repeated key gets the first answer.

    Above the department's limit it waits for a second person first, and counts against what is left all the same. So
    it does where the part another department gives back of a bundle is above the limit of that one.
    """
    departments = (await deps.catalogue.get()).departments
    async with deps.transaction() as connection:
        intent = (await intents.lock(connection, [intent_id])).get(intent_id)
        if intent is None or intent.department != department:
            raise NotFoundError
        # After the lock: a request with the same key that went first has committed by now.
        stored = await idempotency.replay(connection, claim)
        if stored is not None:
            return stored
        plan = await _plan(deps, connection, intent, request)
        refund = replace(
            new_refund(deps, department, plan.attempt, plan.amount, request.reason, late=False),
            status=(
                RefundStatus.AWAITING_APPROVAL
                if _needs_approval(departments, department, plan, asking.batch_minor)
                else rules.agreed(plan.attempt.provider)
            ),
            asked_by=request.asked_by or asking.caller,
            asked_with=asking.caller,
            batch=asking.batch,
        )
        answer = StoredAnswer(refund.id, _CREATED, msgspec.json.encode(refund_document(refund, plan.lines)))
        if not await idempotency.claim(connection, claim, answer, refund.created_at):
            raise IdempotencyInFlightError(retry_after_s=1)
        await _save(deps, connection, refund, plan.lines)
    return answer


async def try_refund(deps: Deps, department: str, intent_id: str, request: RefundRequest) -> Money:
    """Return what a refund would give back, or refuse it as asking for it would; nothing is written."""
    async with deps.connection() as connection:
        intent = await intents.read(connection, intent_id)
        if intent is None or intent.department != department:
            raise NotFoundError
        return (await _plan(deps, connection, intent, request)).amount


@dataclass(frozen=True, slots=True)
class _Plan:
    attempt: Attempt
    lines: tuple[RefundLine, ...]
    amount: Money
    earlier: Mapping[str, int]
    """What other refunds of the payment have taken or may take of each department's lines."""


def _needs_approval(departments: Mapping[str, Department], owner: str, plan: _Plan, batch_minor: int) -> bool:
    """Hold the whole against the owner's limit, and each department's own part against its own.

    A batch counts as a whole for everybody it takes from: how it divides is not known when its first refund is asked.
    """
    parts = Counter[str]()
    for line in plan.lines:
        parts[line.department] += line.amount_minor
    together = {code: minor + plan.earlier.get(code, 0) for code, minor in parts.items()}
    together[owner] = plan.amount.amount_minor + sum(plan.earlier.values())
    return any(
        rules.needs_approval(departments[code].refund_limits, Money(max(minor, batch_minor), plan.amount.currency))
        for code, minor in together.items()
        if code in departments
    )


async def _plan(deps: Deps, connection: Connection, intent: Intent, request: RefundRequest) -> _Plan:
    if intent.status is not IntentStatus.PAID or intent.paid_attempt is None:
        raise TransitionError("only a paid intent can be refunded")
    attempt = await attempts.read(connection, intent.paid_attempt)
    if attempt is None or attempt.review is not None:
        raise TransitionError("this payment is being looked into")
    if attempt.method is not Method.CASH:  # cash is handed out at a counter
        _check_provider(deps, attempt)
    if request.currency not in (None, intent.amount.currency):
        raise InvalidError("the currency is not that of the payment", pointer="/amount/currency")
    left = await refunds.refundable_lines(connection, intent.id)
    # A dispute takes no lock of ours. One that is booked from here on is seen again before the refund is sent.
    disputed_minor = (await disputes.taken_back(connection, [attempt])).get(attempt.id, 0)
    lines = _choose(request, left, disputed_minor)
    amount = Money(sum(line.amount_minor for line in lines), intent.amount.currency)
    earlier = Counter[str]()
    for each in left:
        earlier[each.department] += each.refunded_minor
    return _Plan(attempt, lines, amount, earlier)


async def refund_suspended(deps: Deps, attempt_id: str, *, reason: str) -> str:
    """Send back the whole of what one attempt put in suspense; return the refund's id, the same one if asked again."""
    async with deps.transaction() as connection:
        seen = await attempts.read(connection, attempt_id)
        if seen is None:
            raise NotFoundError
        intent = (await intents.lock(connection, [seen.intent]))[seen.intent]
        attempt = (await attempts.lock(connection, [attempt_id]))[attempt_id]
        for earlier in await refunds.of_intent(connection, intent.id):
            if earlier.attempt == attempt_id and earlier.status in rules.COUNTED:
                return earlier.id
        taken_back = attempt.review == Review.REVERSED_BY_PROVIDER.value  # the payer has it already
        suspended = not taken_back and (attempt.late or attempt.review is not None)
        if attempt.captured is None or not suspended or attempt.resolution is not None:
            raise TransitionError("this payment is not waiting for a decision")
        if await disputes.taken_back(connection, [attempt]):
            raise DisputedError
        _check_provider(deps, attempt)
        refund = new_refund(deps, intent.department, attempt, attempt.captured, reason, late=True)
        await _save(deps, connection, refund, ())
    return refund.id


def _choose(request: RefundRequest, left: list[RefundableLine], disputed_minor: int) -> tuple[RefundLine, ...]:
    """Decide which lines give what; what the payer's bank takes back is left out of the whole, not of any one line."""
    rest = sum(line.left_minor for line in left)
    free = max(rest - disputed_minor, 0)
    chosen = _lines(request, left, rest, free)
    if sum(line.amount_minor for line in chosen) > free:
        raise DisputedError(
            f"the payer's bank is taking {disputed_minor} minor units of this payment back or has them; "
            f"{free} can still be refunded"
        )
    return chosen


def _lines(request: RefundRequest, left: list[RefundableLine], rest: int, free: int) -> tuple[RefundLine, ...]:
    """Take what was asked for from the lines; nothing left is refused with how much there was."""
    if request.lines is not None:
        by_number = {line.number: line for line in left}
        missing = [number for number in request.lines if number not in by_number]
        if missing:
            raise InvalidError("the intent has no such line", pointer="/lines")
        return tuple(rules.take(by_number[number], minor) for number, minor in sorted(request.lines.items()))
    if rest == 0:
        raise RefundTooLargeError("nothing is left to refund", pointer="/amount")
    wanted = (free or rest) if request.amount_minor is None else request.amount_minor
    return rules.spread(wanted, [line for line in left if line.left_minor])


def _check_provider(deps: Deps, attempt: Attempt) -> None:
    if not isinstance(deps.providers.get(attempt.provider), Refunds):
        raise TransitionError("the provider of this payment cannot refund; pay it back by bank transfer")


def new_refund(deps: Deps, department: str, attempt: Attempt, amount: Money, reason: str, *, late: bool) -> Refund:
    """Return a refund of an attempt as it begins: asked for by us, decided by nobody, sent to nobody."""
    now = deps.clock()
    return Refund(
        id=deps.mint(Prefix.REFUND),
        intent=attempt.intent,
        attempt=attempt.id,
        department=department,
        provider=attempt.provider,
        amount=amount,
        reason=reason,
        status=RefundStatus.REQUESTED,
        late=late,
        provider_reference=None,
        word="",
        review=None,
        created_at=now,
        updated_at=now,
        booked_at=None,
        sent_at=None,
        checks=0,
        next_check_at=now,
    )


async def _save(deps: Deps, connection: Connection, refund: Refund, lines: tuple[RefundLine, ...]) -> None:
    await refunds.insert(connection, refund, lines)
    await events.record(connection, [refund_event(deps, refund, refund.status.value)])
