"""The API's description is true: its routes, and every answer against its schema."""

from __future__ import annotations

import jsonschema
import pytest
from openapi_spec_validator import validate

from gateway.api.openapi import describe
from gateway.api.problems import STATUSES
from gateway.api.routes import ROUTES
from gateway.domain import errors
from gateway.services.intents.read_intent import FEED_DELAY

PATH = "/v1/payment-intents"


def schema(name):
    document = describe()
    return {"$ref": f"#/components/schemas/{name}", "components": document["components"]}


def check(body, name):
    jsonschema.validate(body, schema(name), format_checker=jsonschema.FormatChecker())


def test_the_document_is_openapi_3_1_and_names_every_route():
    document = describe()
    validate(document)
    described = {(method.upper(), path) for path, item in document["paths"].items() for method in item}
    undescribed = {"/v1/openapi.json", "/v1/docs"}
    assert described == {(m, path) for m, path, _ in ROUTES if path.startswith("/v1/") and path not in undescribed}


def test_every_refusal_has_a_status():
    kinds = {kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.GatewayError)}
    assert kinds - set(STATUSES) == {errors.GatewayError}
    assert len({kind.code for kind in kinds}) == len(kinds)


async def test_answers_are_as_described(town):
    intent = await town.paid(
        payer={"language": "en", "email": "a@example.ae", "mobile": "+971501234567"},
        metadata={"case": "7", "note": "تجديد"},
        return_url="https://economy.example.ae/back",
    )
    check(intent, "PaymentIntent")
    check((await town.ask("GET", PATH)).body, "PaymentIntentList")
    check((await town.ask("GET", f"{PATH}/{intent['id']}/attempts")).body, "PaymentAttemptList")
    refund = (await town.ask("POST", f"{PATH}/{intent['id']}/refunds", {"reason": "x"})).body
    check(refund, "Refund")
    check((await town.ask("GET", f"/v1/refunds/{refund['id']}")).body, "Refund")
    check((await town.ask("GET", f"{PATH}/{intent['id']}/refunds")).body, "RefundList")
    check((await town.ask("GET", "/v1/services")).body, "ServiceList")
    check((await town.ask("GET", "/v1/services/licence")).body, "Service")
    check((await town.ask("GET", "/v1/bundles")).body, "BundleList")
    check((await town.ask("GET", "/v1/bundles/delivery")).body, "Bundle")
    lines = [{"service": "licence"}, {"service": "fine", "amount": {"amount": 100, "currency": "AED"}}]
    check((await town.ask("POST", "/v1/quotes", {"bundle": "delivery", "lines": lines})).body, "Quote")
    shared = await town.paid(bundle="delivery", lines=lines)
    check(shared, "PaymentIntent")
    check((await town.ask("GET", f"/v1/payment-parts/{shared['id']}", department="roads")).body, "PaymentPart")
    check((await town.ask("GET", "/v1/payment-parts", department="roads")).body, "PaymentPartList")
    endpoint = (await town.ask("POST", "/v1/webhook-endpoints", {"url": "https://hooks.example.ae/"})).body
    check(endpoint, "WebhookEndpoint")
    check((await town.ask("GET", "/v1/webhook-endpoints")).body, "WebhookEndpointList")
    check((await town.ask("POST", f"/v1/webhook-endpoints/{endpoint['id']}/replay", {})).body, "Replay")
    check((await town.ask("GET", f"{PATH}/pi_x")).body, "Problem")
    check((await town.ask("POST", PATH, {})).body, "Problem")
    assert (await town.ask("GET", "/v1/openapi.json")).body == describe()


async def test_the_list_pages_through_everything_newest_first(town):
    made = []
    for _ in range(7):
        made.append((await town.intent())["id"])
        town.clock.advance(seconds=1)
    seen, cursor = [], ""
    while True:
        page = (await town.ask("GET", f"{PATH}?limit=3{cursor}")).body
        seen += [intent["id"] for intent in page["data"]]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert seen == made[::-1]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("status=paid", ["paid"]), ("status=requires_payment", ["open"]), ("reference=paid", ["paid"]),
        ("status=paid&reference=paid", ["paid"]), ("status=paid&reference=open", []), ("status=paid&amount=1", []),
        ("status=expired", []),
        ("created_from=2026-11-22T07:00:00Z", []), ("created_before=2026-11-22T07:00:00%2B00:00", ["open", "paid"]),
    ],
)  # fmt: skip
async def test_the_list_is_filtered(town, query, found):
    await town.paid(reference="paid")
    await town.intent(reference="open")
    page = (await town.ask("GET", f"{PATH}?{query}")).body
    assert sorted(intent["reference"] for intent in page["data"]) == found


async def test_pages_of_one_status_hold_every_intent_of_it_and_end(town):
    cancelled = []
    for number in range(5):
        intent = await town.intent()
        town.clock.advance(seconds=1)
        if number != 2:
            await town.ask("POST", f"{PATH}/{intent['id']}/cancel", {})
            cancelled.append(intent["id"])
    first = (await town.ask("GET", f"{PATH}?status=cancelled&limit=2")).body
    rest = (await town.ask("GET", f"{PATH}?status=cancelled&limit=2&cursor={first['next_cursor']}")).body
    assert [intent["id"] for intent in first["data"] + rest["data"]] == cancelled[::-1]
    assert rest["next_cursor"] is None


async def test_the_feed_is_read_on_from_its_cursor_and_holds_the_newest_back(town):
    await town.paid()
    assert (await town.ask("GET", "/v1/events")).body["data"] == []
    town.clock.advance(seconds=FEED_DELAY.total_seconds())
    first = (await town.ask("GET", "/v1/events?limit=2")).body
    rest = (await town.ask("GET", f"/v1/events?cursor={first['next_cursor']}")).body
    types = [event["type"] for event in first["data"] + rest["data"]]
    assert types[0] == "payment_intent.created"
    assert types[-1] == "payment_intent.paid"
    assert len(types) == 6
    last = rest["next_cursor"]
    assert (await town.ask("GET", f"/v1/events?cursor={last}")).body == {
        "object": "list", "data": [], "next_cursor": last,
    }  # fmt: skip


async def test_hc15_amounts_of_every_exponent_are_whole_minor_units(town):
    line = {"service": "kuwaiti", "amount": {"amount": 12_345, "currency": "KWD"}}
    own = {
        "name": {"ar": "رسم", "en": "Fee"}, "revenue_code": "411", "amount": {"amount": 700, "currency": "JPY"},
    }  # fmt: skip
    dinars, yen = await town.intent(lines=[line]), await town.intent(lines=[own])
    assert dinars["amount"] == {"amount": 12_345, "currency": "KWD"}
    assert yen["amount"] == {"amount": 700, "currency": "JPY"}
