"""A small town: two departments, a card acquirer's simulator on a real port, the gateway's application on another."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import aiohttp
import asyncpg
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from adapters import registry
from adapters.contract import Method
from adapters.http import open_session
from gateway.app import build_app
from gateway.deps import Deps, Limits, OutgoingMessage, build_deps, open_webhook_session
from gateway.domain.contact import Contact
from gateway.services import links
from gateway.services.attempts.start_payment import Started, start_payment
from gateway.services.callers.api_keys import issue_key, issue_treasury_key
from gateway.services.catalogue.import_catalogue import import_catalogue
from gateway.services.payment_names import PaymentNames
from gateway.worker import JOBS
from ops.finance_reports import FinanceReports
from reconciliation.business_days import Calendar
from reconciliation.department_payouts import DepartmentPayouts

DEPARTMENTS = [
    {
        "code": "economy",
        "name_ar": "دائرة الاقتصاد",
        "name_en": "Department of Economy",
        "return_origins": "https://economy.example.ae http://localhost:9000",
        "vat_registration": "100000000000003",
    },
    {"code": "roads", "name_ar": "هيئة الطرق", "name_en": "Roads Authority", "return_origins": []},
]
SERVICES = [
    {
        "code": "licence", "department": "economy", "name_ar": "تجديد الرخصة", "name_en": "Licence renewal",
        "revenue_code": "411000", "amount_minor": 105_00, "vat_basis_points": 500,
    },
    {
        "code": "fine", "department": "roads", "name_ar": "مخالفة مرورية", "name_en": "Traffic fine",
        "revenue_code": "421000", "amount_minor": "",
    },
    {
        "code": "kuwaiti", "department": "economy", "name_ar": "رسم", "name_en": "Fee in dinars",
        "revenue_code": "411500", "amount_minor": "", "currency": "KWD",
    },
    {
        "code": "assessment", "department": "economy", "name_ar": "تقييم", "name_en": "Assessment",
        "revenue_code": "411600", "amount_minor": "",
    },
]  # fmt: skip


BUNDLES = [
    {
        "code": "delivery", "department": "economy", "name_ar": "ابدأ التوصيل", "name_en": "Start delivering",
        "services": "licence fine",
    },
]  # fmt: skip


@dataclass
class Answer:
    status: int
    headers: Mapping[str, str]
    body: Any


@dataclass
class Mailbox:
    """A carrier that keeps what it was given, and fails when told to."""

    sent: list[OutgoingMessage] = field(default_factory=list)
    failures: int = 0

    async def send(self, message: OutgoingMessage) -> None:
        if self.failures:
            self.failures -= 1
            raise ConnectionError("the carrier is away")
        self.sent.append(message)


@dataclass
class Town:
    deps: Deps
    clock: Any
    url: str
    acquirer: str
    session: aiohttp.ClientSession
    keys: dict[str, str]
    mailbox: Mailbox
    _numbers: Any = field(default_factory=lambda: itertools.count(1))

    async def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        department: str = "economy",
        key: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send one API request as a department does."""
        sent = {"Authorization": f"Bearer {self.keys[department]}", **(headers or {})}
        if method == "POST":
            sent.setdefault("Idempotency-Key", f'"{key or f"test-{next(self._numbers)}"}"')
        options = {"data": body} if isinstance(body, bytes) else {"json": body}
        if isinstance(body, bytes):
            sent.setdefault("Content-Type", "application/json")
        async with self.session.request(method, f"{self.url}{path}", headers=sent, **options) as response:
            text = await response.read()
            parsed = await response.json(content_type=None) if text else None
            return Answer(response.status, response.headers, parsed)

    async def intent(self, **changes: Any) -> dict[str, Any]:
        """Create an intent of AED 105.00 and return its document."""
        body = {"reference": f"INV-{next(self._numbers)}", "lines": [{"service": "licence"}], **changes}
        answer = await self.ask("POST", "/v1/payment-intents", body)
        assert answer.status == 201, answer.body
        return answer.body

    async def read(self, intent: Mapping[str, Any]) -> dict[str, Any]:
        answer = await self.ask("GET", f"/v1/payment-intents/{intent['id']}")
        assert answer.status == 200, answer.body
        return answer.body

    async def start(self, intent: Mapping[str, Any], method: Method = Method.CARD) -> Started:
        token = links.token_of(self.deps, intent["id"])
        return await start_payment(self.deps, token, method, Contact(email="fatima@example.ae"))

    async def attempt_of(self, intent: Mapping[str, Any]) -> asyncpg.Record:
        return await self.deps.pool.fetchrow(
            "SELECT * FROM gateway.attempt WHERE intent = $1 ORDER BY id DESC LIMIT 1", intent["id"]
        )

    async def pay(self, intent: Mapping[str, Any], **arguments: Any) -> dict[str, Any]:
        """Pay at the acquirer's page, as the payer of the intent's last attempt."""
        attempt = await self.attempt_of(intent)
        return await self.control("pay", {"reference": attempt["id"], **arguments})

    async def paid(self, **changes: Any) -> dict[str, Any]:
        """Take one fee all the way."""
        intent = await self.intent(**changes)
        await self.start(intent)
        await self.pay(intent)
        await self.work()
        return await self.read(intent)

    async def fault(self, call: str, name: str, times: int = 1, **arguments: Any) -> None:
        await self.control("faults", {"call": call, "fault": name, "times": times, **arguments})

    async def control(self, route: str, body: Mapping[str, Any]) -> dict[str, Any]:
        async with self.session.post(f"{self.acquirer}/simulator/{route}", json=body) as answer:
            assert answer.status < 300, await answer.text()
            return await answer.json()

    async def charges(self, intent: Mapping[str, Any]) -> int:
        """Return what the payer was charged at the acquirer over all attempts of an intent, by its own book."""
        total = 0
        for row in await self.deps.pool.fetch("SELECT id FROM gateway.attempt WHERE intent = $1", intent["id"]):
            query = {"reference": row["id"]}
            async with self.session.get(f"{self.acquirer}/simulator/charges", params=query) as answer:
                total += (await answer.json())["captured_minor"]
        return total

    async def work(self) -> None:
        """Let the acquirer send what it has to send, and run every job until none finds anything."""
        await self.control("drain", {})
        for _ in range(20):
            if not sum([await job.run(self.deps) for job in JOBS]):
                return
        raise AssertionError("the jobs never come to rest")

    async def books(self) -> dict[str, int]:
        """Return every account that is not at zero."""
        rows = await self.deps.pool.fetch("SELECT account, amount_minor FROM ledger.balances WHERE amount_minor <> 0")
        return {row["account"]: row["amount_minor"] for row in rows}

    async def journals(self, intent: Mapping[str, Any]) -> list[str]:
        rows = await self.deps.pool.fetch(
            "SELECT DISTINCT journal_id, kind FROM ledger.postings WHERE payment = $1 ORDER BY journal_id", intent["id"]
        )
        return [row["kind"] for row in rows]

    async def events(self, intent: Mapping[str, Any]) -> list[str]:
        rows = await self.deps.pool.fetch("SELECT type FROM gateway.event WHERE object = $1 ORDER BY id", intent["id"])
        return [row["type"] for row in rows]


@pytest.fixture
async def open_town(pool: asyncpg.Pool, clock, random_bytes) -> AsyncIterator[Any]:
    """Open a town: `town = await open_town()`; settings of the adapter and fields of deps may be changed."""
    async with AsyncExitStack() as stack:

        async def serve(app: web.Application) -> str:
            server = TestServer(app)
            await server.start_server()
            stack.push_async_callback(server.close)
            return str(server.make_url("")).rstrip("/")

        async def open_one(
            adapter: Mapping[str, str] | None = None,
            limits: Limits | None = None,
            pool: asyncpg.Pool = pool,
            **changes: Any,
        ) -> Town:
            registered = registry.PROVIDERS["ngenius"]
            acquirer = await serve(registered.simulator(clock=clock, random_bytes=random_bytes, callback_url=None))
            values = {"base_url": acquirer, "timeout_s": "5", **registered.simulator_settings, **(adapter or {})}
            session = await stack.enter_async_context(open_session())
            provider = registry.build("ngenius", values, session=session, clock=clock, random_bytes=random_bytes)
            mailbox = Mailbox()
            deps = build_deps(
                pool=pool,
                clock=clock,
                random_bytes=random_bytes,
                providers={"ngenius": provider},
                routing={Method.CARD: ("ngenius",)},
                public_url="http://127.0.0.1:1",
                link_secrets=(b"a secret of this test's own town",),
                webhook_session=await stack.enter_async_context(open_webhook_session(private=True)),
                private_webhooks=True,
                senders={"email": mailbox},
                limits=limits or Limits(connection_wait_s=10.0, turn_wait_s=10.0),
                payouts=DepartmentPayouts(PaymentNames()),
                finance_reports=FinanceReports(clock, Calendar()),
            )
            deps = replace(deps, **changes)
            stack.push_async_callback(deps.couriers.close, 0.0)
            imported = await import_catalogue(deps, DEPARTMENTS, SERVICES, BUNDLES)
            assert not imported.faults
            keys = {code: (await issue_key(deps, code, "test"))[0] for code in ("economy", "roads")}
            keys["treasury"] = (await issue_treasury_key(deps, "test", expires_at=clock() + timedelta(days=366)))[0]
            url = await serve(build_app(deps))
            town_session = await stack.enter_async_context(aiohttp.ClientSession())
            town = Town(deps, clock, url, acquirer, town_session, keys, mailbox)
            await town.control("outlet", {"callback_url": f"{url}/callbacks/ngenius"})
            return town

        yield open_one


@pytest.fixture
async def town(open_town) -> Town:
    return await open_town()
