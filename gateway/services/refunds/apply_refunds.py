"""Sending refunds and learning what became of them. A refund that may have been sent is only ever asked about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

import structlog

from adapters.contract import Outcome, RefundOrder, RefundReport, Refunds
from adapters.errors import NotSentError, ProviderError, RejectedError
from gateway import metrics
from gateway.deps import Deps
from gateway.domain import postings
from gateway.domain import refund as rules
from gateway.domain.errors import UnavailableError
from gateway.domain.postings import Evidence
from gateway.domain.refund import RefundLine, RefundStatus
from gateway.domain.verdict import Review
from gateway.services.notices import part_refund_events, refund_event
from gateway.services.providers import ask_provider, circuits
from gateway.store import attempts, disputes, events, inbox, refunds
from gateway.store.attempts import Attempt
from gateway.store.connections import Connection
from gateway.store.events import Event
from gateway.store.refunds import Refund
from ledger.entry import Entry
from ledger.journal import PostStatus, post_within

_log: Final = structlog.get_logger(__name__)
_LEASE: Final = timedelta(minutes=2)
_FIRST_CHECK_S: Final = 30
_CHECK_MAX_S: Final = 6 * 3600
_SEND_AGAIN: Final = timedelta(hours=1)
"""After how long a refund the provider does not know is sent again, under its own key. By then a request that was
under way has long shown up in the list the provider has just read."""


async def apply_refunds(deps: Deps, limit: int) -> int:
    """Send or ask about up to `limit` refunds whose turn it is; return how many were taken."""
    now = deps.clock()
    async with deps.connection() as connection:
        due = await refunds.claim_due(connection, now, now + _LEASE, limit)
        paid_by = await attempts.read_many(connection, [refund.attempt for refund in due])

    async def one(refund: Refund) -> None:
        attempt = paid_by[refund.attempt]
        report = await _stop(deps, refund, attempt) or await _ask(deps, refund, attempt)
        try:
            await apply_refund_report(deps, refund.id, report)
        except UnavailableError:
            raise
        except Exception:  # noqa: BLE001 - the lease runs out and it is asked about again; its neighbours go on
            _log.exception("refund_not_applied", refund=refund.id)

    await ask_provider.several(deps, due, one)
    return len(due)


async def _stop(deps: Deps, refund: Refund, attempt: Attempt) -> RefundReport | None:
    """End a refund that was not sent and whose money the payer's bank has taken; one that was sent cannot be ended."""
    if refund.sent_at is not None:
        return None
    async with deps.connection() as connection:
        fits = await disputes.leave_room_for(connection, refund, attempt)
    return None if fits else RefundReport(Outcome.DECLINED, word=rules.DISPUTED)


async def _ask(deps: Deps, refund: Refund, attempt: Attempt) -> RefundReport:
    if refund.provider not in deps.providers:
        return RefundReport(Outcome.UNKNOWN, word="provider_is_gone")
    provider = deps.providers[refund.provider]
    async with deps.connection() as connection:
        others = await refunds.known_references(connection, refund)
    order = RefundOrder(
        reference=refund.id,
        payment_reference=attempt.id,
        provider_reference=attempt.provider_reference or "",
        amount=refund.amount,
        reason=refund.reason,
        refund_reference=refund.provider_reference,
        other_refunds=others,
    )
    if not isinstance(provider, Refunds):
        return RefundReport(Outcome.UNKNOWN, word="cannot_refund")
    if refund.sent_at is None:
        return await _call(deps, refund.provider, provider, order, send=True)
    report = await _call(deps, refund.provider, provider, order, send=False)
    if report.outcome is Outcome.PENDING and await _is_settled(deps, refund):
        return RefundReport(Outcome.SUCCEEDED, refund.provider_reference, refund.amount, "SETTLED")
    not_known = report.outcome is Outcome.PENDING and report.provider_reference is None
    if not_known and refund.booked_at is None and deps.clock() - refund.sent_at >= _SEND_AGAIN:
        return await _call(deps, refund.provider, provider, order, send=True)
    return report


async def _is_settled(deps: Deps, refund: Refund) -> bool:
    """Tell whether a settlement file has proven the refund: some providers tell of its end nowhere else."""
    if refund.booked_at is None:
        return False
    async with deps.connection() as connection:
        return await refunds.is_settled(connection, refund)


async def _call(deps: Deps, name: str, provider: Refunds, order: RefundOrder, *, send: bool) -> RefundReport:
    operation = "refund" if send else "query_refund"

    async def once() -> RefundReport:
        return await (provider.refund(order) if send else provider.query_refund(order))

    try:
        report = await circuits.ask(deps, name, operation, once, is_failure=_is_failure)
    except NotSentError as error:
        report = RefundReport(Outcome.NOT_SENT if send else Outcome.UNKNOWN, word=error.code)
    except RejectedError as error:
        report = RefundReport(Outcome.DECLINED if send else Outcome.UNKNOWN, word=error.code)
    except (ProviderError, TimeoutError, OSError) as error:
        report = RefundReport(Outcome.UNKNOWN, word=error.code if isinstance(error, ProviderError) else "timeout")
    except Exception:  # noqa: BLE001 - an adapter's own fault tells nothing about the money
        _log.exception("provider_refund_failed", refund=order.reference)
        report = RefundReport(Outcome.UNKNOWN, word="adapter_fault")
    metrics.PROVIDER_CALLS.labels(name, operation, report.outcome.value).inc()
    return report


def _is_failure(report: RefundReport) -> bool:
    return report.outcome in (Outcome.UNKNOWN, Outcome.NOT_SENT)


async def apply_refund_report(
    deps: Deps, refund_id: str, report: RefundReport, notices: Sequence[tuple[str, str]] = ()
) -> None:
    """Move one refund by what its provider says, with its journal and event, in one transaction.

    `notices` are the inbox rows that say it: the provider has named the refund, so it is no longer unknown to it.
    """
    now = deps.clock()
    async with deps.transaction() as connection:
        refund = await refunds.lock_with_intent(connection, refund_id)
        if refund is None:
            return
        attempt = (await attempts.lock(connection, [refund.attempt]))[refund.attempt]
        lines = (await refunds.lines(connection, [refund_id])).get(refund_id, [])
        await inbox.settle(connection, notices, "applied")
        if notices and refund.status is RefundStatus.UNKNOWN and refund.review is None:
            refund = replace(refund, status=RefundStatus.PENDING)
        after, what = _judge(refund, report, now)
        entry = _entry(deps, refund, after, attempt, lines, now)
        if entry is not None and after.booked_at is None and after.status is not RefundStatus.FAILED:
            after = replace(after, booked_at=now)
        await refunds.move(connection, after)
        if after.late and after.status is RefundStatus.SUCCEEDED and attempt.resolution is None:
            await attempts.resolve_late(connection, attempt.id, "refunded", now)
        if what is not None:
            await events.record(connection, [refund_event(deps, after, what), *_tell_sharers(deps, after, what, lines)])
        if entry is not None:
            await _post(connection, entry, now)
    if what is not None:
        metrics.REFUNDS.labels(after.provider, what).inc()
        _log.info("refund_moved", refund=after.id, intent=after.intent, status=after.status.value, review=after.review)


def _judge(refund: Refund, report: RefundReport, now: datetime) -> tuple[Refund, str | None]:
    """Return the refund after the report, and the event to tell, if any."""
    target = rules.status_of(report)
    told = report.outcome is Outcome.SUCCEEDED or report.provider_reference is not None
    if refund.status is RefundStatus.UNKNOWN and target is RefundStatus.PENDING and not told:
        target = RefundStatus.UNKNOWN  # not found is no news
    learned = replace(
        refund,
        provider_reference=refund.provider_reference or report.provider_reference,
        word=report.word or refund.word,
        updated_at=now,
        next_check_at=now + timedelta(seconds=min(_FIRST_CHECK_S * 2 ** min(refund.checks, 20), _CHECK_MAX_S)),
    )
    if report.outcome is Outcome.NOT_SENT and refund.status is RefundStatus.REQUESTED:
        return replace(learned, sent_at=None), None  # proven never to have left: the next turn sends it
    if report.outcome is Outcome.SUCCEEDED and report.amount not in (None, refund.amount):
        metrics.REVIEWS.labels(Review.AMOUNT_DIFFERS.value).inc()
        reviewed = replace(learned, status=RefundStatus.UNKNOWN, review=Review.AMOUNT_DIFFERS.value)
        return reviewed, "review_required"
    if rules.edge(refund.status, target) is None:
        return learned, None
    return replace(learned, status=target), target.value


def _entry(
    deps: Deps, before: Refund, after: Refund, attempt: Attempt, lines: Sequence[RefundLine], now: datetime
) -> Entry | None:
    """Return the journal this change asks for: once when the provider accepts, and once more if it fails after that."""
    evidence = Evidence(
        intent_id=after.intent,
        attempt_id=attempt.id,
        provider=after.provider,
        provider_reference=after.provider_reference,
        effective_at=now,
        zone=deps.zone,
    )
    if after.late:
        accepted = postings.late_refunded(evidence, after.id, after.amount)
    else:
        accepted = postings.refunded(evidence, after.id, lines, after.amount)
    took_it = after.status is RefundStatus.SUCCEEDED or (
        after.status is RefundStatus.PENDING and after.provider_reference is not None
    )
    if before.booked_at is None and took_it and after.review is None:
        return accepted
    if before.booked_at is not None and after.status is RefundStatus.FAILED and before.status is not after.status:
        return postings.refund_failed(accepted, after.id, evidence)
    return None


def _tell_sharers(deps: Deps, refund: Refund, what: str, lines: Sequence[RefundLine]) -> Sequence[Event]:
    """Tell departments whose part of a bundle went back, or did not after all."""
    match what:
        case "succeeded":
            return part_refund_events(deps, refund, "refunded", lines)
        case "failed":
            return part_refund_events(deps, refund, "refund_failed", lines)
        case _:
            return ()


async def _post(connection: Connection, entry: Entry, now: datetime) -> None:
    [posted] = await post_within(connection, [entry], recorded_at=now)
    if posted.status is PostStatus.REFUSED and posted.error is not None:
        raise posted.error
