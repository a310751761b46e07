"""What an agent asks for at a counter: a share, an open amount, a concession, a bundle; each fault at its field."""

from __future__ import annotations

import re
from datetime import date

from gateway.domain.tariff_terms import read_terms
from gateway.services.catalogue.change_tariffs import Draft, decide_tariffs, propose_tariffs
from gateway.services.catalogue.import_catalogue import import_catalogue
from tests.gateway.centres.conftest import CARD
from tests.gateway.conftest import SERVICES

SENIOR = {
    "code": "senior", "names": {"ar": "كبار السن", "en": "Senior citizens"}, "when": {"group": "senior"},
    "basis_points": 5_000, "legal_basis": "Law 5", "approver": "The Council",
}  # fmt: skip
STUDENT = {**SENIOR, "code": "student", "names": {"ar": "طالب", "en": "Students"}, "when": {"group": "student"}}
SHARE = {"price": {"kind": "percentage", "basis_points": 400}, "concessions": [SENIOR, STUDENT]}
OPEN = {"price": {"kind": "open", "minimum_minor": 10_00, "maximum_minor": 500_00}}


async def enact(town, **terms_of):
    drafts = [Draft(code, date(2026, 1, 1), "Law 1", read_terms(terms)) for code, terms in terms_of.items()]
    made = await propose_tariffs(town.deps, drafts, by="maryam", reason="the schedule")
    await decide_tariffs(town.deps, [each.tariff.id for each in made], by="khalid", approve=True)


async def amount_of(counter, page):
    return (await counter.town.read({"id": page.path.rpartition("/")[2]}))["amount"]["amount"]


def wrong_fields(page):
    return re.findall(r'<input id="([^"]+)"[^>]* aria-invalid="true"', page.text)


async def test_a_fee_that_is_a_share_asks_for_the_amount_and_for_what_is_proved(counter):
    await enact(counter.town, assessment=SHARE)
    omar = await counter.agent("omar")
    await omar.open("/centre/new?service=assessment")
    assert "Amount the fee is a share of" in omar.text
    assert not re.search(r'name="(quantity|amount)"', omar.text)
    both = {"concession-0": "yes", "concession-1": "yes"}
    await omar.post("/centre/new", reference="", base="", emirates_id=CARD, **both)
    assert omar.status == 422
    assert {"base", "reference"} <= set(wrong_fields(omar))
    for said in ("Enter the amount that this fee is a share of", "Two of these exclude each other"):
        assert said in omar.text
    assert omar.text.count(" checked") == 2, "what was typed stays"
    await omar.post("/centre/new", reference="RENT-1", base="١٬٠٠٠", emirates_id=CARD, **{"concession-0": "yes"})
    assert await amount_of(counter, omar) == 20_00
    assert "20.00" in omar.text


async def test_an_open_fee_says_its_range_and_is_held_to_it(counter):
    await enact(counter.town, assessment=OPEN)
    omar = await counter.agent("omar")
    await omar.open("/centre/new?service=assessment")
    page = omar.text
    for typed in ("9.99", "ten", ""):
        omar.text = page
        await omar.post("/centre/new", reference="OPEN-1", amount=typed, emirates_id=CARD)
        assert (omar.status, wrong_fields(omar)) == (422, ["amount"])
        assert "Enter an amount from" in omar.text
    ids = []
    for typed in ("100", "100", "250"):  # the last after a step back
        omar.text = page
        await omar.post("/centre/new", reference="OPEN-1", amount=typed, emirates_id=CARD)
        ids.append(omar.path)
    assert (ids[0] == ids[1], ids[1] == ids[2]) == (True, False)
    assert await amount_of(counter, omar) == 250_00


async def test_a_bundle_is_asked_for_at_a_counter(counter):
    await enact(counter.town, fine=OPEN)
    omar = await counter.agent("omar")
    await omar.open("/centre/new")
    assert "Start delivering" in omar.text
    await omar.open("/centre/new?bundle=delivery")
    assert "Licence renewal" in omar.text
    await omar.post("/centre/new", reference="B-1", emirates_id=CARD, **{"amount-1": "1"})
    assert (omar.status, wrong_fields(omar)) == (422, ["amount-1"])
    await omar.post("/centre/new", reference="B-1", emirates_id=CARD, **{"amount-1": "40"})
    assert await amount_of(counter, omar) == 145_00


async def test_only_what_is_to_be_had_at_counters_is_offered(counter):
    rows = [{**SERVICES[0], "channels": "web"}, {**SERVICES[3], "channels": "web counter"}]
    assert not (await import_catalogue(counter.town.deps, [], rows)).faults
    omar = await counter.agent("omar")
    await omar.open("/centre/new?language=en")
    offered = re.findall(r'<option value="([^"]+)"', omar.text)
    assert offered == ["assessment", "kuwaiti"], "neither the licence nor the bundle that holds it"
    await omar.open("/centre/new?service=assessment")
    for chosen in ({"service": "licence"}, {"service": "fine"}, {"bundle": "delivery", "service": "assessment"}):
        page = omar.text
        await omar.post("/centre/new", reference="X-1", emirates_id=CARD, amount="5", **chosen)
        assert (omar.status, "Choose another" in omar.text) == (422, True)
        omar.text = page
    assert await counter.town.deps.pool.fetchval("SELECT count(*) FROM gateway.intent") == 0


async def test_an_amount_is_read_in_the_currency_of_its_service(counter):
    omar = await counter.agent("omar")
    await omar.open("/centre/new?service=kuwaiti")
    await omar.post("/centre/new", reference="K-1", emirates_id=CARD, amount="1.250")
    assert await amount_of(counter, omar) == 1_250


async def test_the_second_step_is_there_in_arabic(counter):
    await enact(counter.town, assessment=SHARE, fine=OPEN)
    omar = await counter.agent("omar")
    await omar.open("/centre/new?service=assessment&language=ar")
    assert "ما الذي يثبته الدافع؟" in omar.text
    assert "كبار السن" in omar.text
    await omar.post("/centre/new", reference="", base="", emirates_id="")
    assert "أدخل المبلغ الذي يُحسب هذا الرسم نسبةً منه" in omar.text
    await omar.open("/centre/new?bundle=delivery")
    assert "ابدأ التوصيل" in omar.text
