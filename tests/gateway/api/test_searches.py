"""What lists are searched by: a receipt, when it was paid, for what; and the time of refunds, links and events."""

from __future__ import annotations

import pytest

from gateway.store import intent_search

PATH = "/v1/payment-intents"
FINE = {"name": {"ar": "رسم", "en": "Fee"}, "revenue_code": "4", "amount": {"amount": 100, "currency": "AED"}}


async def references(town, query):
    answer = await town.ask("GET", f"{PATH}?{query}")
    assert answer.status == 200, answer.body
    return [intent["reference"] for intent in answer.body["data"]]


@pytest.fixture
async def searched(town):
    """Two paid an hour apart, the second two hours after it was asked for, and one that nobody paid."""
    late = await town.intent(reference="late", lines=[{"service": "licence"}, FINE])
    town.clock.advance(seconds=1)
    early = await town.paid(reference="early", lines=[FINE])
    town.clock.advance(seconds=1)
    await town.intent(reference="open")
    town.clock.advance(hours=2)
    await town.start(late)
    await town.pay(late)
    await town.work()
    return town, await town.read(early), await town.read(late)


async def test_intents_are_found_by_receipt_paid_time_and_service(searched):
    town, early, late = searched
    assert await references(town, f"receipt_number={early['receipt_number']}") == ["early"]
    assert await references(town, f"receipt_number={early['receipt_number']}&status=cancelled") == []
    assert await references(town, f"receipt_number={late['receipt_number']}&reference=early") == []
    assert await references(town, f"receipt_number={late['receipt_number']}&reference=late") == ["late"]
    assert await references(town, "paid_from=2026-11-22T07:00:00Z") == ["late"]
    assert await references(town, "paid_before=2026-11-22T07:00:00Z") == ["early"]
    assert await references(town, "paid_from=2026-11-22T06:00:00Z&paid_before=2026-11-22T09:00:00Z") == [
        "early",
        "late",
    ]
    assert await references(town, "service=licence") == ["open", "late"]
    assert await references(town, "service=licence&status=paid&reference=late") == ["late"]
    other = await town.ask("GET", f"{PATH}?receipt_number={early['receipt_number']}", department="roads")
    assert other.body["data"] == []


async def test_a_search_that_finds_little_says_where_to_go_on(searched, monkeypatch):
    town, _, late = searched
    monkeypatch.setattr(intent_search, "SEARCHED_MAX", 2)
    seen, cursor = [], ""
    for _ in range(5):
        page = (await town.ask("GET", f"{PATH}?paid_from=2026-11-22T07:00:00Z{cursor}")).body
        seen += [intent["id"] for intent in page["data"]]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert seen == [late["id"]]


async def test_refunds_links_and_events_are_found_by_their_time(searched):
    town, early, _ = searched
    link = {"reference": "L", "line": {"service": "licence"}, "single_use": True}
    for _ in range(2):
        body = {"reason": "x", "amount": {"amount": 10, "currency": "AED"}}
        assert (await town.ask("POST", f"{PATH}/{early['id']}/refunds", body)).status == 201
        assert (await town.ask("POST", "/v1/payment-links", link)).status == 201
        town.clock.advance(hours=1)
    for path in ("/v1/refunds", "/v1/payment-links"):
        every = (await town.ask("GET", path)).body["data"]
        new = (await town.ask("GET", f"{path}?created_from={every[0]['created_at']}")).body["data"]
        old = (await town.ask("GET", f"{path}?created_before={every[0]['created_at']}")).body["data"]
        assert (new, old) == (every[:1], every[1:])
    every = (await town.ask("GET", "/v1/events?limit=100")).body["data"]
    at = every[-1]["timestamp"]
    new = (await town.ask("GET", f"/v1/events?created_from={at}")).body["data"]
    old = (await town.ask("GET", f"/v1/events?created_before={at}&limit=100")).body["data"]
    assert old + new == every
    assert all(event["timestamp"] < at for event in old)
    first = (await town.ask("GET", f"/v1/events?created_from={at}&limit=1")).body
    assert (await town.ask("GET", f"/v1/events?created_from={at}&cursor={first['next_cursor']}")).body["data"] == new[
        1:
    ]
