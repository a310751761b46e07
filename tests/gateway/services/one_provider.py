"""The gateway over one provider, as a test holds it: a department's requests, and the payer's hand at the simulator."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import aiohttp
from msgspec.structs import replace

from adapters.contract import OffersBanks, Provider
from gateway.deps import Deps
from gateway.domain.contact import Contact
from gateway.services import links
from gateway.services.attempts.start_payment import start_payment
from gateway.worker import JOBS
from ledger.money import Money

CONTACT = Contact(email="fatima@example.ae", mobile="+971501234567")


@dataclass
class Counter:
    """The gateway over one provider, and the payer's hand at its simulator."""

    deps: Deps
    provider: Provider
    method: Any
    url: str
    simulator: str
    session: aiohttp.ClientSession
    key: str
    amount: Money
    asked: int = 0
    return_to: str = ""

    async def ask(self, method: str, path: str, body: Any = None) -> Any:
        self.asked += 1
        headers = {"Authorization": f"Bearer {self.key}", "Idempotency-Key": f'"counter-{self.asked}"'}
        async with self.session.request(method, self.url + path, json=body, headers=headers) as answer:
            assert answer.status < 300, await answer.text()
            return await answer.json()

    async def start(self) -> tuple[dict[str, Any], str]:
        """Create an intent and start paying it; return it with the attempt's id."""
        body = {"reference": f"INV-{self.asked}", "lines": [{"service": "licence"}]}
        intent = await self.ask("POST", "/v1/payment-intents", body)
        banks = self.provider.banks if isinstance(self.provider, OffersBanks) else ()
        contact = replace(CONTACT, bank=banks[0].code) if banks else CONTACT
        started = await start_payment(self.deps, links.token_of(self.deps, intent["id"]), self.method, contact)
        assert started.next_step is not None
        attempt = await self.deps.pool.fetchval("SELECT id FROM gateway.attempt WHERE intent = $1", intent["id"])
        return intent, attempt

    async def pay(self, attempt: str, *, comes_back: bool = True, **arguments: Any) -> None:
        for route, body in (("pay", {"reference": attempt, **arguments}), ("drain", {})):
            async with self.session.post(f"{self.simulator}/simulator/{route}", json=body) as answer:
                assert answer.status < 300, await answer.text()
                said = await answer.json()
            if "return_to" in said:
                self.return_to = said["return_to"]
                if comes_back:
                    await self.come_back()

    async def come_back(self) -> None:
        """Land where the bank sends the payer's browser, with what we need to make the payment."""
        async with self.session.get(self.return_to, allow_redirects=False) as landed:
            assert (landed.status, landed.headers["Location"].endswith("/result")) == (303, True)

    async def fault(self, call: str, name: str, **arguments: Any) -> None:
        body = {"call": call, "fault": name, **arguments}
        async with self.session.post(f"{self.simulator}/simulator/faults", json=body) as answer:
            assert answer.status < 300, await answer.text()

    async def charges(self, attempt: str) -> int:
        async with self.session.get(f"{self.simulator}/simulator/charges", params={"reference": attempt}) as answer:
            return (await answer.json())["charges"]

    async def work(self) -> None:
        for _ in range(20):
            if not sum([await job.run(self.deps) for job in JOBS]):
                return
        raise AssertionError("the jobs never come to rest")

    async def status(self, intent: dict[str, Any]) -> str:
        return (await self.ask("GET", f"/v1/payment-intents/{intent['id']}"))["status"]
