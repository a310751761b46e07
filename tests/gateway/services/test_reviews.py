"""An attempt before a person is decided by two: asked about again, given back, or closed."""

from __future__ import annotations

import asyncpg
import pytest

from adapters.contract import Outcome as Word
from adapters.contract import PaymentReport
from gateway.domain.errors import NotFoundError, TransitionError
from gateway.services.attempts.apply_reports import Finding, apply_reports
from gateway.services.attempts.reviews import Outcome, decide_review, list_reviews, propose_review
from ledger.money import Money


async def two_people(town, attempt: str, outcome: Outcome) -> str:
    proposed = await propose_review(town.deps, attempt, outcome, by="amal", reason="asked the provider")
    with pytest.raises(TransitionError, match="cannot decide"):
        await decide_review(town.deps, proposed, by="amal", approve=True)
    await decide_review(town.deps, proposed, by="bilal", approve=True)
    return proposed


async def in_review(town, report: PaymentReport) -> str:
    intent = await town.intent()
    await town.start(intent)
    attempt = await town.attempt_of(intent)
    await apply_reports(town.deps, [Finding(attempt["id"], report)])
    return attempt["id"]


async def status_of(town, attempt: str):
    return tuple(await town.deps.pool.fetchrow("SELECT status, review FROM gateway.attempt WHERE id = $1", attempt))


async def test_a_strangers_reference_is_asked_about_again_and_the_providers_word_counts(town):
    attempt = await in_review(town, PaymentReport(Word.SUCCEEDED, "o", reference="pa_other", captured=Money(1, "AED")))
    [found] = await list_reviews(town.deps, 10)
    assert (found.attempt, found.review, found.asked) == (attempt, "reference_differs", Money(105_00, "AED"))
    await town.control("pay", {"reference": attempt})
    await town.work()
    assert (await status_of(town, attempt))[1] == "reference_differs"  # machines leave it alone

    await two_people(town, attempt, Outcome.ASK_AGAIN)
    town.clock.advance(minutes=10)
    await town.work()
    assert await status_of(town, attempt) == ("succeeded", None)
    assert await list_reviews(town.deps, 10) == []


async def test_another_amount_than_asked_is_given_back_by_two_people(town):
    intent = await town.intent()
    await town.start(intent)
    await town.fault("query", "wrong_amount", times=5)
    await town.pay(intent)
    await town.work()
    attempt = (await town.attempt_of(intent))["id"]
    [found] = await list_reviews(town.deps, 10)
    assert (found.attempt, found.review) == (attempt, "amount_differs")
    if found.captured is None:
        pytest.fail("the simulator's wrong amount is booked for review")
    proposed = await two_people(town, attempt, Outcome.REFUND)
    assert await town.deps.pool.fetchval("SELECT count(*) FROM gateway.refund WHERE attempt = $1", attempt) == 1
    assert await list_reviews(town.deps, 10) == []
    with pytest.raises(TransitionError, match="decided before"):
        await decide_review(town.deps, proposed, by="huda", approve=False)


async def test_what_was_taken_back_can_only_be_closed(town):
    intent = await town.paid()
    attempt = (await town.attempt_of(intent))["id"]
    with pytest.raises(TransitionError, match="not in review"):
        await propose_review(town.deps, attempt, Outcome.CLOSE, by="amal", reason="x")
    await apply_reports(town.deps, [Finding(attempt, PaymentReport(Word.DECLINED, reversed=True))])
    for outcome in (Outcome.REFUND, Outcome.ASK_AGAIN):
        with pytest.raises(TransitionError):
            await propose_review(town.deps, attempt, outcome, by="amal", reason="x")
    refused = await propose_review(town.deps, attempt, Outcome.CLOSE, by="amal", reason="booked")
    with pytest.raises(TransitionError, match="waits already"):
        await propose_review(town.deps, attempt, Outcome.CLOSE, by="huda", reason="booked")
    await decide_review(town.deps, refused, by="bilal", approve=False)
    assert [one.attempt for one in await list_reviews(town.deps, 10)] == [attempt]
    await two_people(town, attempt, Outcome.CLOSE)
    assert await list_reviews(town.deps, 10) == []
    with pytest.raises(NotFoundError):
        await decide_review(town.deps, "rw_none", by="bilal", approve=True)


async def test_hc27_the_database_itself_refuses_one_person(town, owner):
    intent = await town.paid()
    attempt = (await town.attempt_of(intent))["id"]
    await apply_reports(town.deps, [Finding(attempt, PaymentReport(Word.DECLINED, reversed=True))])
    await propose_review(town.deps, attempt, Outcome.CLOSE, by="amal", reason="booked")
    with pytest.raises(asyncpg.CheckViolationError):
        await owner.execute(
            "UPDATE gateway.review_decision SET checker = maker, checked_at = made_at, decision = 'approved'"
        )
