"""The status tables, read the way a finance officer would: what is final, what may be undone, what never happens."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.contract import Outcome, RefundReport
from gateway.domain import attempt, intent, refund
from gateway.domain.attempt import AttemptStatus
from gateway.domain.errors import TransitionError
from gateway.domain.intent import IntentEvent, IntentStatus
from gateway.domain.refund import RefundStatus


def test_paid_cancelled_and_expired_are_final():
    assert {IntentStatus.PAID, IntentStatus.CANCELLED, IntentStatus.EXPIRED} == intent.FINAL


@pytest.mark.parametrize(("status", "event"), list(product(IntentStatus, IntentEvent)))
def test_an_intent_moves_only_along_its_table(status, event):
    if intent.may(status, event):
        assert intent.advance(status, event) is intent.TRANSITIONS[status, event]
    else:
        with pytest.raises(TransitionError):
            intent.advance(status, event)


@given(st.lists(st.sampled_from(IntentEvent)))
def test_money_for_a_final_intent_is_always_late(events):
    status = IntentStatus.REQUIRES_PAYMENT
    for event in events:
        if intent.may(status, event):
            status = intent.advance(status, event)
    assert intent.takes_late_money(status) == (status in intent.FINAL)


def test_every_attempt_status_is_live_dead_or_succeeded():
    assert {*attempt.LIVE, *attempt.PROVEN_DEAD, AttemptStatus.SUCCEEDED} == set(AttemptStatus)


def test_no_edge_leaves_success():
    assert not [target for source, target in attempt.TRANSITIONS if source is AttemptStatus.SUCCEEDED]


def test_the_dead_come_back_only_by_name():
    back = {
        name
        for (source, target), name in attempt.TRANSITIONS.items()
        if source in attempt.PROVEN_DEAD or (source is AttemptStatus.SUCCEEDED and target is not source)
    }
    assert back == attempt.REGRESSIONS


@given(st.lists(st.sampled_from([outcome for outcome in Outcome if outcome is not Outcome.NOT_SENT])))
def test_whatever_the_order_success_wins_and_stays(outcomes):
    status = AttemptStatus.STARTING
    for outcome in outcomes:
        target = attempt.status_of(outcome)
        if attempt.edge(status, target):
            status = target
    assert (status is AttemptStatus.SUCCEEDED) == (Outcome.SUCCEEDED in outcomes)


@given(st.lists(st.sampled_from([Outcome.UNKNOWN, Outcome.PENDING])))
def test_silence_never_becomes_failure(outcomes):
    status = AttemptStatus.STARTING
    for outcome in outcomes:
        target = attempt.status_of(outcome)
        if attempt.edge(status, target):
            status = target
    assert status in attempt.LIVE


@given(st.lists(st.sampled_from([Outcome.UNKNOWN, Outcome.PENDING, Outcome.NOT_SENT])))
def test_a_refund_nobody_answered_for_keeps_counting(outcomes):
    status = RefundStatus.REQUESTED
    for outcome in outcomes:
        target = refund.status_of(RefundReport(outcome))
        if refund.edge(status, target):
            status = target
    assert status in refund.COUNTED
