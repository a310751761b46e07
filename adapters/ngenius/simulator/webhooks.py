"""Webhooks as the acquirer sends them: one POST an event, never repeated, and the ways that goes wrong."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import aiohttp
import msgspec

from adapters.ngenius.simulator.book import Book, Row
from adapters.ngenius.simulator.faults import Fault, Faults

TIMEOUT_S: Final = 15.0
SENT_KEPT_MAX: Final = 10_000


@dataclass(slots=True)
class Outlet:
    """What a merchant configures in the portal."""

    callback_url: str | None
    header_name: str
    header_value: str


class Webhooks:
    """Posts events in the background and keeps what each was answered."""

    def __init__(
        self, book: Book, faults: Faults, outlet: Outlet, session: Callable[[], aiohttp.ClientSession]
    ) -> None:
        self.outlet = outlet
        self.sent: list[dict[str, Any]] = []
        self._book = book
        self._faults = faults
        self._session = session
        self._running: set[asyncio.Task[None]] = set()

    async def announce(self, order: Row, events: Sequence[str], document: dict[str, Any]) -> None:
        """Send the events after the answer, or as the next callback fault says."""
        if not events or self.outlet.callback_url is None:
            return
        payloads = [self._payload(order, name, document) for name in events]
        fault = self._faults.take("callback")
        if fault is not None and fault.name == "before_answer":
            await self._deliver(payloads, fault)
            return
        task = asyncio.get_running_loop().create_task(self._deliver(payloads, fault))
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def drain(self) -> None:
        """Wait until nothing is under way; tests ask before they look."""
        while self._running:
            await asyncio.gather(*self._running, return_exceptions=True)

    async def stop(self) -> None:
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    def _payload(self, order: Row, name: str, document: dict[str, Any]) -> dict[str, Any]:
        event_id = self._book.add_event(order["reference"], name)
        return {"eventId": event_id, "eventName": name, "outletId": order["outlet"], "order": document}

    async def _deliver(self, payloads: list[dict[str, Any]], fault: Fault | None) -> None:
        name = fault.name if fault else ""
        if name == "none":
            return
        count = int(fault.number("count", 2)) if fault else 1
        if fault and name == "after":
            await asyncio.sleep(fault.number("seconds", 1))
        if name == "reordered":
            payloads.reverse()
        if name == "unknown_reference":
            strange = self._book.mint()
            payloads = [
                {**payload, "order": {**payload["order"], "reference": strange, "merchantOrderReference": strange}}
                for payload in payloads
            ]
        for payload in payloads:
            if name == "concurrent":
                await asyncio.gather(*(self._post(payload) for _ in range(count)))
                continue
            for _ in range(count if name == "duplicate" else 1):
                await self._post(payload, forged=name == "bad_signature")
        if name == "stale":
            await self._post(self._oldest(payloads[0]))

    def _oldest(self, payload: dict[str, Any]) -> dict[str, Any]:
        """Return the first event ever sent about this order, as an attacker who kept it would replay it."""
        reference = payload["order"]["reference"]
        earlier = (sent["payload"] for sent in self.sent if sent["payload"]["order"]["reference"] == reference)
        return next(earlier, payload)

    async def _post(self, payload: dict[str, Any], *, forged: bool = False) -> None:
        outlet = self.outlet
        if outlet.callback_url is None:
            return
        headers = {"Content-Type": "application/json"}
        if outlet.header_name:
            headers[outlet.header_name] = "forged-header-value" if forged else outlet.header_value
        answer: int | str
        try:
            async with self._session().post(
                outlet.callback_url,
                data=msgspec.json.encode(payload),
                headers=headers,
                timeout=aiohttp.ClientTimeout(total=TIMEOUT_S),
                allow_redirects=False,
            ) as response:
                answer = response.status
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            answer = type(error).__name__
        self.sent.append({"payload": payload, "answer": answer})
        del self.sent[:-SENT_KEPT_MAX]
