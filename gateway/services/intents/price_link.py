"""What a payment link costs now, and whether it can still be asked for at all."""

from __future__ import annotations

from datetime import datetime

from gateway.domain.errors import InvalidError
from gateway.domain.payment_link import PaymentLink
from gateway.services.catalogue.price_basket import LineRequest, price_basket
from gateway.store.catalogue import Catalogue
from ledger.money import Money


def price_link(link: PaymentLink, catalogue: Catalogue, now: datetime) -> Money | None:
    """Return what the link costs now, or the least that its payer may name.

    None where it can be asked for no more: its service is retired, or its tariff no longer takes what the link says.
    """
    owner = catalogue.departments.get(link.department)
    if owner is None or (link.least is not None and link.most is not None and link.most < link.least):
        return None
    try:
        amount = price_basket([line_of(link, link.amount or link.least)], None, catalogue, owner, now).amount
    except InvalidError:
        return None
    return amount or None


def line_of(link: PaymentLink, amount: Money | None) -> LineRequest:
    minor = amount.amount_minor if amount is not None else None
    if link.service is not None:
        return LineRequest(
            service=link.service,
            quantity=link.quantity,
            amount_minor=minor,
            base_minor=link.base_minor,
            answers=link.answers,
        )
    return LineRequest(
        quantity=link.quantity,
        amount_minor=minor,
        currency=link.currency,
        names=link.names,
        revenue_code=link.revenue_code,
    )
