"""The way of one fee, through real processes, over real sockets, on the clock of one city."""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import aiohttp
import asyncpg
import pytest
import pytest_asyncio
from aiohttp import web

from ops.demo.citizen import Citizen
from ops.demo.city import found_city, open_account
from ops.demo.department_system import DepartmentSystem, Listener, RefusedError
from ops.demo.night import watch_night
from ops.demo.stage import Stage, set_stage
from ops.settings import Settings
from ops.wiring import assemble

pytestmark = [pytest.mark.xdist_group("processes"), pytest.mark.timeout(240)]

DEPARTMENT = "economy"


@pytest_asyncio.fixture
async def stage() -> AsyncIterator[Stage]:
    with tempfile.TemporaryDirectory(prefix="mizan-e2e-", ignore_cleanup_errors=True) as folder:
        await asyncio.to_thread(Path(folder).chmod, 0o755)
        async with set_stage(Settings(), home=Path(folder), own_ports=True) as made:
            yield made


async def _eventually(what, looks=120):
    for _ in range(looks):
        if found := await what():
            return found
        await asyncio.sleep(0.25)
    raise AssertionError("it never came")


async def _books(url: str, intent: str) -> str:
    connection = await asyncpg.connect(url)
    rows = await connection.fetch(
        "SELECT kind, account, amount_minor FROM ledger.postings WHERE payment = $1"
        " OR journal_id IN (SELECT journal_id FROM ledger.postings WHERE item IN"
        " (SELECT id FROM gateway.attempt WHERE intent = $1)) ORDER BY journal_id, amount_minor DESC, account",
        intent,
    )
    await connection.close()
    return "\n".join(f"{row['kind']:<18}{row['account']:<32}{row['amount_minor'] / 100:>9.2f}" for row in rows)


async def test_a_fee_goes_its_whole_way(stage):
    async with aiohttp.ClientSession() as session:
        # The city is founded; one department gets its key and a place where it listens.
        listener = Listener(stage.clock)
        runner = web.AppRunner(listener.app(), access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", stage.listener_port).start()
        async with assemble(stage.settings, stage.database_url, pool_size_max=2) as parts:
            assert await found_city(parts, [f"http://127.0.0.1:{stage.listener_port}"])
            account = await open_account(parts, DEPARTMENT, f"http://127.0.0.1:{stage.listener_port}/{DEPARTMENT}")
        listener.secrets[DEPARTMENT] = account.webhook_secret
        system = DepartmentSystem(DEPARTMENT, stage.web_url, account.api_key, session)

        # 1. The department asks; the same request again is the same intent, another body under its key is refused.
        order = {
            "reference": "TL-2026-004417",
            "lines": [{"service": "economy-002"}],
            "payer": {"language": "ar", "email": "citizen@example.org", "mobile": "+971501234567"},
            "return_url": f"http://127.0.0.1:{stage.listener_port}/back",
        }
        intent = await system.post("/v1/payment-intents", order, key="k-1")
        assert (intent["status"], intent["amount"]) == ("requires_payment", {"amount": 96000, "currency": "AED"})
        assert (await system.post("/v1/payment-intents", order, key="k-1"))["id"] == intent["id"]
        with pytest.raises(RefusedError) as refused:
            await system.post("/v1/payment-intents", {**order, "reference": "other"}, key="k-1")
        assert refused.value.status == 422

        # 2. A citizen opens the link in Arabic, is declined, and pays with another card on the provider's page.
        citizen = Citizen.arrive(session, "ar")
        page = await citizen.browser.open(intent["checkout_url"])
        assert (page.language, page.tree.get("dir")) == ("ar", "rtl")
        assert "AED 960.00" in page.words()
        assert "TL-2026-004417" in page.words()
        declined = await citizen.pay(intent["checkout_url"], "4000000000000002")
        assert "لم يُخصم أي مبلغ" in declined.words()
        receipt = await citizen.pay(intent["checkout_url"], "4000000000003220")
        assert receipt.url.endswith("/receipt")

        # 3. The department hears of it, signed, and reads the same; the books know.
        await _eventually(lambda: _heard(listener, intent["id"], "payment_intent.paid"))
        paid = await system.get(f"/v1/payment-intents/{intent['id']}")
        assert (paid["status"], paid["receipt_number"]) == ("paid", "ECONOMY-2026-0000001")
        assert paid["receipt_number"] in receipt.words()
        assert listener.forged == 0
        captured = (
            "payment_captured  provider:ngenius:receivable        960.00\n"
            "payment_captured  department:economy:payable        -960.00"
        )
        assert await _books(stage.database_url, intent["id"]) == captured

        # 4. The receipt and its message were written for the payer.
        messages = stage.settings.home / "messages.txt"
        assert await _eventually(lambda: _reads(messages, "ECONOMY-2026-0000001"))

        # 5. The night: settlement, statement, payout. The next one: the payout is on the statement.
        night = await watch_night(stage.settings, stage.database_url, lambda _: None)
        assert night.status == "done"
        settled = captured + (
            "\npayment_settled   provider:ngenius:in_transit        947.90"
            "\npayment_settled   treasury:provider_fees              11.52"
            "\npayment_settled   treasury:provider_fees_vat           0.58"
            "\npayment_settled   provider:ngenius:receivable       -960.00"
        )
        assert await _books(stage.database_url, intent["id"]) == settled
        await watch_night(stage.settings, stage.database_url, lambda _: None)
        assert await _balances(stage.database_url) == {
            "bank:main:cash": -1210,
            "treasury:provider_fees": 1152,
            "treasury:provider_fees_vat": 58,
        }

        # 6. Running any of it again changes nothing.
        before = await _count(stage.database_url)
        async with assemble(stage.settings, stage.database_url, pool_size_max=2) as parts:
            from reconciliation.nightly import run_night

            await run_night(parts.night, night.business_date)
            await run_night(parts.night, night.business_date + timedelta(days=1))
        assert await _count(stage.database_url) == before
        await runner.cleanup()


async def _heard(listener, intent, kind):
    return kind in listener.about(intent)


async def _reads(path, words):
    return path.exists() and words in path.read_text()


async def _balances(url):
    connection = await asyncpg.connect(url)
    rows = await connection.fetch("SELECT account, amount_minor FROM ledger.balances WHERE amount_minor <> 0")
    await connection.close()
    return {row["account"]: row["amount_minor"] for row in rows}


async def _count(url):
    connection = await asyncpg.connect(url)
    count = await connection.fetchval("SELECT count(*) FROM ledger.journal")
    await connection.close()
    return count
