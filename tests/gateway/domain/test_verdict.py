"""The one judgement behind every truth of a provider: whatever is said, in whatever order, money moves once."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from adapters.contract import Outcome, PaymentReport
from gateway.domain import attempt, intent
from gateway.domain.attempt import AttemptStatus
from gateway.domain.intent import IntentEvent, IntentStatus
from gateway.domain.verdict import Booking, Review, Standing, judge
from ledger.money import Money

AMOUNT = Money(105_00, "AED")
AMOUNTS = st.sampled_from([AMOUNT, AMOUNT, AMOUNT, Money(1, "AED"), Money(105_00, "USD"), Money(0, "AED")])


@st.composite
def reports(draw):
    outcome = draw(st.sampled_from(Outcome))
    return PaymentReport(
        outcome,
        provider_reference=draw(st.sampled_from([None, "order-1"])),
        reference=draw(st.sampled_from([None, "pa_1", "pa_1", "pa_other"])),
        captured=draw(AMOUNTS | st.none()) if outcome is Outcome.SUCCEEDED else None,
        authorised=draw(AMOUNTS | st.none()) if outcome is Outcome.PENDING else None,
        reversed=draw(st.booleans()),
    )


TRUTHS = st.lists(st.tuples(reports(), st.booleans()), max_size=12)
ENDINGS = st.lists(st.sampled_from([None, None, IntentEvent.CANCELLED, IntentEvent.EXPIRED]), min_size=12, max_size=12)


def live_through(truths, endings, *, awaits_word=False):
    """Let one attempt hear everything, while its intent may end at any moment; return the end and every booking."""
    standing = Standing("pa_1", AttemptStatus.STARTING, IntentStatus.PROCESSING, AMOUNT, awaits_word=awaits_word)
    bookings, reviews, edges = [], [], []
    for (report, given_up), ending in zip(truths, endings, strict=False):
        if ending is not None and intent.may(standing.intent, ending):
            standing = replace(standing, intent=intent.advance(standing.intent, ending))
        verdict = judge(standing, report, given_up=given_up)
        bookings += [verdict.booking] if verdict.booking is not Booking.NONE else []
        assert (verdict.booking in (Booking.IN_TIME, Booking.LATE)) <= (report.captured == AMOUNT)
        reviews += [verdict.review] if verdict.review else []
        edges += [verdict.edge] if verdict.edge else []
        standing = replace(
            standing,
            attempt=verdict.attempt,
            intent=verdict.intent,
            in_review=standing.in_review or verdict.review is not None,
        )
    return standing, bookings, reviews, edges


@given(TRUTHS, ENDINGS, st.booleans())
def test_money_is_booked_at_most_once_and_only_for_the_right_reason(truths, endings, awaits_word):
    standing, bookings, reviews, _ = live_through(truths, endings, awaits_word=awaits_word)
    assert len(bookings) <= 1
    assert (standing.intent is IntentStatus.PAID) == (bookings == [Booking.IN_TIME])
    assert (standing.attempt is AttemptStatus.SUCCEEDED) == (bookings in ([Booking.IN_TIME], [Booking.LATE]))
    assert (bookings == [Booking.FOR_REVIEW]) <= (Review.AMOUNT_DIFFERS in reviews)
    assert len(reviews) <= 1


@given(TRUTHS, ENDINGS)
def test_only_named_edges_are_taken(truths, endings):
    _, _, _, edges = live_through(truths, endings)
    assert set(edges) <= set(attempt.TRANSITIONS.values())


@given(st.lists(st.sampled_from([Outcome.UNKNOWN, Outcome.PENDING]), max_size=10), ENDINGS)
def test_silence_and_waiting_decide_nothing(outcomes, endings):
    truths = [(PaymentReport(outcome, "order-1"), False) for outcome in outcomes]
    standing, bookings, reviews, _ = live_through(truths, endings)
    assert standing.attempt in attempt.LIVE
    assert (bookings, reviews) == ([], [])


@given(TRUTHS, ENDINGS)
def test_only_a_live_attempt_s_whole_amount_is_reserved_and_nothing_is_booked_for_it(truths, endings):
    standing, bookings, _, _ = live_through(truths, endings, awaits_word=True)
    if standing.intent is IntentStatus.REQUIRES_CAPTURE:
        assert standing.attempt in attempt.LIVE
        assert Booking.IN_TIME not in bookings
        assert any(report.authorised == AMOUNT for report, _ in truths)


def test_where_nobody_captures_later_nothing_is_reserved():
    standing = Standing("pa_1", AttemptStatus.PENDING, IntentStatus.PROCESSING, AMOUNT)
    report = PaymentReport(Outcome.PENDING, "order-1", authorised=AMOUNT)
    assert judge(standing, report).intent is IntentStatus.PROCESSING
    assert judge(replace(standing, awaits_word=True), report).intent is IntentStatus.REQUIRES_CAPTURE


def test_success_without_an_amount_is_no_success():
    standing = Standing("pa_1", AttemptStatus.PENDING, IntentStatus.PROCESSING, AMOUNT)
    assert judge(standing, PaymentReport(Outcome.SUCCEEDED)).attempt is AttemptStatus.UNKNOWN


def test_a_void_that_succeeds_proves_the_attempt_dead():
    standing = Standing("pa_1", AttemptStatus.PENDING, IntentStatus.PROCESSING, AMOUNT)
    verdict = judge(standing, PaymentReport(Outcome.SUCCEEDED, reversed=True), given_up=True)
    assert (verdict.attempt, verdict.intent) == (AttemptStatus.VOIDED, IntentStatus.REQUIRES_PAYMENT)


def test_hc13_a_capture_the_provider_took_back_is_somebody_s_work_unless_we_asked_for_it():
    standing = Standing("pa_1", AttemptStatus.SUCCEEDED, IntentStatus.PAID, AMOUNT)
    reversal = PaymentReport(Outcome.DECLINED, "order-1", reversed=True)
    assert judge(standing, reversal).review is Review.REVERSED_BY_PROVIDER
    assert judge(replace(standing, given_back=True), reversal).review is None
