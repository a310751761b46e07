"""Requests, answers and notifications held against Adyen's OpenAPI documents, and Adyen's own SDK as a third party."""

import asyncio
import json
import re
from datetime import timedelta
from pathlib import Path

import pytest
import yaml
from aiohttp import web
from aiohttp.test_utils import TestServer
from openapi_schema_validator import OAS31Validator

from adapters import registry
from adapters.adyen.mapping import STATUSES
from adapters.adyen.simulator import API_KEY, HMAC_KEY, MERCHANT_ACCOUNT
from adapters.contract import Outcome, PaymentOrder, RefundOrder
from adapters.errors import RejectedError
from adapters.http import open_session
from ledger.money import Money

ROOT = Path(__file__).parents[3]
FOLDER = next((path for parent in ROOT.parents if (path := parent / "shared/specs/adyen").is_dir()), None)

pytestmark = pytest.mark.skipif(FOLDER is None, reason="Adyen's specifications are not beside the project")


@pytest.fixture(scope="module")
def checkout() -> dict:
    return yaml.load((FOLDER / "CheckoutService-v71.yaml").read_text(), Loader=yaml.CSafeLoader)


@pytest.fixture(scope="module")
def webhooks() -> dict:
    return yaml.load((FOLDER / "Webhooks-v1.yaml").read_text(), Loader=yaml.CSafeLoader)


def check(spec: dict, schema: dict, value: object) -> None:
    """Validate against a schema of the document, with its references."""
    whole = {"allOf": [schema], "components": {"schemas": spec["components"]["schemas"]}}
    errors = [error.message for error in OAS31Validator(whole).iter_errors(value)]
    assert errors == []


def operation(spec: dict, method: str, path: str) -> dict:
    for template, item in spec["paths"].items():
        if re.fullmatch(re.sub(r"\{[^}]+\}", "[^/]+", template), path) and method in item:
            return item[method]
    raise AssertionError(f"{method} {path} is not in the specification")


@pytest.fixture
async def server(clock, random_bytes):
    """The simulator with everything it says on the wire kept, and a listener for its notifications."""
    said: list[tuple] = []
    notified: list[dict] = []

    @web.middleware
    async def listen(request: web.Request, handler):
        body = await request.read()
        answer = await handler(request)
        if request.path.startswith("/pay"):
            sent = json.loads(body) if body.startswith(b"{") else None
            said.append((request.method.lower(), request.path, sent, answer.status, answer.body))
        return answer

    async def receive(request: web.Request) -> web.Response:
        notified.append(json.loads(await request.read()))
        return web.Response()

    ours = web.Application()
    ours.router.add_post("/callbacks/adyen", receive)
    gateway = TestServer(ours)
    await gateway.start_server()
    app = registry.PROVIDERS["adyen"].simulator(
        clock=clock, random_bytes=random_bytes, callback_url=str(gateway.make_url("/callbacks/adyen"))
    )
    app.middlewares.append(listen)
    running = TestServer(app)
    await running.start_server()
    yield str(running.make_url("")).rstrip("/"), said, notified
    await running.close()
    await gateway.close()


@pytest.fixture
async def conversation(server, clock, random_bytes):
    """Run a whole life of payments and refunds."""
    base_url, said, notified = server
    registered = registry.PROVIDERS["adyen"]
    async with open_session() as session:
        provider = registered.build(
            {**registered.simulator_settings, "base_url": base_url},
            session=session,
            clock=clock,
            random_bytes=random_bytes,
        )

        async def press(reference: str, reason: str = "") -> None:
            body = {"reference": reference, "decline_code": reason}
            await (await session.post(f"{base_url}/simulator/pay", json=body)).read()
            await (await session.post(f"{base_url}/simulator/drain")).read()

        for number, amount in enumerate((Money(12_550, "AED"), Money(700, "JPY"), Money(1_234_567, "KWD"))):
            order = PaymentOrder(
                f"pa_{number}", amount, "Licence " * 60, "ar", "https://pay.example/r", "https://pay.example/c", "",
                clock() + timedelta(hours=1), payer_email="fatima@example.ae",
            )  # fmt: skip
            await provider.start(order)
            await press(order.reference, "Not enough balance")
            await press(order.reference)
            assert (await provider.query(order, None)).outcome is Outcome.SUCCEEDED
            psp = notified[-1]["notificationItems"][0]["NotificationRequestItem"]["pspReference"]
            await provider.refund(RefundOrder(f"re_{number}", order.reference, psp, amount))
            with pytest.raises(RejectedError):
                await provider.refund(RefundOrder(f"re_more_{number}", order.reference, psp, amount))
            await (await session.post(f"{base_url}/simulator/drain")).read()
            given_up = PaymentOrder(
                f"pa_gone_{number}", amount, "Licence", "en", "https://pay.example/r", "", "",
                clock() + timedelta(hours=1),
            )  # fmt: skip
            await provider.start(given_up)
            await provider.void(given_up, "")
    return said, notified


async def test_every_request_and_answer_is_what_the_specification_says(checkout, conversation):
    said, _ = conversation
    seen = set()
    for method, path, sent, status, answered in said:
        found = operation(checkout, method, path)
        if sent is not None:
            check(checkout, found["requestBody"]["content"]["application/json"]["schema"], sent)
        schema = found["responses"][str(status)]["content"]["application/json"]["schema"]
        check(checkout, schema, json.loads(answered))
        seen.add((found["operationId"], status))
    assert len(seen) >= 5, seen


async def test_every_notification_is_what_the_specification_says(webhooks, conversation):
    _, notified = conversation
    events = set()
    for notification in notified:
        item = notification["notificationItems"][0]["NotificationRequestItem"]
        content = webhooks["webhooks"][f"/{item['eventCode']}"]["post"]["requestBody"]["content"]["application/json"]
        check(webhooks, content["schema"], notification)
        events.add((item["eventCode"], item["success"]))
    assert events == {("AUTHORISATION", "true"), ("AUTHORISATION", "false"), ("REFUND", "true")}


def test_every_status_of_a_link_has_its_meaning(checkout):
    assert set(checkout["components"]["schemas"]["PaymentLinkResponse"]["properties"]["status"]["enum"]) == set(
        STATUSES
    )


async def test_adyens_own_sdk_works_against_the_simulator(server, clock):
    """The official library makes a link, reads it, lets it expire, and accepts our signatures."""
    adyen = pytest.importorskip("Adyen", reason="Adyen's own library is not installed")
    base_url, _, notified = server
    client = adyen.Adyen(xapikey=API_KEY, platform="test", merchant_account=MERCHANT_ACCOUNT)
    client.client.http_force = "urllib"
    api = client.checkout.payment_links_api
    api.baseUrl = base_url
    request = {
        "merchantAccount": MERCHANT_ACCOUNT,
        "reference": "sdk-1",
        "amount": {"currency": "AED", "value": 12_550},
        "expiresAt": (clock() + timedelta(hours=1)).isoformat(),
    }
    made = await asyncio.to_thread(api.payment_links, request, idempotency_key="sdk-1")
    again = await asyncio.to_thread(api.payment_links, request, idempotency_key="sdk-1")
    assert made.message["id"] == again.message["id"]
    async with open_session() as session:
        await (await session.post(f"{base_url}/simulator/pay", json={"reference": "sdk-1"})).read()
        await (await session.post(f"{base_url}/simulator/drain")).read()
    read = await asyncio.to_thread(api.get_payment_link, made.message["id"])
    assert read.message["status"] == "completed"
    assert adyen.util.is_valid_hmac_notification(notified[-1], HMAC_KEY)
    other = await asyncio.to_thread(api.payment_links, {**request, "reference": "sdk-2"})
    gone = await asyncio.to_thread(api.update_payment_link, {"status": "expired"}, other.message["id"])
    assert gone.message["status"] == "expired"
