"""The worker's part of a callback: claim what waits, ask the provider where it is only a hint, apply a batch."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Final

import structlog

from adapters.contract import PaymentReport
from gateway import metrics
from gateway.deps import Deps
from gateway.domain.attempt import LIVE
from gateway.domain.intent import FINAL
from gateway.services.attempts.apply_reports import Applied, Finding, apply_reports
from gateway.services.providers import ask_provider
from gateway.services.refunds.hear_of_refunds import hear_of_refunds
from gateway.store import attempts, inbox, intents
from gateway.store.attempts import Attempt
from gateway.store.inbox import Received
from gateway.store.intents import Intent

__all__ = ["Applied", "Finding", "apply_events", "apply_reports"]

_log: Final = structlog.get_logger(__name__)
_LEASE: Final = timedelta(minutes=2)
_TRIES_MAX: Final = 8
_FIRST_RETRY_S: Final = 5
_RETRY_MAX_S: Final = 900


async def apply_events(deps: Deps, limit: int) -> int:
    """Apply up to `limit` waiting notices; return how many were taken."""
    now = deps.clock()
    async with deps.connection() as connection:
        received = await inbox.claim(connection, now, now + _LEASE, limit)
    if not received:
        return 0
    about_payments, not_applied = await hear_of_refunds(deps, received)
    by_attempt, unmatched = await _match(deps, about_payments)
    known_attempts, known_intents = await _read(deps, list(by_attempt))

    async def find(attempt_id: str) -> list[Finding]:
        attempt = known_attempts[attempt_id]
        return await _findings(deps, known_intents[attempt.intent], attempt, by_attempt[attempt_id])

    found = await ask_provider.several(deps, list(by_attempt), find)
    results = await apply_reports(deps, [finding for findings in found for finding in findings])
    failed = {result.attempt_id for result in results if result.error}
    answered = {key for findings in found for finding in findings for key in finding.notices}
    for attempt_id, notices in by_attempt.items():
        for notice in notices:
            if attempt_id in failed or (notice.provider, notice.event) not in answered:
                await _put_off(deps, notice)
    for notice in not_applied:
        await _put_off(deps, notice)
    await _leave_unmatched(deps, unmatched)
    return len(received)


async def _match(deps: Deps, received: Sequence[Received]) -> tuple[dict[str, list[Received]], list[Received]]:
    """Find each notice's attempt: by our reference, which travels with the provider, or else by the provider's."""
    by_provider: dict[str, list[Received]] = defaultdict(list)
    for notice in received:
        by_provider[notice.provider].append(notice)
    matched: dict[str, list[Received]] = defaultdict(list)
    unmatched: list[Received] = []
    async with deps.connection() as connection:
        for provider, notices in by_provider.items():
            pairs = [(notice.reference, notice.provider_reference) for notice in notices]
            for notice, attempt_id in zip(notices, await attempts.find(connection, provider, pairs), strict=True):
                if attempt_id is None:
                    unmatched.append(notice)
                else:
                    matched[attempt_id].append(notice)
    return dict(matched), unmatched


async def _read(deps: Deps, attempt_ids: Sequence[str]) -> tuple[Mapping[str, Attempt], Mapping[str, Intent]]:
    async with deps.connection() as connection:
        found = await attempts.read_many(connection, attempt_ids)
        return found, await intents.read_many(connection, {attempt.intent for attempt in found.values()})


async def _findings(deps: Deps, intent: Intent, attempt: Attempt, notices: Sequence[Received]) -> list[Finding]:
    """Return what the notices prove; hints about one attempt are answered by one query together."""
    findings = []
    hints = []
    for notice in notices:
        key = (notice.provider, notice.event)
        if notice.proven is not None:
            findings.append(Finding(attempt.id, notice.proven, notices=(key,)))
        elif notice.continuation is not None and _may_finish(intent, attempt):
            report = await ask_provider.finish(deps, intent, attempt, notice.continuation)
            if report is not None:
                findings.append(Finding(attempt.id, report, notices=(key,)))
        else:
            hints.append(notice)
    if hints:
        report = await _query(deps, intent, attempt, hints)
        if report is not None:
            keys = tuple((notice.provider, notice.event) for notice in hints)
            findings.append(Finding(attempt.id, report, notices=keys))
    return findings


def _may_finish(intent: Intent, attempt: Attempt) -> bool:
    """Tell whether a payment may still be made: never for an intent that has ended, or an attempt that is decided."""
    return attempt.status in LIVE and attempt.review is None and intent.status not in FINAL


async def _query(deps: Deps, intent: Intent, attempt: Attempt, hints: Sequence[Received]) -> PaymentReport | None:
    hinted = next((notice.provider_reference for notice in hints if notice.provider_reference), None)
    return await ask_provider.follow(deps, intent, attempt, hinted_reference=hinted)


async def _put_off(deps: Deps, notice: Received) -> None:
    """Try a notice again later, further apart each time. The sweep asks about its attempt meanwhile."""
    wait_s = min(_FIRST_RETRY_S * 2 ** (notice.tries - 1), _RETRY_MAX_S)
    async with deps.connection() as connection:
        if notice.tries >= _TRIES_MAX:
            _log.error("notice_given_up", provider=notice.provider, notice=notice.event)
            await inbox.settle(connection, [(notice.provider, notice.event)], "given_up")
        else:
            again_at = deps.clock() + timedelta(seconds=wait_s)
            await inbox.postpone(connection, (notice.provider, notice.event), again_at)


async def _leave_unmatched(deps: Deps, notices: Sequence[Received]) -> None:
    """Keep what names no attempt of ours for finance to see.

    Attempts are saved before providers hear of them, so waiting would not help.
    """
    if not notices:
        return
    _log.warning("notices_unmatched", count=len(notices))
    for notice in notices:
        metrics.CALLBACKS.labels(notice.provider, "unmatched").inc()
    async with deps.connection() as connection:
        await inbox.settle(connection, [(notice.provider, notice.event) for notice in notices], "unmatched")
