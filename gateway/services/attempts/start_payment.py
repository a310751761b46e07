"""A citizen chooses a way to pay.

The attempt is saved and committed before the provider is called, no transaction is open during the call, and what
the provider answers is applied like every other truth. A second click finds the first attempt and goes on with it; a
new attempt is made only when the last one is proven dead.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from msgspec.structs import replace

from adapters.contract import DeclineReason, Method, NextStep, Outcome
from gateway import metrics
from gateway.deps import Deps
from gateway.domain import intent as intent_rules
from gateway.domain.attempt import LIVE, AttemptStatus
from gateway.domain.contact import Contact
from gateway.domain.errors import MethodUnavailableError, NotFoundError, OverloadedError
from gateway.domain.intent import IntentEvent, IntentStatus
from gateway.services import links
from gateway.services.attempts.apply_reports import Finding, apply_reports
from gateway.services.attempts.begin_attempt import begin_attempt
from gateway.services.providers import ask_provider, route_payment
from gateway.store import attempts, intents
from gateway.store.attempts import Attempt
from gateway.store.intents import Intent

_ROUNDS_MAX: Final = 4
_ASKED_JUST_NOW: Final = timedelta(seconds=3)
_START_OVER: Final = timedelta(seconds=60)
_HELD: Final = timedelta(seconds=90)
"""Longer than a question and a second start take: whoever goes on with an attempt has it alone for so long at most."""
_LINK_METHODS: Final = frozenset({Method.CARD, Method.BANK})
"""Methods in which nothing can be charged before the payer follows the link that the start returned to us."""


@dataclass(frozen=True, slots=True)
class Started:
    """Where the payer goes next. Without a step there is nothing to do but wait, or the intent's status says why."""

    intent: IntentStatus
    attempt: AttemptStatus | None = None
    next_step: NextStep | None = None
    decline: DeclineReason | None = None


async def start_payment(
    deps: Deps, token: str, method: Method, contact: Contact | None = None, *, language: str | None = None
) -> Started:
    """Start paying, or go on with what was started. The provider's page opens in the language the payer chose here."""
    intent_id = links.intent_of(deps, token)
    routes = list(await _routes(deps, intent_id, method, language))
    for _ in range(_ROUNDS_MAX):
        intent, attempt, is_new = await _claim(
            deps, intent_id, method, contact or Contact(), routes[0] if routes else None
        )
        if attempt is None:
            return Started(intent.status)
        intent = replace(intent, language=language or intent.language)
        if not is_new:
            going_on = await _go_on(deps, intent, attempt, method, contact or Contact())
            if going_on is not None:
                return going_on
            continue  # the last attempt is dead now, so a new one may begin
        started = await _call(deps, intent, attempt)
        if started is not None:
            return started
        routes = routes[1:]  # proven dead for no fault of the payer's: safe to fail over
        if not routes:
            return Started(IntentStatus.REQUIRES_PAYMENT, AttemptStatus.DECLINED, None, DeclineReason.PROVIDER_OUTAGE)
    raise OverloadedError(retry_after_s=2)


async def _routes(deps: Deps, intent_id: str, method: Method, language: str | None) -> Sequence[str]:
    """Return the providers to try, best first; none when only what is under way can be gone on with."""
    async with deps.connection() as connection:
        intent = await intents.read(connection, intent_id)
        if intent is None:
            raise NotFoundError
        lines = (await intents.lines(connection, [intent_id])).get(intent_id, [])
        last = (await attempts.last_of(connection, [intent_id])).get(intent_id)
    return await route_payment.plan(deps, method, route_payment.payment_of(intent, lines, last, language))


async def _claim(
    deps: Deps, intent_id: str, method: Method, contact: Contact, provider: str | None
) -> tuple[Intent, Attempt | None, bool]:
    """Save a new attempt, or find the one that is under way; under the intent's lock, committed on return."""
    async with deps.transaction() as connection:
        intent = (await intents.lock(connection, [intent_id])).get(intent_id)
        if intent is None:
            raise NotFoundError
        now = deps.clock()  # inside the lock: whoever waited for another click goes on at its own time
        last = (await attempts.last_of(connection, [intent_id])).get(intent_id)
        if intent.is_reserved:
            return intent, None, False  # paid for all the payer can do: another way would let go of it
        if last is not None and last.status in LIVE:
            return intent, last, False
        if not intent_rules.may(intent.status, IntentEvent.ATTEMPT_STARTED) or now >= intent.expires_at:
            return intent, None, False
        if provider is None:
            raise MethodUnavailableError
        attempt = await begin_attempt(deps, connection, intent, last, method, contact, provider, now)
    metrics.INTENTS.labels(IntentEvent.ATTEMPT_STARTED.value).inc()
    return intent, attempt, True


async def _call(deps: Deps, intent: Intent, attempt: Attempt) -> Started | None:
    """Call the provider and apply its answer; None when another provider may be asked instead.

    That is so when the request never left, or when the provider itself said that it cannot serve anybody just now.
    Whatever is unknown stays with the provider that was asked.
    """
    report = await ask_provider.start(deps, intent, attempt)
    await apply_reports(deps, [Finding(attempt.id, report)])
    if report.outcome is Outcome.NOT_SENT:
        return None
    standing = await _standing(deps, intent.id, attempt.id)
    if standing.attempt is AttemptStatus.DECLINED and standing.decline is DeclineReason.PROVIDER_OUTAGE:
        return None
    return standing


async def _go_on(deps: Deps, intent: Intent, attempt: Attempt, method: Method, contact: Contact) -> Started | None:
    """Go on with a live attempt: ask the provider first. None when it turns out to be dead."""
    now = deps.clock()
    if now - attempt.asked_at < _ASKED_JUST_NOW or attempt.review is not None:
        return _started(intent, attempt)
    if attempt.status is AttemptStatus.STARTING and now - attempt.started_at < _START_OVER:
        return _started(intent, attempt)  # another click is talking to the provider right now
    async with deps.connection() as connection:
        if not await attempts.hold(connection, attempt, now + _HELD):
            return _started(intent, attempt)  # another click, perhaps in another process, is a moment ahead
    try:
        return await _ask_and_go_on(deps, intent, attempt, method, contact, now)
    finally:
        async with deps.connection() as connection:
            await attempts.release(connection, attempt.id, deps.clock())


async def _ask_and_go_on(
    deps: Deps, intent: Intent, attempt: Attempt, method: Method, contact: Contact, now: datetime
) -> Started | None:
    ask = ask_provider.follow if attempt.method is method else ask_provider.query
    report = await ask(deps, intent, attempt)
    if report is not None:
        await apply_reports(deps, [Finding(attempt.id, report)])
    attempt, standing = await _reread(deps, intent.id, attempt.id)
    if attempt.status in LIVE and (attempt.method is not method or contact.bank not in (None, attempt.bank)):
        standing = await _change_method(deps, intent, attempt)
    elif _may_start_over(attempt, report is not None, now):
        return await _start_over(deps, intent, attempt)
    if standing.attempt in (AttemptStatus.DECLINED, AttemptStatus.VOIDED) and intent_rules.may(
        standing.intent, IntentEvent.ATTEMPT_STARTED
    ):
        return None
    return standing


def _may_start_over(attempt: Attempt, was_answered: bool, now: datetime) -> bool:  # noqa: FBT001 - one caller
    """Tell whether the same request may be sent again under its own key.

    Only when the provider has just answered and does not know it, long after it was sent, and for methods in which
    nothing is charged until the payer follows a link that nobody was ever given.
    """
    return (
        was_answered
        and attempt.method in _LINK_METHODS
        and attempt.status in (AttemptStatus.STARTING, AttemptStatus.UNKNOWN)
        and attempt.provider_reference is None
        and now - attempt.started_at >= _START_OVER
    )


async def _start_over(deps: Deps, intent: Intent, attempt: Attempt) -> Started:
    report = await ask_provider.start(deps, intent, attempt)
    if report.outcome is not Outcome.NOT_SENT:  # the first request may still be known; only an answer moves it
        await apply_reports(deps, [Finding(attempt.id, report)])
    return await _standing(deps, intent.id, attempt.id)


async def _change_method(deps: Deps, intent: Intent, attempt: Attempt) -> Started:
    """Give the old way up at the provider, so that the payer may take another one."""
    report = await ask_provider.void(deps, intent, attempt)
    if report is not None:
        await apply_reports(deps, [Finding(attempt.id, report, given_up=True)])
    return await _standing(deps, intent.id, attempt.id)


async def _reread(deps: Deps, intent_id: str, attempt_id: str) -> tuple[Attempt, Started]:
    async with deps.connection() as connection:
        intent = await intents.read(connection, intent_id)
        attempt = await attempts.read(connection, attempt_id)
    if intent is None or attempt is None:
        raise NotFoundError
    return attempt, _started(intent, attempt)


async def _standing(deps: Deps, intent_id: str, attempt_id: str) -> Started:
    return (await _reread(deps, intent_id, attempt_id))[1]


def _started(intent: Intent, attempt: Attempt) -> Started:
    return Started(intent.status, attempt.status, attempt.next_step, attempt.decline)
