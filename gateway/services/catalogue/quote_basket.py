"""What a basket would cost, without creating anything."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from gateway.deps import Deps
from gateway.domain.errors import InvalidError
from gateway.services.catalogue.parts import parts_of
from gateway.services.catalogue.price_basket import LineRequest, price_basket
from gateway.services.documents import Document, instant, line_document
from gateway.services.notices import money
from ledger.money import Money

AHEAD_MAX: Final = timedelta(days=731)


@dataclass(frozen=True, slots=True)
class QuoteRequest:
    lines: Sequence[LineRequest]
    bundle: str | None = None
    at: datetime | None = None


async def quote_basket(deps: Deps, department: str, request: QuoteRequest) -> Document:
    """Price a basket by the tariffs in force now, or at a later instant whose tariffs are approved already."""
    catalogue = await deps.catalogue.get()
    owner = catalogue.departments.get(department)
    if owner is None:
        raise InvalidError("this department is not in the catalogue")
    now = deps.clock()
    at = request.at or now
    if not now <= at <= now + AHEAD_MAX:
        raise InvalidError("lies before now, or more than two years ahead", pointer="/at")
    basket = price_basket(request.lines, request.bundle, catalogue, owner, at)
    currency = basket.amount.currency
    return {
        "object": "quote",
        "priced_at": instant(at),
        "bundle": basket.bundle,
        "amount": money(basket.amount),
        "vat": money(Money(sum(line.vat_minor for line in basket.lines), currency)),
        "lines": [line_document(line, currency) for line in basket.lines],
        "departments": [
            {"department": part.department, "amount": money(part.amount), "vat": money(part.vat)}
            for part in parts_of(basket.lines, currency)
        ],
    }
