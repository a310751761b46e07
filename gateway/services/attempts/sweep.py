"""Asking about every attempt that is not decided: lost callbacks, lost answers, crashes between two lines.

It scans rows, not events, so whatever lost the event does not matter. Silence is never taken for failure.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from adapters.contract import Outcome
from gateway.deps import Deps
from gateway.domain.attempt import LIVE
from gateway.domain.intent import FINAL
from gateway.services.attempts.apply_reports import Finding, apply_reports
from gateway.services.providers import ask_provider
from gateway.store import attempts, intents
from gateway.store.attempts import Attempt
from gateway.store.intents import Intent

_LEASE: Final = timedelta(minutes=2)

_PACE: Final = (
    (timedelta(minutes=5), timedelta(minutes=1)),
    (timedelta(hours=1), timedelta(minutes=5)),
    (timedelta(days=1), timedelta(minutes=30)),
    (timedelta(days=7), timedelta(hours=6)),
)
"""Up to which age an attempt is asked about how often. The oldest are asked about once a day, for ever."""


async def sweep(deps: Deps, limit: int) -> int:
    """Ask about up to `limit` undecided attempts whose turn it is; return how many were taken."""
    now = deps.clock()
    async with deps.connection() as connection:
        stale = await attempts.claim_stale(connection, now, now + _LEASE, limit)
        owners = await intents.read_many(connection, {attempt.intent for attempt in stale})
    if not stale:
        return 0

    async def ask(attempt: Attempt) -> list[Finding]:
        return await _ask(deps, owners[attempt.intent], attempt)

    found = await ask_provider.several(deps, stale, ask)
    results = await apply_reports(deps, [finding for findings in found for finding in findings])
    decided = {result.attempt_id for result in results if result.attempt is not None and result.attempt not in LIVE}
    still_open = {a.id: next_check(a.started_at, deps.clock()) for a in stale if a.id not in decided}
    async with deps.connection() as connection:
        await attempts.schedule(connection, still_open)
    return len(stale)


def next_check(started_at: datetime, now: datetime) -> datetime:
    """Return when an attempt of this age is asked about next."""
    age = now - started_at
    return now + next((pace for until, pace in _PACE if age < until), timedelta(days=1))


async def _ask(deps: Deps, intent: Intent, attempt: Attempt) -> list[Finding]:
    report = await ask_provider.follow(deps, intent, attempt)
    if report is None:
        return []
    findings = [Finding(attempt.id, report)]
    if report.outcome is Outcome.PENDING and intent.status in FINAL:
        # Nobody waits for it any more: the intent is cancelled, expired, or paid by another attempt.
        voided = await ask_provider.void(deps, intent, attempt)
        if voided is not None:
            findings.append(Finding(attempt.id, voided, given_up=True))
    return findings
