"""What a basket would cost, without creating anything."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from gateway.deps import Deps
from gateway.domain.errors import InvalidError
from gateway.domain.idempotency import Claim, StoredAnswer
from gateway.services.catalogue.parts import parts_of
from gateway.services.catalogue.price_basket import LineRequest, price_basket
from gateway.services.documents import Document, instant, line_document
from gateway.services.notices import money
from gateway.services.once import Made, earlier, once
from gateway.store.connections import Connection
from ledger.money import Money

AHEAD_MAX: Final = timedelta(days=731)


@dataclass(frozen=True, slots=True)
class QuoteRequest:
    lines: Sequence[LineRequest]
    bundle: str | None = None
    at: datetime | None = None


async def quote_basket(deps: Deps, department: str, request: QuoteRequest, claim: Claim) -> StoredAnswer:
    """Price a basket by the tariffs in force now, or at a later instant whose tariffs are approved already.

    Nothing is made but the answer, which the same key gets again whatever has become of the tariffs.
    """
    if (stored := await earlier(deps, claim)) is not None:
        return stored
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
    quote: Document = {
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

    async def work(_: Connection) -> Made:
        return "quote", quote

    return await once(deps, claim, 200, work)
