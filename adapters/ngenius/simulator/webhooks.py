"""Webhooks as the acquirer sends them: one POST an event, never repeated, proven only by a static header."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import aiohttp
import msgspec

from adapters.ngenius.simulator.book import Book, Row
from adapters.simulation.deliveries import Deliveries, Delivery, Tampering
from adapters.simulation.faults import Faults


@dataclass(slots=True)
class Outlet:
    """What a merchant configures in the portal."""

    callback_url: str | None
    header_name: str
    header_value: str


class Webhooks:
    """Words events and hands them to the deliveries."""

    def __init__(
        self, book: Book, faults: Faults, outlet: Outlet, session: Callable[[], aiohttp.ClientSession]
    ) -> None:
        self.outlet = outlet
        self.deliveries = Deliveries(faults, Tampering(self._forge, self._estrange), session)
        self._book = book

    async def announce(self, order: Row, events: Sequence[str], document: dict[str, Any]) -> None:
        """Send the events of one change, in order."""
        url = self.outlet.callback_url
        if url is None:
            return
        headers = {self.outlet.header_name: self.outlet.header_value} if self.outlet.header_name else {}
        deliveries = []
        for name in events:
            event_id = self._book.add_event(order["reference"], name)
            event = {"eventId": event_id, "eventName": name, "outletId": order["outlet"], "order": document}
            deliveries.append(Delivery(order["reference"], url, headers, msgspec.json.encode(event)))
        await self.deliveries.send(deliveries)

    def _forge(self, delivery: Delivery) -> Delivery:
        return replace(delivery, headers=dict.fromkeys(delivery.headers, "forged-header-value"))

    def _estrange(self, delivery: Delivery) -> Delivery:
        event = msgspec.json.decode(delivery.body)
        strange = self._book.mint()
        event["order"] |= {"reference": strange, "merchantOrderReference": strange}
        return replace(delivery, body=msgspec.json.encode(event))
