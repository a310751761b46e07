"""One fee through the gateway with every provider in the registry: paid, refused, refunded, and found in its report."""

from __future__ import annotations

from contextlib import AsyncExitStack
from dataclasses import fields
from datetime import timedelta

import aiohttp
import pytest
from aiohttp.test_utils import TestServer, unused_port

from adapters import registry
from adapters.contract import (
    CallbackNotice,
    DeclineReason,
    Finishes,
    LineKind,
    Outcome,
    PaymentReport,
    Refunds,
)
from adapters.http import open_session
from gateway.app import build_app
from gateway.checkout.routes import add_routes
from gateway.deps import build_deps, open_webhook_session
from gateway.services import links
from gateway.services.callers.api_keys import issue_key
from gateway.services.catalogue.import_catalogue import import_catalogue
from gateway.store import inbox
from gateway.worker import JOBS
from ledger.accounts import provider_in_transit, provider_refunds_in_transit
from ledger.entry import Entry, credit, debit
from ledger.journal import post_within
from ledger.money import Money
from tests.gateway.services.one_provider import Counter

DEPARTMENT = {
    "code": "economy",
    "name_ar": "دائرة الاقتصاد",
    "name_en": "Department of Economy",
    "return_origins": "https://economy.example.ae",
}
SERVICE = {
    "code": "licence", "department": "economy", "name_ar": "تجديد الرخصة", "name_en": "Licence renewal",
    "revenue_code": "411000",
}  # fmt: skip


@pytest.fixture(params=sorted(name for name, each in registry.PROVIDERS.items() if each.served_by is None))
async def counter(request, pool, clock, random_bytes, tmp_path_factory):
    name = request.param
    registered = registry.PROVIDERS[name]
    async with AsyncExitStack() as stack:
        port = unused_port()
        public_url = f"http://127.0.0.1:{port}"
        keys = tmp_path_factory.getbasetemp() / "keys" / name
        own = {"keys": keys} if registered.credentials else {}
        app = registered.simulator(
            clock=clock, random_bytes=random_bytes, callback_url=f"{public_url}/callbacks/{name}", **own
        )
        simulator = TestServer(app)
        await simulator.start_server()
        stack.push_async_callback(simulator.close)
        base_url = str(simulator.make_url("")).rstrip("/")
        provider = registry.build(
            name,
            {
                "base_url": base_url,
                **registered.simulator_settings,
                **(registered.credentials(keys) if registered.credentials else {}),
            },
            session=await stack.enter_async_context(open_session()),
            clock=clock,
            random_bytes=random_bytes,
        )
        (method,) = registered.manifest.methods
        deps = build_deps(
            pool=pool,
            clock=clock,
            random_bytes=random_bytes,
            providers={name: provider},
            routing={method: (name,)},
            public_url=public_url,
            link_secrets=(b"a secret of this test's own counter",),
            webhook_session=await stack.enter_async_context(open_webhook_session(private=True)),
            private_webhooks=True,
            senders={},
        )
        amount = registered.sample_amount
        service = {**SERVICE, "amount_minor": amount.amount_minor, "currency": amount.currency}
        assert not (await import_catalogue(deps, [DEPARTMENT], [service])).faults
        app = build_app(deps)
        add_routes(app, deps)
        gateway = TestServer(app, port=port)
        await gateway.start_server()
        stack.push_async_callback(gateway.close)
        session = await stack.enter_async_context(aiohttp.ClientSession())
        key = (await issue_key(deps, "economy", "test"))[0]
        yield Counter(deps, provider, method, public_url, base_url, session, key, amount)


async def test_a_fee_is_paid_by_callback_alone(counter):
    intent, attempt = await counter.start()
    await counter.pay(attempt)
    inbox = await counter.deps.pool.fetch("SELECT * FROM gateway.inbox")
    assert len(inbox) >= 1  # the callback stood, whatever way this provider sends it
    await counter.work()
    assert await counter.status(intent) == "paid"


async def test_a_refused_card_leaves_the_fee_unpaid_and_nothing_in_the_books(counter):
    intent, attempt = await counter.start()
    await counter.pay(attempt, decline_code=min(registry.PROVIDERS[counter.provider.name].declines))
    await counter.work()
    assert await counter.status(intent) in {"requires_payment", "processing"}
    assert await counter.deps.pool.fetchval("SELECT count(*) FROM ledger.postings") == 0


async def test_payment_and_refund_are_found_in_the_providers_own_report(counter, clock):
    """The keys of the night: what the ledger keeps of a payment and a refund is what the report's lines name."""
    if not isinstance(counter.provider, Refunds):
        return  # money that is given back by our own transfer is in no report of the provider's
    intent, attempt = await counter.start()
    await counter.pay(attempt)
    await counter.work()
    paid = counter.amount
    moved = [(LineKind.PAYMENT, attempt, paid.amount_minor)]
    if isinstance(counter.provider, Refunds):
        amount = {"amount": {"amount": 50_00, "currency": paid.currency}, "reason": "overpaid"}
        refund = await counter.ask("POST", f"/v1/payment-intents/{intent['id']}/refunds", amount)
        await counter.work()
        moved.append((LineKind.REFUND, refund["id"], -50_00))
    async with counter.session.get(f"{counter.simulator}/simulator/charges", params={"reference": attempt}) as answer:
        booked = await answer.json()
    given_back = 50_00 if len(moved) > 1 else 0
    assert (booked["captured_minor"], booked["refunded_minor"]) == (paid.amount_minor, given_back)
    assert booked["refunds"] == len(moved) - 1
    business_date = clock().date()
    clock.advance(days=1)
    (file,) = [file async for file in counter.provider.settlement_files(business_date)]
    items = {
        row["item"]: (row["amount_minor"], row["provider_reference"])
        for row in await counter.deps.pool.fetch("SELECT * FROM ledger.open_items")
    }
    for kind, item, gross in moved:
        (line,) = [line for line in file.lines if line.kind is kind]
        open_minor, provider_reference = items[item]
        assert (line.gross, abs(open_minor)) == (Money(gross, paid.currency), abs(gross))
        assert provider_reference == line.provider_reference or line.reference == item


async def test_hc17_a_payment_made_after_consent_is_made_once_whatever_is_lost(counter, clock):
    """Lost: the answer to the payment, then nothing. The return is repeated meanwhile, as an impatient payer does."""
    if not isinstance(counter.provider, Finishes):
        return
    intent, attempt = await counter.start()
    await counter.fault("capture", "drop")
    await counter.pay(attempt)
    await counter.come_back()
    kept = await counter.deps.pool.fetch("SELECT * FROM gateway.inbox WHERE continuation IS NOT NULL")
    assert len(kept) == 1
    for _ in range(3):
        for job in JOBS:
            await job.run(counter.deps)
        await counter.come_back()
        clock.advance(seconds=10)
    await counter.work()
    assert await counter.status(intent) == "paid"
    assert await counter.charges(attempt) == 1
    assert await counter.deps.pool.fetchval("SELECT count(continuation) FROM gateway.inbox") == 0


async def test_no_payment_is_made_for_a_bill_that_is_closed(counter):
    """Consented at the bank, cancelled by the department, and only then back from the bank."""
    if not isinstance(counter.provider, Finishes):
        return
    intent, attempt = await counter.start()
    await counter.pay(attempt, comes_back=False)
    await counter.ask("POST", f"/v1/payment-intents/{intent['id']}/cancel")
    await counter.come_back()
    await counter.work()
    assert await counter.status(intent) == "cancelled"
    assert await counter.charges(attempt) == 0


async def test_a_payer_who_consents_and_never_comes_back_may_try_again(counter, clock):
    if not isinstance(counter.provider, Finishes):
        return
    intent, attempt = await counter.start()
    await counter.pay(attempt, comes_back=False)
    await counter.work()
    assert await counter.status(intent) == "processing"
    clock.advance(minutes=10)
    await counter.work()
    assert await counter.status(intent) == "requires_payment"
    assert await counter.charges(attempt) == 0


async def test_a_link_that_is_no_longer_good_is_fetched_again(counter, clock):
    if not isinstance(counter.provider, Finishes):
        return
    intent, _ = await counter.start()
    first = await counter.deps.pool.fetchval("SELECT next_step->>'url' FROM gateway.attempt")
    clock.advance(seconds=100)
    token = links.token_of(counter.deps, intent["id"])
    async with counter.session.get(f"{counter.url}/pay/{token}/continue") as page:
        assert page.headers["Refresh"].startswith("0; url=http")
        assert first not in page.headers["Refresh"]
    assert await counter.deps.pool.fetchval("SELECT count(*) FROM gateway.attempt") == 1


async def told_of(counter, refund):
    rows = await counter.deps.pool.fetch("SELECT type FROM gateway.event WHERE object = $1 ORDER BY id", refund["id"])
    return [row["type"] for row in rows]


async def test_a_refund_that_a_settlement_file_names_has_succeeded(counter, clock):
    """Not every provider tells the end of a refund by a call or a callback; its report does."""
    if not isinstance(counter.provider, Refunds):
        return
    intent, attempt = await counter.start()
    await counter.pay(attempt)
    await counter.work()
    amount = {"amount": {"amount": 50_00, "currency": counter.amount.currency}, "reason": "overpaid"}
    refund = await counter.ask("POST", f"/v1/payment-intents/{intent['id']}/refunds", amount)
    await counter.work()
    name, minor = counter.provider.name, Money(50_00, counter.amount.currency)
    settled = Entry(
        reference=f"settle:{name}:file-1:1",
        kind="refund_settled",
        business_date=clock().date(),
        effective_at=clock(),
        postings=(
            debit(provider_refunds_in_transit(name), minor, refund["id"]),
            credit(provider_in_transit(name), minor, "batch-1"),
        ),
    )
    async with counter.deps.pool.acquire() as connection, connection.transaction():
        (posted,) = await post_within(connection, [settled], recorded_at=clock())
    assert posted.error is None
    clock.advance(hours=12)
    await counter.work()
    told = await told_of(counter, refund)
    assert {"refund.succeeded", "refund.settled"} <= set(told)
    assert (told.count("refund.succeeded"), told.count("refund.settled")) == (1, 1)


async def test_a_proven_report_is_kept_whole(pool, clock):
    """What a signed callback says is applied later, perhaps by another process: nothing of it may be lost."""
    told = PaymentReport(
        outcome=Outcome.SUCCEEDED,
        provider_reference="order-1",
        reference="pa_01",
        captured=Money(1_234_567, "KWD"),
        authorised=Money(1_234_567, "KWD"),
        refunded=Money(1, "KWD"),
        word="CAPTURED",
        decline=DeclineReason.OTHER,
        occurred_at=clock(),
        reversed=True,
        facts={"scheme": "VISA"},
        unrecognised=True,
    )
    unset = [each.name for each in fields(told) if getattr(told, each.name) in (each.default, None)]
    assert unset == ["next_step"]
    async with pool.acquire() as connection:
        notice = CallbackNotice("event-1", "pa_01", "order-1", "CAPTURED", proven=True, report=told)
        await inbox.store(connection, "sample", [notice], clock(), clock())
        (received,) = await inbox.claim(connection, clock(), clock() + timedelta(minutes=2), 10)
    assert received.proven == told
