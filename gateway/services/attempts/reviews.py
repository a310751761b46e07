"""Attempts that a person must look at: one says what shall become of each, another agrees."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

import structlog

from gateway.deps import Deps
from gateway.domain import ids
from gateway.domain.attempt import LIVE
from gateway.domain.errors import InvalidError, NotFoundError, TransitionError
from gateway.domain.verdict import Review
from gateway.services.refunds.create_refund import refund_suspended
from gateway.store import attempts, intents, reviews
from ledger.money import Money
from ledger.people import same_person

_log: Final = structlog.get_logger(__name__)


class Outcome(StrEnum):
    """What two people may decide. Nothing is booked by hand: the books follow the provider and the refund."""

    ASK_AGAIN = "ask_again"  # machines go on; the provider's next word counts
    REFUND = "refund"  # what was taken and waits in suspense goes back to the payer
    CLOSE = "close"  # nothing more to do here


@dataclass(frozen=True, slots=True)
class InReview:
    """An attempt before a person: what was asked, what was taken, and what is proposed by whom."""

    attempt: str
    intent: str
    provider: str
    provider_reference: str | None
    review: str
    status: str
    asked: Money
    captured: Money | None
    since: datetime
    proposal: str | None
    outcome: str | None
    proposed_by: str | None


async def list_reviews(deps: Deps, limit: int) -> list[InReview]:
    """Return the attempts that wait for people, oldest first."""
    async with deps.connection() as connection:
        rows = await reviews.undecided(connection, limit)
    return [
        InReview(
            row["id"], row["intent"], row["provider"], row["provider_reference"], row["review"], row["status"],
            Money(row["amount_minor"], row["currency"]),
            None if row["captured_minor"] is None else Money(row["captured_minor"], row["captured_currency"]),
            row["updated_at"], row["proposal"], row["outcome"], row["maker"],
        )
        for row in rows
    ]  # fmt: skip


async def propose_review(deps: Deps, attempt_id: str, outcome: Outcome, *, by: str, reason: str) -> str:
    """Propose what becomes of an attempt in review; return the proposal's id."""
    if not reason.strip():
        raise InvalidError("needs a reason", pointer="/reason")
    now = deps.clock()
    async with deps.transaction() as connection:
        attempt = await attempts.read(connection, attempt_id)
        if attempt is None:
            raise NotFoundError
        if attempt.review is None:
            raise TransitionError("this attempt is not in review")
        if outcome is Outcome.ASK_AGAIN and attempt.status not in LIVE:
            raise TransitionError("this attempt is decided; its provider has nothing more to say")
        if outcome is Outcome.REFUND and (
            attempt.captured is None or attempt.review == Review.REVERSED_BY_PROVIDER.value
        ):
            raise TransitionError("nothing of this attempt is held that could be given back")
        decision_id = ids.mint(ids.Prefix.REVIEW, now, deps.random_bytes)
        if not await reviews.insert(
            connection, decision_id, attempt_id, attempt.review, outcome.value, reason, by, now
        ):
            raise TransitionError("a proposal about this attempt waits already")
    _log.info("review_proposed", attempt=attempt_id, outcome=outcome.value)
    return decision_id


async def decide_review(deps: Deps, decision_id: str, *, by: str, approve: bool) -> None:
    """Agree or refuse as a second person.

    A refund is asked for before the decision is written: it is the same refund however often it is asked for, so that
    a crash between the two is made good by deciding again.
    """
    asked = await _undecided(deps, decision_id, by)
    if approve and asked.outcome is Outcome.REFUND:
        await refund_suspended(deps, asked.attempt, reason="decided in review")
    now = deps.clock()
    async with deps.transaction() as connection:
        seen = await attempts.read(connection, asked.attempt)
        if seen is None:
            raise NotFoundError
        await intents.lock(connection, [seen.intent])
        attempt = (await attempts.lock(connection, [asked.attempt]))[asked.attempt]
        row = await reviews.lock(connection, decision_id)
        if row is None or row["decision"] is not None:
            raise TransitionError("this was decided before")
        if approve and attempt.review != row["review"]:
            raise TransitionError("the attempt has moved since; propose again")
        await reviews.decide(connection, decision_id, by, "approved" if approve else "refused", now)
        if approve and asked.outcome is Outcome.ASK_AGAIN:
            if attempt.status not in LIVE:
                raise TransitionError("this attempt is decided; its provider has nothing more to say")
            await reviews.let_machines_ask(connection, asked.attempt, now)
    _log.info("review_decided", attempt=asked.attempt, approved=approve)


@dataclass(frozen=True, slots=True)
class _Asked:
    attempt: str
    outcome: Outcome


async def _undecided(deps: Deps, decision_id: str, by: str) -> _Asked:
    async with deps.transaction() as connection:
        row = await reviews.lock(connection, decision_id)
    if row is None:
        raise NotFoundError
    if row["decision"] is not None:
        raise TransitionError("this was decided before")
    if same_person(row["maker"], by):
        raise TransitionError("whoever proposed it cannot decide it")
    return _Asked(row["attempt"], Outcome(row["outcome"]))
