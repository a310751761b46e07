"""The example client, as departments copy it, against the live service and its description."""

from __future__ import annotations

import ast
import asyncio
import importlib.util
import re
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from gateway.api.openapi import describe
from gateway.services.webhooks.deliver_webhooks import sign

FILE = Path(__file__).parents[3] / "docs" / "examples" / "mizan_client.py"
_spec = importlib.util.spec_from_file_location("mizan_client", FILE)
client_file = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(client_file)


@pytest.fixture
def mizan(town):
    return client_file.Mizan(town.url, town.keys["economy"])


async def call(function, *arguments, **named):
    """The client blocks, as urllib does; the service runs on this loop."""
    return await asyncio.to_thread(lambda: function(*arguments, **named))


async def test_a_fee_is_asked_for_paid_and_given_back(town, mizan):
    lines = [{"service": "licence"}]
    intent = await call(mizan.create_payment_intent, "case-1", reference="CASE-1", lines=lines)
    again = await call(mizan.create_payment_intent, "case-1", reference="CASE-1", lines=lines)
    assert intent == again
    await town.start(intent)
    await town.pay(intent)
    await town.work()
    read = await call(mizan.get_payment_intent, intent["id"], expand=("attempts", "refunds"))
    assert (read["status"], read["attempts"][0]["status"], read["refunds"]) == ("paid", "succeeded", [])
    updated = await call(mizan.update_payment_intent, "note-1", intent["id"], {"counter": "7"})
    assert updated["metadata"] == {"counter": "7"}
    refund = await call(mizan.create_refund, "back-1", intent["id"], "entered twice")
    assert (await call(mizan.get_refund, refund["id"]))["amount"] == intent["amount"]
    found = await call(lambda: list(mizan.list_payment_intents(metadata="counter:7", limit="1")))
    assert [each["id"] for each in found] == [intent["id"]]
    assert "licence" in [each["code"] for each in await call(lambda: list(mizan.list_services()))]
    town.clock.advance(seconds=5)
    events, cursor = await call(mizan.events)
    assert events[0]["type"] == "payment_intent.created"
    assert (await call(mizan.events, cursor))[0] == []
    other = await call(mizan.create_payment_intent, "case-2", reference="CASE-2", lines=lines)
    assert (await call(mizan.cancel_payment_intent, "stop-2", other["id"]))["status"] == "cancelled"


async def test_a_refusal_is_an_error_with_its_code_and_fields(mizan):
    with pytest.raises(client_file.MizanError) as refused:
        await call(mizan.create_payment_intent, "k", reference="", lines=[])
    assert (refused.value.status, refused.value.code) == (422, "invalid_request")
    assert refused.value.faults[0]["pointer"] == "/lines"


async def test_a_webhook_is_believed_by_its_signature_only(town, mizan):
    endpoint = await call(mizan.create_webhook_endpoint, "hook", "https://hooks.example.ae/")
    body, now_s = b'{"id":"ev_1"}', int(town.clock().timestamp())
    secret = client_file.base64.b64decode(endpoint["secret"].removeprefix("whsec_"))
    signature = sign([b"x" * 32, secret], town.deps.webhook_keys, "ev_1", now_s, body)
    headers = {"Webhook-Id": "ev_1", "Webhook-Timestamp": str(now_s), "Webhook-Signature": signature}
    assert client_file.verify_webhook(endpoint["secret"], headers, body, now_s=now_s) == {"id": "ev_1"}
    for changed, at in (({**headers, "Webhook-Id": "ev_2"}, now_s), (headers, now_s + 301), ({}, now_s)):
        with pytest.raises(client_file.WebhookRefusedError):
            client_file.verify_webhook(endpoint["secret"], changed, body, now_s=at)


def test_every_address_of_the_client_is_described():
    """Its paths are taken from its own text, so that an operation that moves is found here."""
    described = describe()["paths"]
    text = FILE.read_text()
    named = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.JoinedStr):
            parts = [part.value if isinstance(part, ast.Constant) else "{id}" for part in node.values]
            named.add("".join(parts))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            named.add(node.value)
    addresses = {each for each in named if re.fullmatch(r"/v1/[a-z{}/-]+[a-z}]", each)}
    assert len(addresses) >= 8
    assert addresses <= set(described)
    assert describe()["info"]["version"] == client_file.VERSION


@pytest.mark.parametrize("status", [408, 500, 502, 503, 504])
async def test_what_another_try_may_mend_is_tried_again(status, monkeypatch):
    monkeypatch.setattr(client_file.time, "sleep", lambda _: None)
    seen = []

    async def answer(request):
        seen.append(request.headers["Idempotency-Key"])
        return web.json_response({"id": "pi_1"}) if len(seen) > 1 else web.Response(status=status, text="<h1>oh</h1>")

    app = web.Application()
    app.router.add_post("/v1/payment-intents", answer)
    async with TestServer(app) as server:
        mizan = client_file.Mizan(str(server.make_url("")), "mzn_test_x")
        made = await call(mizan.create_payment_intent, "case-1", reference="CASE-1", lines=[])
    assert (made, seen) == ({"id": "pi_1"}, ['"case-1"'] * 2)
