"""How a transfer stands that the payer writes: what to send, what has come, and what came too late to be whole."""

from __future__ import annotations

from adapters.contract import PayReference
from gateway.checkout.telling import Act, OutcomePage, Telling
from gateway.checkout.transfer import TransferSlip
from gateway.web.pages import ltr, money
from ledger.money import Money


def tell_transfer(told: Telling, step: PayReference) -> OutcomePage:
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


def tell_closed_in_part(told: Telling, received: Money) -> OutcomePage:
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
