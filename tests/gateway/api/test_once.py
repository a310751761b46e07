"""HC-20 for every POST there is: the operations come from the description, so that a new one is tested unasked."""

from __future__ import annotations

import asyncio
import json

import asyncpg
import pytest

from gateway.api.openapi import describe
from gateway.domain.caller import Scope
from gateway.services.callers.api_keys import issue_key
from gateway.services.catalogue.import_catalogue import import_catalogue
from tests.gateway.api.test_matrix import body_of
from tests.gateway.centres.test_cash_refunds import Counters
from tests.gateway.conftest import DEPARTMENTS

OPERATIONS = [
    path
    for path, item in sorted(describe()["paths"].items())
    for name in (parameter["name"] for parameter in item.get("post", {}).get("parameters", ()))
    if name == "Idempotency-Key"
]
SHOWN_ONCE = {
    "/v1/api-keys",
    "/v1/api-keys/{id}/rotate",
    "/v1/webhook-endpoints",
    "/v1/webhook-endpoints/{id}/rotate-secret",
}
"""A secret is in the first answer alone."""


@pytest.fixture
async def impatient(open_town, database_url):
    """A town whose sessions wait for no lock longer than a moment, as the service's are set up."""
    settings = {"role": "mizan_service", "lock_timeout": "200"}
    async with asyncpg.create_pool(database_url, min_size=1, max_size=8, server_settings=settings) as pool:
        yield await open_town(pool=pool)


async def waiting_refund(town):
    """Ask for a refund that needs a second person."""
    limited = {**DEPARTMENTS[0], "refund_limits": "AED 1.00"}
    assert not (await import_catalogue(town.deps, [limited], [])).faults
    intent = await town.paid()
    asked = {"reason": "withdrawn", "requested_by": "mariam"}
    return (await town.ask("POST", f"/v1/payment-intents/{intent['id']}/refunds", asked)).body["id"]


async def endpoint(town):
    return (await town.ask("POST", "/v1/webhook-endpoints", {"url": "https://hooks.example.ae/"})).body["id"]


async def link(town):
    asked = {"reference": "LINK-1", "line": {"service": "licence"}, "single_use": True}
    return (await town.ask("POST", "/v1/payment-links", asked)).body["id"]


async def reserved(town):
    """Let a payer's bank reserve a fee that is captured later."""
    asked = await town.intent(capture="manual")
    await town.start(asked)
    await town.pay(asked)
    await town.work()
    return asked["id"]


async def intent(town):
    return (await town.intent())["id"]


async def api_key(town):
    _, key = await issue_key(town.deps, "economy", "other", scopes=(Scope.PAYMENTS_READ,))
    return key.id


async def waiting_batch(town):
    paid = await town.paid()
    asked = {"reason": "x", "refunds": [{"payment_intent": paid["id"]}], "requested_by": "another"}
    answer = await town.ask("POST", "/v1/refund-batches", asked)
    await town.deps.pool.execute("UPDATE gateway.refund SET status = 'awaiting_approval'")
    return answer.body["id"]


async def client(town):
    asked = body_of("POST", "/v1/oauth-clients")
    return (await town.ask("POST", "/v1/oauth-clients", asked)).body["id"]


async def cash_to_collect(town):
    """Ask for a refund of cash that was taken at a counter."""
    counters = Counters(town)
    await counters.found()
    return (await counters.refund(await counters.paid_in_cash())).body["id"]


async def subject(town, path):
    """Make what an operation works on, in the state it needs."""
    if path.startswith("/v1/refund-batches"):
        return await waiting_batch(town)
    if path == "/v1/refunds/{id}/cancel":
        return await cash_to_collect(town)
    if path.endswith(("/approve", "/refuse")):
        return await waiting_refund(town)
    if path.endswith("/capture"):
        return await reserved(town)
    if path.endswith(("/refunds", "/send-receipt")):
        paid = await town.paid()
        town.clock.advance(minutes=2)
        return paid["id"]
    makers = {"payment-intents": intent, "webhook-endpoints": endpoint, "payment-links": link, "api-keys": api_key}
    return await makers.get(path.split("/")[2], client)(town)


async def prepared(town, path):
    """Return the address, the body and the credential with which an operation is done."""
    asked = dict(body_of("POST", path))
    if path == "/v1/api-keys":
        asked["scopes"] = ["payments:read"]
    if path == "/v1/refund-batches":
        asked["refunds"] = [{"payment_intent": (await town.paid())["id"]}]
    at = path.replace("{id}", await subject(town, path)) if "{id}" in path else path
    scopes = (Scope.REFUNDS_APPROVE,) if path.endswith(("/approve", "/refuse")) else tuple(Scope)
    text, _ = await issue_key(town.deps, "economy", "caller", scopes=scopes)
    return at, asked, {"Authorization": f"Bearer {text}"}


def told(path, answer):
    return {name: said for name, said in answer.body.items() if path not in SHOWN_ONCE or name != "secret"}


def test_every_post_is_here():
    every = {path for path, item in describe()["paths"].items() if "post" in item}
    assert every - set(OPERATIONS) == {"/v1/oauth/token"}  # its assertion is good for one use


@pytest.mark.parametrize("path", OPERATIONS)
async def test_hc20_every_post_is_done_once_and_answered_alike(town, path):
    at, asked, headers = await prepared(town, path)
    first = await town.ask("POST", at, asked, key="k", headers=headers)
    assert first.status < 300, first.body
    assert "Idempotency-Replayed" not in first.headers
    town.clock.advance(seconds=90)
    again = await town.ask("POST", at, asked, key="k", headers=headers)
    assert (again.status, told(path, again)) == (first.status, told(path, first))
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.headers.get("Location") == first.headers.get("Location")
    other = await town.ask("POST", at, json.dumps(asked).encode() + b" ", key="k", headers=headers)
    assert (other.status, other.body["code"]) == (422, "idempotency_key_reused")


@pytest.mark.parametrize("path", OPERATIONS)
async def test_hc20_every_post_at_once_is_done_once(town, path):
    at, asked, headers = await prepared(town, path)
    answers = await asyncio.gather(*(town.ask("POST", at, asked, key="k", headers=headers) for _ in range(5)))
    assert {answer.status for answer in answers} <= {answers[0].status, 200, 201, 202, 409}
    done = [answer for answer in answers if answer.status < 300]
    assert len({json.dumps(told(path, answer), sort_keys=True) for answer in done}) == 1
    assert sum("Idempotency-Replayed" not in answer.headers for answer in done) == 1
    assert all(
        (answer.body["code"], answer.headers["Retry-After"]) == ("idempotency_in_flight", "1")
        for answer in answers
        if answer.status == 409
    )


@pytest.mark.parametrize("path", OPERATIONS)
async def test_hc20_every_post_in_flight_elsewhere_is_told_to_come_back(impatient, path):
    at, asked, headers = await prepared(impatient, path)
    caller = await impatient.deps.pool.fetchval("SELECT id FROM gateway.api_key WHERE label = 'caller'")
    async with impatient.deps.pool.acquire() as other_process:
        transaction = other_process.transaction()
        await transaction.start()
        await other_process.execute(
            """INSERT INTO gateway.idempotency VALUES ($3, $2, 'k', sha256('x'), 'x', 200, '{}', $1, $1)""",
            impatient.clock(),
            f"POST {at}",
            caller,
        )
        held = await impatient.ask("POST", at, asked, key="k", headers=headers)
        await transaction.rollback()
    assert (held.status, held.body["code"], held.headers["Retry-After"]) == (409, "idempotency_in_flight", "1")
    assert (await impatient.ask("POST", at, asked, key="k", headers=headers)).status < 300
