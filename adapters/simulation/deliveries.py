"""Callbacks as a provider sends them: in the background, and under the callback faults of the menu."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import aiohttp

from adapters.simulation.faults import Fault, Faults

TIMEOUT_S: Final = 15.0
SENT_KEPT_MAX: Final = 2_000


@dataclass(frozen=True, slots=True)
class Delivery:
    """One callback, ready to send. `about` names the payment, so that an older one can be replayed."""

    about: str
    url: str
    headers: dict[str, str]
    body: bytes
    method: str = "POST"


@dataclass(frozen=True, slots=True)
class Tampering:
    """How one provider's callbacks are forged, and made to speak of a payment nobody knows."""

    forge: Callable[[Delivery], Delivery]
    estrange: Callable[[Delivery], Delivery]


class Deliveries:
    """Sends callbacks once each unless told otherwise, and keeps what each was answered."""

    def __init__(self, faults: Faults, tampering: Tampering, session: Callable[[], aiohttp.ClientSession]) -> None:
        self.sent: list[tuple[Delivery, int | str]] = []
        self._faults = faults
        self._tampering = tampering
        self._session = session
        self._running: set[asyncio.Task[None]] = set()

    async def send(self, deliveries: Sequence[Delivery]) -> None:
        """Send after the answer, or as the next callback fault says."""
        if not deliveries:
            return
        fault = self._faults.take("callback")
        if fault is not None and fault.name == "before_answer":
            await self._deliver(deliveries, None)
            return
        task = asyncio.get_running_loop().create_task(self._deliver(deliveries, fault))
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

    def listing(self) -> list[dict[str, Any]]:
        return [
            {"about": delivery.about, "body": delivery.body.decode("utf-8", "replace"), "answer": answer}
            for delivery, answer in self.sent
        ]

    async def _deliver(self, deliveries: Sequence[Delivery], fault: Fault | None) -> None:
        name = fault.name if fault else ""
        if name == "none":
            return
        count = int(fault.number("count", 2)) if fault else 1
        if fault and name == "after":
            await asyncio.sleep(fault.number("seconds", 1))
        for delivery in reversed(deliveries) if name == "reordered" else deliveries:
            shown = self._tampered(delivery, name)
            if name == "concurrent":
                await asyncio.gather(*(self._post(shown) for _ in range(count)))
                continue
            for _ in range(count if name == "duplicate" else 1):
                await self._post(shown)
        if name == "stale":
            # The first ever sent about this payment, as an attacker who kept it would replay it.
            earlier = (old for old, _ in self.sent if old.about == deliveries[0].about)
            await self._post(next(earlier, deliveries[0]))

    def _tampered(self, delivery: Delivery, name: str) -> Delivery:
        if name == "bad_signature":
            return self._tampering.forge(delivery)
        return self._tampering.estrange(delivery) if name == "unknown_reference" else delivery

    async def _post(self, delivery: Delivery) -> None:
        answer: int | str
        try:
            async with self._session().request(
                delivery.method,
                delivery.url,
                data=delivery.body,
                headers={"Content-Type": "application/json", **delivery.headers},
                timeout=aiohttp.ClientTimeout(total=TIMEOUT_S),
                allow_redirects=False,
            ) as response:
                answer = response.status
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            answer = type(error).__name__
        self.sent.append((delivery, answer))
        del self.sent[:-SENT_KEPT_MAX]
