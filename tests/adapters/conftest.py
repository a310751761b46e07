"""A stage for one provider: its simulator on a real port, the provider built as wiring builds it, its transcript."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import parse_qsl, urlsplit

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from adapters import registry
from adapters.contract import Finishes, OffersBanks, Outcome, PaymentOrder, PaymentReport, Provider
from adapters.http import Exchange, open_session
from ledger.money import Money

ACCOUNT = "AE070331234567890123456"


@dataclass
class Listener:
    """What stands where the gateway's callback route will: it keeps what arrives."""

    url: str = ""
    received: list[tuple[dict[str, str], bytes]] = field(default_factory=list)


@dataclass
class Stage:
    name: str
    provider: Provider
    base_url: str
    session: aiohttp.ClientSession
    clock: Callable[[], datetime]
    listener: Listener
    transcript: list[Exchange]
    settings: dict[str, str]
    orders: dict[str, PaymentOrder] = field(default_factory=dict)
    held_s: float = 0

    @property
    def recognised(self) -> bool:
        """Whether payments are recognised on the bank's papers: start calls nobody, and nobody calls back."""
        return self.can("announces")

    def order(self, reference: str = "pa_01", amount: Money | None = None, **changes) -> PaymentOrder:
        values = {
            "reference": reference,
            "amount": amount or registry.PROVIDERS[self.name].sample_amount,
            "description": "Trade licence renewal",
            "language": "en",
            "return_url": "http://127.0.0.1:9/return?token=t",
            "cancel_url": "http://127.0.0.1:9/cancel",
            "callback_url": self.listener.url,
            "expires_at": self.clock() + timedelta(hours=1),
            "payer_email": "fatima@example.ae",
            "payer_mobile": "+971501234567",
            "payer_bank": self.provider.banks[0].code if isinstance(self.provider, OffersBanks) else None,
            "landing_url": "http://127.0.0.1:9/returns/sample",
        }
        self.orders[reference] = order = PaymentOrder(**{**values, **changes})
        return order

    async def fault(self, call: str, name: str, times: int = 1, **arguments) -> None:
        if self.recognised:
            await self._bank_fault(call, name, times, arguments)
            return
        await self._control("faults", {"call": call, "fault": name, "times": times, **arguments})

    async def _bank_fault(self, call: str, name: str, times: int, arguments: dict) -> None:
        """Order the same mishap from the bank's own menu: a query is a look into its papers."""
        if call == "pay":
            self.held_s = arguments["delay_s"]
            return
        assert call == "query", f"{call}: there is no such call"
        kind = {"drop": "drop_before", "refuse": "drop_before"}.get(name, name)
        await self._control("faults", {"on": "listing", "kind": kind, "times": times, **arguments})

    async def pay(self, reference: str = "pa_01", amount: Money | None = None, **arguments) -> dict:
        """Let the payer decide; what their browser brings back is finished as the worker does."""
        if self.recognised:
            return await self._transfer(reference)
        answer = await self._control("pay", {"reference": reference, **arguments})
        if isinstance(self.provider, Finishes) and answer.get("return_to"):
            notice = self.provider.read_return(dict(parse_qsl(urlsplit(answer["return_to"]).query)))
            assert (notice.reference, notice.proven) == (reference, False)
            if notice.continuation is not None:
                await self.provider.finish(self.order(reference, amount), notice.continuation)
        return answer

    async def _transfer(self, reference: str) -> dict:
        """Send what the payer was told to, from their own bank."""
        order = self.orders[reference]
        step = (await self.provider.start(order)).next_step
        return await self._control(
            "credits",
            {
                "credit_id": reference,
                "amount_minor": order.amount.amount_minor,
                "currency": order.amount.currency,
                "remittance": step.reference,
                "delay_s": self.held_s,
            },
        )

    async def collect(self, reference: str = "pa_01", amount: Money | None = None) -> str:
        """Start and pay one order; return the provider's reference."""
        order = self.order(reference, amount)
        started = await self.provider.start(order)
        await self.pay(reference, amount)
        report = await self.provider.query(order, started.provider_reference)
        assert report.outcome is Outcome.SUCCEEDED
        return report.provider_reference or await self.named()

    async def named(self) -> str:
        """Return the provider's reference as its signed callback names it, where a query does not."""
        await self.drain()
        headers, body = self.listener.received[-1]
        report = self.provider.read_callback(headers, body)[0].report
        assert report is not None
        return report.provider_reference

    async def declined(self, reference: str = "pa_01", code: str = "") -> PaymentReport:
        """Start an order, let the payer's card be refused, and return what the provider says of it.

        Where a refusal ends nothing, because the payer may try again on the page, its callback says why.
        """
        order = self.order(reference)
        started = await self.provider.start(order)
        await self.pay(reference, decline_code=code)
        report = await self.provider.query(order, started.provider_reference)
        if registry.PROVIDERS[self.name].manifest.declines_final:
            assert report.outcome is Outcome.DECLINED
            return report
        assert report.outcome is Outcome.PENDING
        await self.drain()
        headers, body = self.listener.received[-1]
        told = self.provider.read_callback(headers, body)[0].report
        assert (told.outcome, told.provider_reference) == (Outcome.PENDING, None)
        return told

    def can(self, capability: str) -> bool:
        return capability in registry.PROVIDERS[self.name].manifest.capabilities

    async def drain(self) -> None:
        if self.recognised:
            return
        await self._control("drain", {})

    async def charges(self, reference: str = "pa_01") -> dict:
        if self.recognised:
            booked = [each for each in (await self.book())["bookings"] if each["credit_id"] == reference]
            captured = sum(each["amount_minor"] for each in booked)
            return {"charges": len(booked), "captured_minor": captured, "currency": (await self.book())["currency"]}
        async with self.session.get(f"{self.base_url}/simulator/charges", params={"reference": reference}) as answer:
            return await answer.json()

    async def book(self) -> dict:
        async with self.session.get(f"{self.base_url}/simulator/book") as answer:
            return await answer.json()

    async def control(self, route: str, body: dict) -> dict:
        return await self._control(route, body)

    async def _control(self, route: str, body: dict) -> dict:
        async with self.session.post(f"{self.base_url}/simulator/{route}", json=body) as answer:
            assert answer.status < 300, await answer.text()
            return await answer.json()


@pytest.fixture
async def listener() -> AsyncIterator[Listener]:
    heard = Listener()

    async def receive(request: web.Request) -> web.Response:
        headers = {**request.headers, ":path": request.rel_url.raw_path}  # as the gateway's callback route gives them
        heard.received.append((headers, await request.read()))
        return web.Response()

    app = web.Application()
    for path in ("/callbacks/{provider}", "/callbacks/{provider}/{more:.+}"):
        app.router.add_route("*", path, receive)
    server = TestServer(app)
    await server.start_server()
    heard.url = str(server.make_url("/callbacks/sample"))
    yield heard
    await server.close()


@pytest.fixture(scope="session")
def keys(tmp_path_factory):
    """Where simulators that need keys keep them for the whole run."""
    return tmp_path_factory.mktemp("keys")


@pytest.fixture
def stages(clock, random_bytes, listener, keys):
    """Open a stage for a named provider: `async with stages("name", timeout_s="0.3") as stage`."""

    @asynccontextmanager
    async def open_stage(
        name: str, *, simulator: dict | None = None, kept_in: str = "AED", **settings: str
    ) -> AsyncIterator[Stage]:
        """Open it; `kept_in` is the currency of our account, where the provider is that account."""
        registered = registry.PROVIDERS[name]
        options = {"callback_url": listener.url, **(simulator or {})}
        held = {}
        if registered.credentials is not None:
            options["keys"] = keys / name
            held = registered.credentials(keys / name)
        if registered.served_by is not None:
            options = {"book_path": ":memory:", "account_iban": ACCOUNT, "currency": kept_in}
            settings = {"account_iban": ACCOUNT, "beneficiary": "Treasury", "currency": kept_in, **settings}
        server = TestServer(registered.simulator(clock=clock, random_bytes=random_bytes, **options))
        await server.start_server()
        base_url = str(server.make_url("")).rstrip("/")
        transcript: list[Exchange] = []
        values = {"base_url": base_url, "timeout_s": "2", **registered.simulator_settings, **held, **settings}
        async with open_session() as session:
            provider = registry.build(
                name, values, session=session, clock=clock, random_bytes=random_bytes, transcript=transcript.append
            )
            yield Stage(name, provider, base_url, session, clock, listener, transcript, values)
        await server.close()

    return open_stage


@pytest.fixture(params=sorted(registry.PROVIDERS))
def name(request) -> str:
    """Every registered payment provider, one after the other."""
    return request.param


@pytest.fixture
async def stage(stages, name) -> AsyncIterator[Stage]:
    async with stages(name, timeout_s="1.5") as stage:
        yield stage
