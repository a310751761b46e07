"""Payment links on services with tariffs: what the tariff is told is kept, and its range holds."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from gateway.domain.tariff_terms import read_terms
from gateway.services.catalogue.change_tariffs import Draft, decide_tariffs, propose_tariffs
from gateway.services.catalogue.import_catalogue import import_catalogue
from tests.gateway.checkout.conftest import Window
from tests.gateway.checkout.test_payment_links import intents, make, path_of, press
from tests.gateway.conftest import SERVICES

SENIOR = {
    "code": "senior", "names": {"ar": "كبار السن", "en": "Senior citizens"}, "when": {"senior": True},
    "basis_points": 5_000, "legal_basis": "Resolution 5, article 3", "approver": "The Executive Council",
}  # fmt: skip
LICENCE = {"price": {"kind": "fixed", "amount_minor": 80_00}, "concessions": [SENIOR]}
SHARE = {"price": {"kind": "percentage", "basis_points": 400}}
OPEN = {"price": {"kind": "open", "minimum_minor": 10_00, "maximum_minor": 50_000_00}}
MANY = {"reference": "R-1", "single_use": False, "language": "en"}


def aed(amount: int) -> dict[str, Any]:
    return {"amount": amount, "currency": "AED"}


async def enact(town: Any, service: str, terms: Any, on: str = "2026-01-01") -> None:
    draft = Draft(service, date.fromisoformat(on), "Resolution 1 of 2026", read_terms(terms))
    [made] = await propose_tariffs(town.deps, [draft], by="maryam", reason="the new schedule")
    await decide_tariffs(town.deps, [made.tariff.id], by="khalid", approve=True)


async def test_a_link_charges_what_its_answers_earn(window: Window, town: Any):
    await enact(town, "licence", LICENCE)
    line = {"service": "licence", "answers": {"senior": True}}
    link = await make(town, {**MANY, "line": line})
    assert (link["answers"], link["base_amount"]) == ({"senior": True}, None)
    assert (await town.ask("GET", f"/v1/payment-links/{link['id']}")).body["answers"] == {"senior": True}
    _, _, page = await window.get(path_of(link))
    assert "AED\N{NO-BREAK SPACE}40.00" in page
    await press(window, link)
    assert [one["amount_minor"] for one in await intents(town)] == [40_00]


async def test_a_link_charges_by_its_base_amount(window: Window, town: Any):
    await enact(town, "assessment", SHARE)
    link = await make(town, {**MANY, "line": {"service": "assessment", "base_amount": aed(1_000_00)}})
    assert link["base_amount"] == aed(1_000_00)
    status, _, page = await window.get(path_of(link))
    assert (status, "AED\N{NO-BREAK SPACE}40.00" in page) == (200, True)
    await press(window, link)
    assert [one["amount_minor"] for one in await intents(town)] == [40_00]


async def status_of(town: Any, link: Any) -> str:
    """Return a link's status, which reading it and listing it say alike."""
    read = (await town.ask("GET", f"/v1/payment-links/{link['id']}")).body["status"]
    listed = (await town.ask("GET", "/v1/payment-links")).body["data"]
    assert [one["status"] for one in listed if one["id"] == link["id"]] == [read]
    return read


@pytest.mark.parametrize("line", [{"service": "fee"}, {"service": "fee", "amount": aed(105_00)}])
async def test_a_link_for_a_retired_service_says_that_it_can_no_longer_be_used(window: Window, town: Any, line: Any):
    fee = {**SERVICES[0], "code": "fee"}
    assert not (await import_catalogue(town.deps, [], [fee])).faults
    link = await make(town, {**MANY, "line": line})
    _, _, page = await window.get(path_of(link))
    hidden = {name: page.split(f'name="{name}" value="')[1].split('"')[0] for name in ("csrf", "once")}
    retired = [{**fee, "active": "no"}]
    for dry_run in (True, False):
        done = await import_catalogue(town.deps, [], retired, dry_run=dry_run)
        assert [note.detail for note in done.notes] == ["1 payment links for fee can no longer be used"]
        assert await status_of(town, link) == ("usable" if dry_run else "unavailable")
    for language, said in (("en", "can no longer be used"), ("ar", "لم يعد بالإمكان")):
        status, _, page = await window.get(f"{path_of(link)}?language={language}")
        assert (status, said in page) == (200, True)
    status, headers, _ = await window.post(path_of(link), hidden)
    assert (status, headers["Location"], await intents(town)) == (303, path_of(link), [])
    assert (await import_catalogue(town.deps, [], retired)).notes == (), "it was retired before"


async def test_a_link_whose_tariff_has_changed_under_it_is_over_and_never_a_failure(window: Window, town: Any):
    await enact(town, "licence", LICENCE)
    link = await make(town, {**MANY, "line": {"service": "licence", "answers": {"senior": True}}})
    await enact(town, "licence", {"price": {"kind": "fixed", "amount_minor": 90_00}}, on="2026-11-24")
    assert await status_of(town, link) == "usable"
    town.clock.advance(hours=72)
    assert await status_of(town, link) == "unavailable"
    status, _, page = await window.get(path_of(link))
    assert (status, "can no longer be used" in page) == (200, True)


async def test_a_link_for_a_waived_fee_is_refused_when_it_is_made(town: Any):
    waived = {field: value for field, value in SENIOR.items() if field != "basis_points"}
    await enact(town, "licence", {**LICENCE, "concessions": [waived]})
    body = {**MANY, "line": {"service": "licence", "answers": {"senior": True}}}
    answer = await town.ask("POST", "/v1/payment-links", body)
    assert (answer.status, answer.body["errors"][0]["pointer"]) == (422, "/line")


@pytest.mark.parametrize(
    ("asked", "least", "most"),
    [({}, 10_00, 50_000_00), ({"least": aed(20_00)}, 20_00, 50_000_00), ({"most": aed(90_00)}, 10_00, 90_00)],
)
async def test_the_ends_of_an_open_amount_are_its_tariff_s(
    window: Window, town: Any, asked: Any, least: int, most: int
):
    await enact(town, "assessment", OPEN)
    link = await make(town, {**MANY, "line": {"service": "assessment"}, "amount_range": asked})
    assert link["amount_range"] == {"least": aed(least), "most": aed(most)}
    assert (await press(window, link, amount=str(most // 100 + 1)))[0] == 422
    assert (await press(window, link, amount=str(least // 100)))[0] == 303


@pytest.mark.parametrize(
    ("line", "asked", "pointer"),
    [
        ({"service": "assessment"}, {"least": aed(10_00), "most": aed(50_000_01)}, "/amount_range/most"),
        ({"service": "assessment"}, {"least": aed(9_99)}, "/amount_range/least"),
        ({"service": "assessment"}, {"most": aed(9_99)}, "/amount_range/most"),
        ({"service": "assessment"}, {"most": {"amount": 90_00, "currency": "KWD"}}, "/amount_range/most/currency"),
        ({"service": "kuwaiti"}, {"least": aed(1), "most": aed(2)}, "/amount_range/least/currency"),
        ({"name": {"ar": "تبرع", "en": "Gift"}, "revenue_code": "4"}, {}, "/amount_range/least/currency"),
    ],
)
async def test_a_range_its_tariff_does_not_allow_is_refused_at_its_end(town: Any, line: Any, asked: Any, pointer: str):
    await enact(town, "assessment", OPEN)
    answer = await town.ask("POST", "/v1/payment-links", {**MANY, "line": line, "amount_range": asked})
    assert (answer.status, [fault["pointer"] for fault in answer.body["errors"]]) == (422, [pointer])


async def test_an_open_amount_of_a_service_without_a_tariff_may_be_anything(window: Window, town: Any):
    link = await make(town, {**MANY, "line": {"service": "kuwaiti"}, "amount_range": {}})
    assert link["amount_range"]["most"] == {"amount": 10**12, "currency": "KWD"}
    assert (await press(window, link, amount="1.250"))[0] == 303


async def test_a_narrower_tariff_narrows_the_link(window: Window, town: Any):
    await enact(town, "assessment", OPEN)
    link = await make(town, {**MANY, "line": {"service": "assessment"}, "amount_range": {"most": aed(100_00)}})
    narrow = {"kind": "open", "minimum_minor": 50_00, "maximum_minor": 60_00}
    await enact(town, "assessment", {"price": narrow}, on="2026-11-24")
    await enact(
        town, "assessment", {"price": {**narrow, "maximum_minor": 500_00, "minimum_minor": 200_00}}, "2026-11-26"
    )
    town.clock.advance(hours=48)
    _, _, page = await window.get(path_of(link))
    assert all(f"AED\N{NO-BREAK SPACE}{end}" in page for end in ("50.00", "60.00"))
    assert (await press(window, link, amount="61"))[0] == 422
    assert (await press(window, link, amount="60"))[0] == 303
    assert await status_of(town, link) == "usable"
    town.clock.advance(hours=48)
    assert await status_of(town, link) == "unavailable"
    _, _, page = await window.get(path_of(link))
    assert "can no longer be used" in page
