"""How a payment stands, in the payer's words: whether money moved, and what comes next."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from adapters.contract import ApproveOnPhone, Method, PayReference, Redirect
from gateway.checkout.standing import State
from gateway.checkout.telling import Act, OutcomePage, Telling
from gateway.checkout.transfer_outcome import tell_closed_in_part, tell_transfer
from gateway.services.payers.views import CheckoutView
from gateway.web.csrf import csrf_token
from gateway.web.i18n import Language
from gateway.web.pages import Pages, ltr, mobile, money

_BY_LINK: Final = frozenset({Method.CARD, Method.BANK})


def _cancelled(told: Telling) -> OutcomePage:
    if told.received:
        return tell_closed_in_part(told, told.received)
    return OutcomePage(
        told.say("Payment cancelled"),
        "cross",
        "info",
        told.say("No money was taken."),
        nothing_moved=True,
        sentences=(
            told.say("This payment was cancelled and its link cannot be used again."),
            told.say("The fee is still due. To pay it, start again at %(department)s.", department=told.department),
        ),
        acts=told.back(),
    )


def _expired(told: Telling) -> OutcomePage:
    if told.received:
        return tell_closed_in_part(told, told.received)
    return OutcomePage(
        told.say("This payment link has expired"),
        "clock",
        "info",
        told.say("No money was taken."),
        nothing_moved=True,
        sentences=(
            told.say("The time to pay is over, so this link cannot be used any more."),
            told.say("The fee is still due. To pay it, start again at %(department)s.", department=told.department),
        ),
        acts=told.back(),
    )


def _late(told: Telling) -> OutcomePage:
    return OutcomePage(
        told.say("Your money arrived late"),
        "clock",
        "warn",
        told.say("Money was taken, and it is safe."),
        nothing_moved=False,
        sentences=(
            told.say("It arrived after this payment was closed. Do not pay again."),
            told.say(
                "%(department)s will either accept it or send all of it back the way it came. You will be told which.",
                department=told.department,
            ),
        ),
        acts=told.back("plain"),
    )


def _paid(told: Telling) -> OutcomePage:
    received, total = told.received, told.view.total
    too_much = received - total if received is not None and received.amount_minor > total.amount_minor else None
    return OutcomePage(
        told.say("This bill is already paid"),
        "tick",
        "good",
        told.say("Your payment was received. Nothing more will be taken."),
        nothing_moved=False,
        sentences=(
            told.say("A second payment for this bill arrived as well. It is safe, and it will be sent back to you.")
            if told.view.late_payment
            else told.say("You sent %(excess)s too much. It is safe, and it will be sent back.", excess=money(too_much))
            if too_much
            else told.say("You do not need to do anything. Your receipt is here whenever you want it."),
        ),
        acts=(Act(told.say("See your receipt"), told.path("/receipt")), *told.back("plain")),
    )


def _started(told: Telling) -> OutcomePage:
    """Tell where the payer left off. What they must do depends on the provider's next step."""
    step = told.view.last_attempt.next_step if told.view.last_attempt else None
    check = Act(told.say("Check again"), told.path("/result"), "plain")
    match step:
        case ApproveOnPhone():
            return OutcomePage(
                told.say("Approve on your phone"),
                "mobile",
                "info",
                told.say("Nothing is taken until you approve."),
                nothing_moved=True,
                sentences=(
                    told.say(
                        "We sent a request to %(mobile)s. Open it and approve the payment.", mobile=mobile(step.mobile)
                    ),
                    told.say("This page is up to date whenever you check again. Do not pay a second time."),
                ),
                acts=(Act(told.say("Check again"), told.path("/result")), told.cancel()),
                listens=told.path("/state"),
            )
        case PayReference():
            return tell_transfer(told, step)
        case _:
            return OutcomePage(
                told.say("You started paying"),
                "lock",
                "info",
                told.say("We have no word from the bank yet."),
                nothing_moved=False,
                sentences=(
                    told.say("If you have not finished, continue on the bank’s secure page."),
                    told.say("If you finished there, check the result. Do not pay a second time."),
                ),
                acts=(
                    Act(told.say("Continue on the secure page"), told.path("/continue")),
                    check,
                    *told.another_bank(),
                    *told.another_way(),
                    told.cancel(),
                ),
                listens=told.path("/state"),
            )


def _checking(told: Telling) -> OutcomePage:
    reached = told.view.payer_email or told.view.payer_mobile
    attempt = told.view.last_attempt
    further: tuple[Act, ...] = ()
    if attempt and isinstance(attempt.next_step, Redirect):
        further = (Act(told.say("I have not finished on the secure page"), told.path("/continue"), "plain"),)
    elif attempt and attempt.next_step is None and attempt.method in _BY_LINK:
        # Perhaps our request was lost on its way. The service takes up the same payment, or says that it is too early.
        csrf = csrf_token(told.key, "pay", told.view.token)
        further = (Act(told.say("Continue this payment"), told.path(), "plain", csrf),)
    return OutcomePage(
        told.say("We are waiting for your bank’s answer"),
        "turn",
        "warn",
        told.say("Do not pay again: you cannot be charged twice for this."),
        nothing_moved=False,
        sentences=(
            told.say("Your bank has not yet told us whether money was taken. We keep asking until it does."),
            told.say(
                "You may close this page. As soon as the bank says yes or no, we write to %(contact)s.",
                contact=ltr(reached),
            )
            if reached
            else told.say("You may close this page and open the same link later to see the result."),
        ),
        acts=(
            Act(told.say("Check again"), told.path("/result")),
            *further,
            *told.back("bare"),
        ),
        listens=told.path("/state"),
    )


def _reserved(told: Telling) -> OutcomePage:
    """Tell that the payer has done all there is to do: the money is held, and taken when the department says so."""
    return OutcomePage(
        told.say("The amount is reserved"),
        "tick",
        "good",
        told.say("Your bank holds it for %(department)s. Nothing was taken yet.", department=told.department),
        nothing_moved=False,
        sentences=(
            told.say("You do not need to do anything. Do not pay again."),
            told.say(
                "%(department)s will take it, or a part of it, or let go of it. Your receipt comes when it is taken.",
                department=told.department,
            ),
        ),
        acts=told.back(),
    )


def _unavailable(told: Telling) -> OutcomePage:
    """Tell that no provider takes this payment at present: the link is good, only the moment is not."""
    return OutcomePage(
        told.say("You cannot pay just now"),
        "clock",
        "warn",
        told.say("No money was taken."),
        nothing_moved=True,
        sentences=(
            told.say("The payment service is being looked after. Your link stays valid: try again in a while."),
        ),
        acts=(Act(told.say("Try again"), told.path()), *told.back("plain")),
    )


_TELLERS: Final[Mapping[State, Callable[[Telling], OutcomePage]]] = {
    State.PAYABLE: _unavailable,
    State.DECLINED: _unavailable,
    State.STARTED: _started,
    State.CHECKING: _checking,
    State.RESERVED: _reserved,
    State.PAID: _paid,
    State.CANCELLED: _cancelled,
    State.EXPIRED: _expired,
    State.LATE: _late,
}


def outcome_page(view: CheckoutView, state: State, language: Language, key: bytes) -> OutcomePage:
    """Return the words of the page for a state in which there is nothing to choose."""
    return _TELLERS[state](Telling(view, language, key))


def render_outcome(pages: Pages, view: CheckoutView, state: State, language: str, key: bytes) -> bytes:
    page = outcome_page(view, state, pages.languages[language], key)
    return pages.render("outcome.html", language, view=view, outcome=page, trial=pages.trial_of(view.live))
