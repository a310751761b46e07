"""Payment links: fixed, ranged and open amounts, one use and many, by the page a citizen opens."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from gateway.domain.errors import InvalidError
from gateway.web.typed import read_amount
from ledger.money import Money
from tests.gateway.checkout.conftest import Window

ONE = {"reference": "FINE-7", "line": {"service": "licence"}, "single_use": True, "language": "en"}
DONATION = {
    "reference": "GIFT", "single_use": False, "language": "en",
    "line": {"name": {"ar": "تبرع", "en": "Gift"}, "revenue_code": "499000"},
}  # fmt: skip
RANGE = {"least": {"amount": 10_00, "currency": "AED"}, "most": {"amount": 500_00, "currency": "AED"}}


async def make(town: Any, body: Any, **more: Any) -> dict[str, Any]:
    answer = await town.ask("POST", "/v1/payment-links", {**body, **more})
    assert answer.status == 201, answer.body
    return answer.body


def path_of(link: dict[str, Any]) -> str:
    return "/link/" + link["url"].rpartition("/")[2]


async def press(window: Window, link: dict[str, Any], **fields: str) -> tuple[int, str, str]:
    """Open the link and press its button; return the status, where it leads, and the page."""
    _, _, page = await window.get(path_of(link))
    hidden = {name: page.split(f'name="{name}" value="')[1].split('"')[0] for name in ("csrf", "once")}
    status, headers, said = await window.post(path_of(link), {**hidden, **fields})
    return status, headers.get("Location", ""), said


async def intents(town: Any) -> list[Any]:
    return await town.deps.pool.fetch("SELECT id, amount_minor, reference, metadata FROM gateway.intent ORDER BY id")


async def test_a_link_for_one_use_leads_everybody_to_the_same_payment(window: Window, town: Any):
    link = await make(town, ONE)
    _, _, page = await window.get(path_of(link))
    assert "Licence renewal" in page
    assert "AED\N{NO-BREAK SPACE}105.00" in page
    places = {place for _, place, _ in await asyncio.gather(*(press(window, link) for _ in range(5)))}
    assert len(places) == 1
    [intent] = await intents(town)
    assert (intent["amount_minor"], intent["reference"]) == (105_00, "FINE-7")
    assert link["id"] in intent["metadata"]
    assert (await window.get(path_of(link)))[1]["Location"] in places, "opened again, it goes straight there"


async def test_once_paid_it_shows_the_receipt_and_asks_for_nothing(window: Window, town: Any):
    link = await make(town, ONE)
    await press(window, link)
    [intent] = await intents(town)
    await town.start({"id": intent["id"]})
    await town.pay({"id": intent["id"]})
    await town.work()
    read = (await town.ask("GET", f"/v1/payment-links/{link['id']}")).body
    assert (read["status"], read["times_paid"]) == ("paid", 1)
    _, headers, _ = await window.get(path_of(link))
    _, _, page = await window.get(headers["Location"] + "?language=en")
    assert "already paid" in page


async def test_a_payment_that_expired_leaves_the_link_usable(window: Window, town: Any):
    link = await make(town, ONE)
    _, first, _ = await press(window, link)
    town.clock.advance(hours=25)
    await town.work()
    status, second, _ = await press(window, link)
    assert (status, first != second) == (303, True)
    assert [intent["reference"] for intent in await intents(town)] == ["FINE-7", "FINE-7"]


async def test_a_link_for_many_makes_a_payment_for_each_and_one_for_a_double_click(window: Window, town: Any):
    link = await make(town, DONATION, amount_range=RANGE)
    _, _, page = await window.get(path_of(link))
    hidden = {name: page.split(f'name="{name}" value="')[1].split('"')[0] for name in ("csrf", "once")}
    twice = [await window.post(path_of(link), {**hidden, "amount": "25"}) for _ in range(2)]
    assert twice[0][1]["Location"] == twice[1][1]["Location"]
    town.clock.advance(seconds=1)
    await press(window, link, amount="٥٠٠")
    found = await intents(town)
    assert [intent["amount_minor"] for intent in found] == [25_00, 500_00]
    assert len({intent["reference"] for intent in found}) == 2, "two gifts are not one bill paid twice"


async def test_another_amount_named_on_the_same_page_is_another_payment(window: Window, town: Any):
    link = await make(town, DONATION, amount_range=RANGE)
    _, _, page = await window.get(path_of(link))
    hidden = {name: page.split(f'name="{name}" value="')[1].split('"')[0] for name in ("csrf", "once")}
    typed = ("100.00", "250.00", "100", "250")  # the second time by the back button
    places = [(await window.post(path_of(link), {**hidden, "amount": one}))[1]["Location"] for one in typed]
    assert places[:2] == places[2:]
    assert [one["amount_minor"] for one in await intents(town)] == [100_00, 250_00]


@pytest.mark.parametrize("typed", ["", "9.99", "500.01", "25.001", "-25", "ten", "1e2", "25 25,x"])
async def test_an_amount_out_of_range_is_refused_beside_the_field_and_kept(window: Window, town: Any, typed: str):
    link = await make(town, DONATION, amount_range=RANGE)
    status, _, page = await press(window, link, amount=typed)
    assert status == 422
    assert 'aria-invalid="true"' in page
    assert "Enter an amount from" in page
    assert f'value="{typed}"' in page
    assert await intents(town) == []


async def test_an_open_amount_has_no_bounds_but_those_of_any_payment(window: Window, town: Any):
    line = {**DONATION["line"], "amount": None}
    line.pop("amount")
    link = await make(town, {**DONATION, "line": line}, amount_range={"least": {"amount": 1, "currency": "AED"}})
    assert link["amount_range"]["most"]["amount"] == 10**12
    assert (await press(window, link, amount="AED 1,250.50"))[0] == 303
    assert (await intents(town))[0]["amount_minor"] == 1_250_50


@pytest.mark.parametrize("how", ["expired", "disabled"])
async def test_a_link_that_is_over_says_so_and_makes_nothing(window: Window, town: Any, how: str):
    link = await make(town, ONE, expires_at=(town.clock() + timedelta(hours=1)).isoformat())
    _, _, page = await window.get(path_of(link))
    csrf = page.split('name="csrf" value="')[1].split('"')[0]
    if how == "expired":
        town.clock.advance(hours=2)
    else:
        answer = await town.ask("POST", f"/v1/payment-links/{link['id']}/disable", {})
        assert answer.body["status"] == "disabled"
    for language, said in (("en", "can no longer be used"), ("ar", "لم يعد بالإمكان")):
        _, _, page = await window.get(f"{path_of(link)}?language={language}")
        assert said in page
    status, headers, _ = await window.post(path_of(link), {"csrf": csrf, "once": "x"})
    assert (status, headers["Location"]) == (303, path_of(link))
    assert await intents(town) == []


async def test_a_payment_ends_with_its_link(window: Window, town: Any):
    ends = town.clock() + timedelta(hours=3)
    await press(window, await make(town, ONE, expires_at=ends.isoformat()))
    [row] = await town.deps.pool.fetch("SELECT expires_at FROM gateway.intent")
    assert row["expires_at"] == ends


async def test_a_forged_form_and_a_link_that_is_not_ours_make_nothing(window: Window, town: Any):
    link = await make(town, ONE)
    assert (await window.post(path_of(link), {"csrf": "0" * 40, "once": "x"}))[0] == 403
    token = path_of(link).removeprefix("/link/")
    for forged in (token[:-1] + "0", token.upper(), "x"):
        assert (await window.get(f"/link/{forged}"))[0] == 404
    assert (await window.get(f"/pay/{token}"))[0] == 404, "a link's token opens no payment"


async def test_another_department_neither_reads_nor_draws_a_link(town: Any):
    link = await make(town, ONE)
    for method, path in (("GET", ""), ("GET", "/qr.svg"), ("POST", "/disable")):
        body = {} if method == "POST" else None
        answer = await town.ask(method, f"/v1/payment-links/{link['id']}{path}", body, department="roads")
        assert answer.status == 404


async def test_the_square_code_holds_the_link(town: Any):
    link = await make(town, ONE)
    headers = {"Authorization": f"Bearer {town.keys['economy']}"}
    async with town.session.get(f"{town.url}/v1/payment-links/{link['id']}/qr.svg", headers=headers) as answer:
        assert answer.headers["Content-Type"].startswith("image/svg+xml")
        assert (await answer.text()).startswith("<?xml")


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"line": {"service": "nothing"}}, "/line/service"),
        ({"line": {"service": "fine"}}, "/line/service"),
        ({"amount_range": RANGE}, "/line/amount/amount"),
        ({"expires_at": "2026-11-22T06:01:00Z"}, "/expires_at"),
        ({"return_url": "https://elsewhere.example"}, "/return_url"),
        ({**DONATION}, "/line/amount"),
        ({**DONATION, "amount_range": {"least": RANGE["most"], "most": RANGE["least"]}}, "/amount_range/most"),
    ],
)
async def test_what_nobody_could_pay_is_refused_when_the_link_is_made(town: Any, change: Any, pointer: str):
    answer = await town.ask("POST", "/v1/payment-links", {**ONE, **change})
    assert (answer.status, [fault["pointer"] for fault in answer.body["errors"]]) == (422, [pointer])


@pytest.mark.parametrize(
    ("typed", "minor"),
    [("25", 25_00), ("٢٥٫٥٠", 25_50), ("1,250.50", 1_250_50), ("AED 7", 7_00), ("7 aed", 7_00), ("۱۲۵", 125_00)],
)
def test_amounts_are_read_as_people_type_them(typed: str, minor: int):
    assert read_amount(typed, "AED") == Money(minor, "AED")


@pytest.mark.parametrize("typed", ["", "25,5.0.1", "²5", "1 2 3 x"])
def test_what_is_no_amount_is_refused(typed: str):
    with pytest.raises(InvalidError):
        read_amount(typed, "AED")
