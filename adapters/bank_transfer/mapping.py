"""From the credits that name a payment to what is known of it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from adapters.bank_transfer.papers import Credit
from adapters.contract import RECEIVED_MINOR, Outcome, PaymentReport
from ledger.money import Money

WAITING: Final = "waiting"
IN_PART: Final = "received_in_part"
RECEIVED: Final = "received"
TOO_MUCH: Final = "received_too_much"


def total_of(found: Iterable[Credit], key: str, currency: str) -> Money:
    """Sum what came for one reference. A credit that names several payments is for people: nothing is guessed."""
    return Money(
        sum(
            credit.amount.amount_minor
            for credit in found
            if credit.keys == (key,) and credit.amount.currency == currency
        ),
        currency,
    )


def read_report(reference: str, key: str, asked: Money, received: Money) -> PaymentReport:
    """Say how a payment stands.

    What pays it is what was asked: anything beyond is told as a fact, and booked to suspense when the statement shows
    it. So `captured` is never more than asked.
    """
    facts = {RECEIVED_MINOR: str(received.amount_minor)} if received.amount_minor else {}
    if received.amount_minor < asked.amount_minor:
        word = IN_PART if received.amount_minor else WAITING
        return PaymentReport(Outcome.PENDING, key if facts else None, reference, word=word, facts=facts)
    word = RECEIVED if received == asked else TOO_MUCH
    return PaymentReport(Outcome.SUCCEEDED, key, reference, captured=asked, word=word, facts=facts)
