"""The one function every truth of a provider goes through.

An answer to a start, a callback, a poll, a void, the sweep and a settlement file all end here: attempt, intent,
journal, receipt number, events and messages change in one transaction, for a whole batch at once, or not at all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

import asyncpg
import structlog

from adapters.contract import PaymentReport
from gateway import metrics
from gateway.deps import Deps
from gateway.domain.attempt import AttemptStatus
from gateway.domain.errors import UnavailableError
from gateway.domain.intent import IntentStatus
from gateway.domain.verdict import Booking, Review
from gateway.services.attempts.settle_batch import Batch
from gateway.store import attempts, captures, events, inbox, intents, messages, refunds
from gateway.store.connections import Connection
from ledger.decisions import closed_until
from ledger.entry import into_open_period
from ledger.errors import LedgerError, PeriodClosedError
from ledger.journal import PostStatus, post_within

_log: Final = structlog.get_logger(__name__)
_ROUNDS_MAX: Final = 4


@dataclass(frozen=True, slots=True)
class Finding:
    """One truth about one attempt. `notices` are the inbox rows it answers, settled together with its effect."""

    attempt_id: str
    report: PaymentReport
    given_up: bool = False
    notices: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Applied:
    """Where an attempt and its intent stand after the finding. `error` says that nothing of it was applied."""

    attempt_id: str
    attempt: AttemptStatus | None
    intent: IntentStatus | None
    changed: bool
    error: str | None = None


class _BooksRefusedError(Exception):
    """The ledger refused entries of a batch, which is rolled back and done again without them."""

    def __init__(self, refused: Mapping[str, LedgerError]) -> None:
        super().__init__(", ".join(refused))
        self.refused = refused


async def apply_reports(deps: Deps, findings: Sequence[Finding]) -> list[Applied]:
    """Apply a batch of findings; one result each, in order. A finding that cannot stand never fails its neighbours."""
    if not findings:
        return []
    today: set[str] = set()  # captured in a period that is closed by now: booked in the open one
    refused: dict[str, LedgerError] = {}
    for _ in range(_ROUNDS_MAX):
        try:
            return await _apply(deps, findings, today, refused)
        except _BooksRefusedError as error:
            for attempt_id, reason in error.refused.items():
                if isinstance(reason, PeriodClosedError) and attempt_id not in today:
                    today.add(attempt_id)
                else:
                    refused[attempt_id] = reason
        except UnavailableError:
            raise
        except (asyncpg.PostgresError, ValueError, LookupError, LedgerError) as error:
            if len(findings) > 1:
                _log.exception("batch_failed_applying_one_by_one", findings=len(findings))
                return [result for finding in findings for result in await apply_reports(deps, [finding])]
            metrics.REVIEWS.labels("not_applied").inc()
            _log.exception("finding_not_applied", attempt=findings[0].attempt_id)
            return [Applied(findings[0].attempt_id, None, None, changed=False, error=type(error).__name__)]
    raise RuntimeError("the ledger refused every round of a batch")


async def _apply(
    deps: Deps, findings: Sequence[Finding], today: set[str], refused: Mapping[str, LedgerError]
) -> list[Applied]:
    now = deps.clock()
    async with deps.transaction() as connection:
        batch = await _lock(deps, connection, findings, now)
        results = []
        for finding in findings:
            if finding.attempt_id in refused:
                batch.put_before_a_person(finding.attempt_id, Review.BOOKS_REFUSED)
            results.append(_judge(batch, finding, refused))
        await batch.number_receipts(connection)
        await batch.keep_promises(connection)
        await attempts.move(connection, batch.moved_attempts())
        await captures.keep(connection, batch.reservations)
        await intents.move(connection, batch.moved_intents(), now)
        await captures.end(connection, batch.let_go)
        await events.record(connection, batch.events)
        await messages.queue(connection, batch.messages, now)
        await inbox.settle(connection, [key for finding in findings for key in finding.notices], "applied")
        await _post(connection, batch, today, now)
    for finding, result in zip(findings, results, strict=True):
        _count(batch, finding, result)
    return results


async def _lock(deps: Deps, connection: Connection, findings: Sequence[Finding], now: datetime) -> Batch:
    """Lock what the batch may change, in the order everybody keeps: intents by id, then attempts by id."""
    wanted = [finding.attempt_id for finding in findings]
    seen = await attempts.read_many(connection, wanted)
    locked_intents = await intents.lock(connection, [attempt.intent for attempt in seen.values()])
    locked_attempts = await attempts.lock(connection, wanted)
    reserved = [intent.id for intent in locked_intents.values() if intent.is_reserved]
    return Batch(
        deps=deps,
        now=now,
        intents=locked_intents,
        attempts=locked_attempts,
        lines=await intents.lines(connection, sorted(locked_intents), with_tariffs=False),
        given_back=await refunds.of_attempts(connection, wanted),
        asked=await captures.asked(connection, reserved) if reserved else {},
    )


def _judge(batch: Batch, finding: Finding, refused: Mapping[str, LedgerError]) -> Applied:
    attempt = batch.attempts.get(finding.attempt_id)
    if attempt is None:
        return Applied(finding.attempt_id, None, None, changed=False, error="unknown_attempt")
    if finding.attempt_id in refused:
        error = refused[finding.attempt_id].code
        return Applied(attempt.id, attempt.status, batch.intents[attempt.intent].status, changed=False, error=error)
    changed = batch.settle(attempt, finding.report, given_up=finding.given_up)
    return Applied(attempt.id, batch.attempts[attempt.id].status, batch.intents[attempt.intent].status, changed=changed)


async def _post(connection: Connection, batch: Batch, today: set[str], now: datetime) -> None:
    """Post the batch's journals last, because the ledger's head is the one row everybody shares."""
    told = [*batch.entries.items(), *batch.reversals.items()]
    if not told:
        return
    open_day = await _open_day(connection, batch, now) if today else None
    entries = [
        into_open_period(entry, business_date=open_day, effective_at=now)
        if open_day is not None and attempt_id in today
        else entry
        for attempt_id, entry in told
    ]
    posted = await post_within(connection, entries, recorded_at=now)
    refused = {
        attempt_id: result.error
        for (attempt_id, _), result in zip(told, posted, strict=True)
        if result.status is PostStatus.REFUSED and result.error is not None
    }
    if refused:
        raise _BooksRefusedError(refused)


async def _open_day(connection: Connection, batch: Batch, now: datetime) -> date:
    """Return the business date that takes what came too late for its own: today, or the first one open."""
    closed = await closed_until(connection)
    business_date = now.astimezone(batch.deps.zone).date()
    return business_date if closed is None or closed < business_date else closed + timedelta(days=1)


def _count(batch: Batch, finding: Finding, result: Applied) -> None:
    attempt = batch.attempts.get(finding.attempt_id)
    if attempt is None:
        _log.warning("finding_without_attempt", attempt=finding.attempt_id)
        return
    outcome = "refused" if result.error else "changed" if result.changed else "no_news"
    metrics.REPORTS.labels(attempt.provider, outcome).inc()
    if result.error:
        metrics.REVIEWS.labels(Review.BOOKS_REFUSED.value).inc()
        _log.error("books_refused", attempt=attempt.id, intent=attempt.intent, code=result.error)
    if result.changed:
        _log.info(
            "attempt_moved",
            attempt=attempt.id,
            intent=attempt.intent,
            provider=attempt.provider,
            status=attempt.status.value,
            intent_status=result.intent.value if result.intent else None,
            booking=batch.bookings.get(attempt.id, Booking.NONE).value,
            review=attempt.review,
        )
