"""How it ended: every state says whether money moved and what comes next."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from lxml import html

from adapters.contract import ApproveOnPhone, DeclineReason, Method, PayReference, Redirect
from gateway.checkout.outcome import outcome_page, render_outcome
from gateway.checkout.standing import State, state_of
from gateway.domain.attempt import AttemptStatus
from gateway.domain.intent import IntentStatus
from gateway.services.payers.views import AttemptView, CheckoutView
from gateway.web.pages import Pages

KEY = b"k" * 32
END_STATES = [state for state in State if state not in (State.PAYABLE, State.DECLINED)]


def attempt(view: CheckoutView, status: AttemptStatus, **more: object) -> AttemptView:
    return AttemptView("pa_1", status, Method.CARD, view.expires_at - timedelta(hours=1), **more)


def test_the_state_is_read_from_what_is_committed(view_of: Callable[..., CheckoutView]):
    view = view_of()
    waiting = attempt(view, AttemptStatus.PENDING, next_step=Redirect("https://bank.example/x"))
    dead = attempt(view, AttemptStatus.DECLINED, decline=DeclineReason.OTHER)
    unknown = attempt(view, AttemptStatus.UNKNOWN)
    cases = [
        (view_of(), State.PAYABLE),
        (view_of(last_attempt=dead), State.DECLINED),
        (view_of(status=IntentStatus.PROCESSING, last_attempt=waiting), State.STARTED),
        (view_of(status=IntentStatus.PROCESSING, last_attempt=unknown), State.CHECKING),
        (view_of(status=IntentStatus.REQUIRES_CAPTURE, last_attempt=waiting), State.RESERVED),
        (view_of(status=IntentStatus.PAID), State.PAID),
        (view_of(status=IntentStatus.PAID, late_payment=True), State.PAID),
        (view_of(status=IntentStatus.CANCELLED), State.CANCELLED),
        (view_of(status=IntentStatus.EXPIRED), State.EXPIRED),
        (view_of(status=IntentStatus.EXPIRED, late_payment=True), State.LATE),
        (view_of(status=IntentStatus.CANCELLED, late_payment=True), State.LATE),
    ]
    assert [(state_of(each), state) for each, state in cases] == [(state, state) for _, state in cases]


@pytest.mark.parametrize("language", ["ar", "en"])
@pytest.mark.parametrize("state", END_STATES)
def test_every_end_says_whether_money_moved_and_offers_one_next_thing(
    pages: Pages, view_of: Callable[..., CheckoutView], state: State, language: str
):
    page = outcome_page(view_of(payer_email="fatima@example.ae"), state, pages.languages[language], KEY)
    assert page.moved
    assert page.sentences
    assert page.acts
    drawn = html.document_fromstring(render_outcome(pages, view_of(), state, language, KEY))
    assert page.title in drawn.xpath("//title")[0].text
    assert drawn.xpath("//meta[@http-equiv]") == []


@pytest.mark.parametrize("state", [State.CANCELLED, State.EXPIRED])
def test_nothing_moved_is_said_in_the_fixed_words(pages: Pages, view_of: Callable[..., CheckoutView], state: State):
    assert outcome_page(view_of(), state, pages.languages["en"], KEY).moved == "No money was taken."
    assert outcome_page(view_of(), state, pages.languages["ar"], KEY).moved == "لم يُخصم أي مبلغ."


def test_while_checking_nobody_is_told_to_pay_again(pages: Pages, view_of: Callable[..., CheckoutView]):
    page = outcome_page(view_of(payer_email="fatima@example.ae"), State.CHECKING, pages.languages["en"], KEY)
    said = " ".join([page.moved, *page.sentences])
    assert "Do not pay again" in said
    assert "As soon as the bank says yes or no" in said
    assert next(act.address for act in page.acts if act.csrf is None) == "/pay/a-token/result"


def test_a_second_payment_is_promised_back(pages: Pages, view_of: Callable[..., CheckoutView]):
    page = outcome_page(view_of(late_payment=True), State.PAID, pages.languages["en"], KEY)
    assert "sent back" in page.sentences[0]


def test_a_phone_prompt_and_a_transfer_say_what_to_do(pages: Pages, view_of: Callable[..., CheckoutView]):
    view = view_of()
    phone = attempt(view, AttemptStatus.PENDING, next_step=ApproveOnPhone("+971501234567"))
    page = outcome_page(view_of(last_attempt=phone), State.STARTED, pages.languages["en"], KEY)
    assert page.title == "Approve on your phone"
    assert "+971 50 123 4567" in page.sentences[0]
    transfer = PayReference("AE070331234567890123456", "Treasury", "RF18539007547034")
    step = attempt(view, AttemptStatus.PENDING, next_step=transfer)
    drawn = render_outcome(pages, view_of(last_attempt=step), State.STARTED, "ar", KEY).decode()
    for value in ("AE07 0331 2345 6789 0123 456", "RF18 5390 0754 7034"):
        assert f'<bdi dir="ltr" class="long">{value}</bdi>' in drawn


def test_the_way_back_goes_nowhere_when_the_department_gave_none(pages: Pages, view_of: Callable[..., CheckoutView]):
    drawn = render_outcome(pages, view_of(return_url=None), State.CANCELLED, "en", KEY).decode()
    assert not re.search(r'href="(None|)"', drawn)
