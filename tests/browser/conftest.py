"""A whole small gateway, real PostgreSQL, the simulated acquirer and a real browser: what a citizen meets."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import random
import shutil
import socket
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import aiohttp
import asyncpg
import pytest
import pytest_asyncio
from aiohttp import web
from playwright.async_api import Error as PlaywrightError

from adapters import registry
from adapters.contract import Method, Provider
from adapters.messages.console import ConsoleSender
from gateway.app import build_app
from gateway.centres.routes import add_centres
from gateway.checkout.routes import add_routes
from gateway.deps import Deps, build_deps
from gateway.domain.errors import UnavailableError
from gateway.services import links
from gateway.services.intents.create_intent import IntentRequest, LineRequest, create_intent
from gateway.store.idempotency import Claim
from gateway.web.identity import Identity
from gateway.worker import JOBS

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or ""
LAUNCH = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-dev-shm-usage",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
BANK_ACCOUNT = "AE070331234567890123456"
ARTEFACTS = Path(__file__).parents[2] / "artefacts"


@dataclass
class Site:
    """The running gateway, and the few things a test does to it that no citizen can."""

    deps: Deps
    owner: asyncpg.Connection[Any]
    address: str
    simulator: str
    bank: str
    session: aiohttp.ClientSession
    letters: list[str]
    banks: str
    wallet: str
    numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(4417))

    async def new_link(self, *services: tuple[str, int], language: str = "ar", **more: Any) -> str:
        """Ask for a fee as a department does, and return the link its payer gets."""
        number = next(self.numbers)
        request = IntentRequest(
            reference=f"TL-2026-{number:06d}",
            lines=[
                LineRequest(service=code, amount_minor=amount or None, currency="AED" if amount else None)
                for code, amount in services or (("economy.renewal", 124050), ("economy.innovation", 0))
            ],
            language=language,
            return_url="https://economy.example/licences",
            **more,
        )
        claim = Claim("economy", "/v1/payment-intents", f"key-{number}", b"\0" * 32)
        answer = await create_intent(self.deps, "economy", request, claim)
        return links.checkout_url(self.deps, answer.resource)

    async def fault(self, *, at_bank: bool = False, **fault: Any) -> None:
        simulator = self.banks if at_bank else self.simulator
        async with self.session.post(f"{simulator}/simulator/faults", json=fault) as answer:
            assert answer.status < 300, await answer.text()


CATALOGUE = """
INSERT INTO gateway.department VALUES
  ('economy', 'دائرة الاقتصاد والسياحة', 'Department of Economy and Tourism', '{https://economy.example}',
   '100234567800003', 'treasury', true, '2026-01-01Z'),
  ('police', 'القيادة العامة للشرطة', 'Police Headquarters', '{https://police.example}', NULL, 'treasury', true,
   '2026-01-01Z');
INSERT INTO gateway.service VALUES
  ('economy.renewal', 'economy', 'تجديد الرخصة التجارية', 'Trade licence renewal', 'R-1001', 'AED', NULL, 0, true,
   '2026-01-01Z'),
  ('economy.innovation', 'economy', 'رسم الابتكار', 'Innovation fee', 'R-1002', 'AED', 1000, 500, true, '2026-01-01Z'),
  ('police.fine', 'police', 'مخالفة مرورية', 'Traffic fine', 'R-2001', 'AED', NULL, 0, true, '2026-01-01Z');
"""


def _database(url: str, name: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


async def _serve(app: web.Application) -> tuple[web.AppRunner, str]:
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    return runner, f"http://127.0.0.1:{runner.addresses[0][1]}"


async def _bank_accounts(
    stack: contextlib.AsyncExitStack,
    session: aiohttp.ClientSession,
    address: str,
    random_bytes: Callable[[int], bytes],
    folder: Path,
) -> tuple[Provider, str]:
    """Start the bank-account rail's hub with keys of its own; return the adapter that asks it, and its address."""

    def clock() -> datetime:
        return datetime.now(UTC)

    keys = folder / "altareq"
    altareq = registry.PROVIDERS["altareq"]
    hub = altareq.simulator(
        clock=clock, random_bytes=random_bytes, keys=keys, callback_url=f"{address}/callbacks/altareq"
    )
    runner, url = await _serve(hub)
    stack.push_async_callback(runner.cleanup)
    provider = registry.build(
        "altareq",
        {**altareq.simulator_settings, **altareq.credentials(keys), "base_url": url},
        session=session,
        clock=clock,
        random_bytes=random_bytes,
    )
    return provider, url


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def site(
    postgres_server: str, template_database: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Site]:
    """Start the parts a payment passes through. The clock is the real one: a browser waits in real time."""
    if not CHROMIUM:
        pytest.fail("browser tests need Chromium: apt-get install chromium")

    def clock() -> datetime:
        return datetime.now(UTC)

    random_bytes = random.Random(20261122).randbytes
    name = f"mizan_browser_{os.getpid()}"
    async with contextlib.AsyncExitStack() as stack:
        admin: asyncpg.Connection[Any] = await asyncpg.connect(postgres_server)
        stack.push_async_callback(admin.close)
        await admin.execute(f"DROP DATABASE IF EXISTS {name}")
        await admin.execute(f"CREATE DATABASE {name} TEMPLATE {template_database}")
        stack.push_async_callback(admin.execute, f"DROP DATABASE {name} WITH (FORCE)")
        owner: asyncpg.Connection[Any] = await asyncpg.connect(_database(postgres_server, name))
        stack.push_async_callback(owner.close)
        await owner.execute(CATALOGUE)
        pool = await stack.enter_async_context(
            asyncpg.create_pool(_database(postgres_server, name), server_settings={"role": "mizan_service"})
        )
        session = await stack.enter_async_context(aiohttp.ClientSession())
        # Each side must know the other's address before it starts, so ours is bound first.
        listener = socket.socket()
        listener.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        ngenius = registry.PROVIDERS["ngenius"]
        acquirer = ngenius.simulator(
            clock=clock, random_bytes=random_bytes, callback_url=f"{address}/callbacks/ngenius"
        )
        simulator_runner, simulator = await _serve(acquirer)
        stack.push_async_callback(simulator_runner.cleanup)
        provider = registry.build(
            "ngenius",
            {**ngenius.simulator_settings, "base_url": simulator},
            session=session,
            clock=clock,
            random_bytes=random_bytes,
        )
        bank_accounts, banks = await _bank_accounts(
            stack, session, address, random_bytes, tmp_path_factory.mktemp("keys")
        )
        gsma = registry.PROVIDERS["gsma"]
        wallet_runner, wallet = await _serve(
            gsma.simulator(clock=clock, random_bytes=random_bytes, callback_url=f"{address}/callbacks/gsma")
        )
        stack.push_async_callback(wallet_runner.cleanup)
        wallet_provider = registry.build(
            "gsma",
            {**gsma.simulator_settings, "base_url": wallet},
            session=session,
            clock=clock,
            random_bytes=random_bytes,
        )
        bank_host, transfers = registry.BANKS["bank_host"], registry.PROVIDERS["bank_transfer"]
        bank_runner, bank = await _serve(
            bank_host.simulator(clock=clock, random_bytes=random_bytes, book_path=":memory:", account_iban=BANK_ACCOUNT)
        )
        stack.push_async_callback(bank_runner.cleanup)
        transfer = registry.build(
            "bank_transfer",
            {
                **transfers.simulator_settings,
                "base_url": bank,
                "account_iban": BANK_ACCOUNT,
                "beneficiary": "Government Treasury",
            },
            session=session,
            clock=clock,
            random_bytes=random_bytes,
        )
        letters: list[str] = []
        deps = build_deps(
            pool=pool,
            clock=clock,
            random_bytes=random_bytes,
            providers={
                "ngenius": provider,
                "gsma": wallet_provider,
                "altareq": bank_accounts,
                "bank_transfer": transfer,
            },
            routing={
                Method.CARD: ["ngenius"],
                Method.MOBILE: ["gsma"],
                Method.BANK: ["altareq"],
                Method.BANK_TRANSFER: ["bank_transfer"],
            },
            public_url=address,
            link_secrets=[b"browser-tests-link-secret-32byte"],
            webhook_session=session,
            senders={"email": ConsoleSender(letters.append)},
        )

        runner = web.AppRunner(_pages(deps, address), access_log=None)
        await runner.setup()
        await web.SockSite(runner, listener).start()
        stack.push_async_callback(runner.cleanup)
        worker = asyncio.create_task(_work(deps))
        try:
            yield Site(deps, owner, address, simulator, bank, session, letters, banks, wallet)
        finally:
            worker.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await worker


def _pages(deps: Deps, address: str) -> web.Application:
    """Build the application with the citizens' pages and the counters'."""
    app = build_app(deps)
    identity = Identity(address=urlsplit(address).netloc, trial=True)
    add_routes(app, deps, identity, result_wait_s=4.0)
    add_centres(app, deps, identity)
    return app


async def _work(deps: Deps) -> None:
    while True:
        for job in JOBS:
            with contextlib.suppress(UnavailableError):  # a database too busy for a second: as the worker, try again
                await job.run(deps)
        await asyncio.sleep(0.05)


@contextlib.asynccontextmanager
async def _chromium(*more: str) -> AsyncIterator[Any]:
    """The one place that starts a browser; `finally` matters, a driver that dies leaves the browser behind."""
    from playwright.async_api import async_playwright

    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=CHROMIUM, args=[*LAUNCH, *more])
        try:
            yield chromium
        finally:
            await chromium.close()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Any]:
    async with _chromium() as chromium:
        yield chromium


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def large_text_browser() -> AsyncIterator[Any]:
    """Give a browser whose reader has doubled the text size."""
    async with _chromium("--blink-settings=defaultFontSize=32") as chromium:
        yield chromium


class Artefacts:
    """Keeps pictures of pages. Chromium under load now and then cannot draw one; it is asked again."""

    async def keep(self, page: Any, name: str) -> None:
        for tries_left in (2, 1, 0):
            try:
                await page.screenshot(path=ARTEFACTS / name, full_page=True)
            except PlaywrightError:
                if not tries_left:
                    raise
                await asyncio.sleep(0.5)
            else:
                return


@pytest.fixture(scope="session")
def artefacts() -> Artefacts:
    ARTEFACTS.mkdir(exist_ok=True)
    return Artefacts()
