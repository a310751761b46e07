"""A receipt by its number, for whoever was shown one and wants to know whether it is genuine."""

from __future__ import annotations

from typing import Final

from gateway.deps import Deps
from gateway.services.payers.read_receipt import receipt_of
from gateway.services.payers.views import ReceiptView
from gateway.store import intents

_NUMBER_MAX: Final = 100


async def find_receipt(deps: Deps, number: str) -> ReceiptView | None:
    """Return the receipt with this number, if there is one. Who may see it is for the caller to prove."""
    if not 0 < len(number) <= _NUMBER_MAX or not number.isascii() or not number.isprintable():
        return None
    catalogue = await deps.catalogue.get()
    async with deps.connection() as connection:
        intent = await intents.by_receipt(connection, number)
        return await receipt_of(deps, connection, catalogue, intent) if intent else None
