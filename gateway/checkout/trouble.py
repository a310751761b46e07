"""Why the last try to pay came to nothing, in the payer's words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from adapters.contract import DeclineReason
from gateway.services.payers.views import CheckoutView
from gateway.web.i18n import Language, sentence

_DECLINES: Final[Mapping[DeclineReason, str]] = {
    DeclineReason.DECLINED_BY_BANK: sentence(
        "Your bank declined the payment. It may tell you why if you call the number on your card."
    ),
    DeclineReason.INSUFFICIENT_FUNDS: sentence("There was not enough money on the card or account."),
    DeclineReason.EXPIRED_CARD: sentence("The card has expired."),
    DeclineReason.AUTHENTICATION_FAILED: sentence("Your bank could not confirm that it was you."),
    DeclineReason.CANCELLED_BY_PAYER: sentence("You came back before the payment was finished."),
    DeclineReason.LIMIT_EXCEEDED: sentence("The amount is above a limit of your card or account."),
    DeclineReason.NOT_SUPPORTED: sentence("This card or account cannot be used for this payment."),
    DeclineReason.TIMED_OUT: sentence("The bank’s page was open for too long without an answer."),
    DeclineReason.RISK_REFUSED: sentence("The payment service refused this card for safety."),
    DeclineReason.INVALID_DETAILS: sentence("Some of the details did not match what the bank has."),
    DeclineReason.PROVIDER_OUTAGE: sentence("The payment service could not be reached."),
    DeclineReason.OTHER: sentence("The payment service did not accept the payment."),
}


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why the last try came to nothing, for the top of the pay page."""

    title: str
    reason: str


def trouble_of(view: CheckoutView, language: Language) -> Trouble:
    reason = (view.last_attempt.decline if view.last_attempt else None) or DeclineReason.OTHER
    came_back = reason is DeclineReason.CANCELLED_BY_PAYER
    title = language.text("You have not paid yet") if came_back else language.text("Your payment did not go through")
    return Trouble(title, language.text(_DECLINES[reason]))
