"""How a payment stands, in the payer's words: whether money moved, and what comes next."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from markupsafe import Markup

from adapters.contract import ApproveOnPhone, Method, PayReference, Redirect
from gateway.checkout.standing import State
from gateway.checkout.transfer import TransferSlip
from gateway.services.payers.views import CheckoutView
from gateway.web.csrf import csrf_token
from gateway.web.i18n import Language
from gateway.web.pages import Pages, ltr, mobile, money
from ledger.money import Money

_BY_LINK: Final = frozenset({Method.CARD, Method.BANK})


@dataclass(frozen=True, slots=True)
class Act:
    """One thing the payer can do next; with `csrf` it is a form that changes something."""

    label: str
    address: str
    look: Literal["", "plain", "bare"] = ""
    csrf: str | None = None
    outside: bool = False


@dataclass(frozen=True, slots=True)
class OutcomePage:
    """One end page: its words, in one language."""

    title: str
    icon: str
    tone: Literal["good", "bad", "warn", "info"]
    moved: str
    nothing_moved: bool
    sentences: tuple[str, ...]
    acts: tuple[Act, ...] = ()
    transfer: TransferSlip | None = None
    next: tuple[str, ...] = ()
    listens: str | None = None

    @property
    def code(self) -> Markup:
        """Draw the transfer's square code."""
        return Markup(self.transfer.code_svg() if self.transfer else "")  # noqa: S704 - drawn by us


@dataclass(frozen=True, slots=True)
class _Telling:
    view: CheckoutView
    language: Language
    key: bytes

    def say(self, message: str, **values: object) -> str:
        return self.language.text(message, **values)

    @property
    def department(self) -> str:
        return self.language.choose(self.view.department)

    def path(self, part: str = "") -> str:
        return f"/pay/{self.view.token}{part}"

    def back(self, look: Literal["", "plain", "bare"] = "") -> tuple[Act, ...]:
        if self.view.return_url is None:
            return ()
        label = self.say("Go back to %(department)s", department=self.department)
        return (Act(label, self.view.return_url, look, outside=True),)

    def another_way(self) -> tuple[Act, ...]:
        """Offer the other methods; the service gives the first one up at its provider before it starts another."""
        used = self.view.last_attempt.method if self.view.last_attempt else None
        other = next((method for method in self.view.methods if method is not used), None)
        return (Act(self.say("Pay another way"), f"{self.path()}?method={other}", "plain"),) if other else ()

    def another_bank(self) -> tuple[Act, ...]:
        """Offer the other banks; the service takes the consent back at the first before it asks another."""
        used = self.view.last_attempt.method if self.view.last_attempt else None
        if used is not Method.BANK or len(self.view.banks) < 2:  # noqa: PLR2004 - one bank is no choice
            return ()
        return (Act(self.say("Choose another bank"), f"{self.path()}?method={Method.BANK}", "plain"),)

    @property
    def received(self) -> Money | None:
        """What has come of a transfer, if any."""
        return self.view.last_attempt.received if self.view.last_attempt else None

    def cancel(self) -> Act:
        csrf = csrf_token(self.key, "cancel", self.view.token)
        return Act(self.say("Cancel this payment"), self.path("/cancel"), "bare", csrf)


def _cancelled(told: _Telling) -> OutcomePage:
    if told.received:
        return _closed_in_part(told, told.received)
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


def _expired(told: _Telling) -> OutcomePage:
    if told.received:
        return _closed_in_part(told, told.received)
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


def _late(told: _Telling) -> OutcomePage:
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


def _paid(told: _Telling) -> OutcomePage:
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


def _started(told: _Telling) -> OutcomePage:
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
            return _transfer(told, step)
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


def _transfer(told: _Telling, step: PayReference) -> OutcomePage:
    """Tell what to send; where a part has come, how much is still to be sent."""
    received, total = told.received, told.view.total
    reached = told.view.payer_email or told.view.payer_mobile
    first = (
        told.say("In your bank’s app or at a branch, send the amount to this account and quote the reference.")
        if step.reference
        else told.say("In your bank’s app or at a branch, send the amount to this account. It is for this bill alone.")
    )
    following = (
        first,
        told.say("We ask our bank all day. Most transfers arrive within minutes, some on the next working day."),
        told.say("When all of it is here, your receipt goes to %(contact)s.", contact=ltr(reached))
        if reached
        else told.say("When all of it is here, your receipt is on this page. Keep the link."),
    )
    check = Act(told.say("I have sent it: check now"), told.path("/result"))
    if received is not None and received.amount_minor < total.amount_minor:
        return OutcomePage(
            told.say("A part of your transfer has arrived"),
            "clock",
            "warn",
            told.say("%(received)s of %(total)s are here.", received=money(received), total=money(total)),
            nothing_moved=False,
            sentences=(told.say("Send the rest in the same way. What has come is safe and counts."),),
            acts=(check,),
            transfer=TransferSlip(step, total - received),
            next=following,
            listens=told.path("/state"),
        )
    return OutcomePage(
        told.say("Send the transfer"),
        "bank",
        "info",
        told.say("Nothing is taken until you send it."),
        nothing_moved=True,
        sentences=(
            told.say("Send exactly this amount and quote the reference: it is how your payment is found.")
            if step.reference
            else told.say("Send exactly this amount: the account is how your payment is found."),
        ),
        acts=(check, told.cancel()),
        transfer=TransferSlip(step, total),
        next=following,
        listens=told.path("/state"),
    )


def _closed_in_part(told: _Telling, received: Money) -> OutcomePage:
    """Tell a payer whose transfer came in part, and whose payment was closed before the rest did."""
    return OutcomePage(
        told.say("Only a part of your transfer arrived in time"),
        "clock",
        "warn",
        told.say("%(received)s of %(total)s are here, and safe.", received=money(received),
                 total=money(told.view.total)),
        nothing_moved=False,
        sentences=(
            told.say("This payment is closed. Do not send the rest."),
            told.say("The part that came will be sent back to you. To pay the fee, start again at %(department)s.",
                     department=told.department),
        ),
        acts=told.back("plain"),
    )  # fmt: skip


def _checking(told: _Telling) -> OutcomePage:
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


def _reserved(told: _Telling) -> OutcomePage:
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


def _unavailable(told: _Telling) -> OutcomePage:
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


_TELLERS: Final[Mapping[State, Callable[[_Telling], OutcomePage]]] = {
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
    return _TELLERS[state](_Telling(view, language, key))


def render_outcome(pages: Pages, view: CheckoutView, state: State, language: str, key: bytes) -> bytes:
    page = outcome_page(view, state, pages.languages[language], key)
    return pages.render("outcome.html", language, view=view, outcome=page, trial=pages.trial_of(view.live))
