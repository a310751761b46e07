import dataclasses
from collections.abc import AsyncIterator, Callable
from datetime import UTC, date, datetime

import aiohttp
import pytest
import pytest_asyncio
from aiohttp.test_utils import TestServer

from adapters.bank_host.manifest import build
from adapters.bank_host.simulator import build_app
from adapters.contract import PayoutFile, PayoutLine
from adapters.http import open_session
from ledger.money import Money

TREASURY = "AE070331234567890123456"
PAYEES = ["AE080261001015500123401", "AE780261001015500123402", "AE510261001015500123403"]


@pytest.fixture
def book_path(tmp_path):
    return str(tmp_path / "bank.sqlite")


@pytest_asyncio.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with open_session() as opened:
        yield opened


@pytest_asyncio.fixture
async def server(clock, random_bytes, book_path) -> AsyncIterator[TestServer]:
    """Give the bank on a real socket. Its day is the clock's: 2026-11-22, 10:00 in Dubai."""
    app = build_app(
        clock=clock, random_bytes=random_bytes, book_path=book_path, account_iban=TREASURY, opening_balance_minor=50_000
    )
    async with TestServer(app) as running:
        yield running


@pytest.fixture
def bank(server, session, clock):
    settings = {"url": str(server.make_url("/")), "api_key": "simulated-bank-key", "timeout_s": "1.5"}
    return build(settings, session, clock)


@pytest.fixture
def simulator(server, session):
    """Pull the bank's levers: `await simulator("POST", "credits", {...})`."""

    async def pull(method: str, lever: str, wish: dict[str, object] | None = None) -> dict[str, object]:
        async with session.request(method, server.make_url(f"/simulator/{lever}"), json=wish) as response:
            assert response.status < 300, await response.text()
            return await response.json() if response.status != 204 else {}

    return pull


@pytest.fixture
def payout() -> Callable[..., PayoutFile]:
    """Make a file of lines with these amounts in fils."""

    def make(*amounts: int, **changes: object) -> PayoutFile:
        lines = [
            PayoutLine(
                end_to_end_id=f"pl_01JD000000000000000000{n:04d}",
                creditor_name=f"Department {n}",
                creditor_iban=PAYEES[n % 3],
                creditor_bic=None,
                amount=Money(amount, "AED"),
                remittance=f"payout {n}",
            )
            for n, amount in enumerate(amounts)
        ]
        file = PayoutFile(
            message_id="po_01JD0000000000000000000001",
            created_at=datetime(2026, 11, 22, 6, 0, tzinfo=UTC),
            execution_date=date(2026, 11, 22),
            debtor_name="Government Treasury",
            debtor_iban=TREASURY,
            debtor_bic="BOMLAEAD",
            lines=lines,
        )
        return dataclasses.replace(file, **changes)

    return make
