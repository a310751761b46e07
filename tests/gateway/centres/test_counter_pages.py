"""An agent's day on the pages, without a script: sign in, take money, count, close; and who is kept out."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gateway.centres.words import _SAID
from gateway.domain.caller import Scope
from gateway.services.callers.api_keys import issue_key
from gateway.services.centres import centre_people as people
from tests.gateway.centres.conftest import CARD, OWN


async def test_an_agent_s_day(counter):
    omar = await counter.agent("omar")
    await omar.post("/centre/shift", float="200")
    assert "Shift open since" in omar.text
    await omar.open("/centre/new?service=licence")
    await omar.post("/centre/new", service="licence", quantity="1", amount="", reference="WALK-1", emirates_id="784-1")
    assert (omar.status, "not the number of an Emirates ID" in omar.text) == (422, True)
    await omar.post("/centre/new", service="licence", quantity="1", amount="", reference="WALK-1", emirates_id=CARD)
    bill = omar.path
    assert bill.startswith("/centre/bills/pi_")
    assert "5676" in omar.text
    assert "1234567" not in omar.text
    await omar.post(f"{bill}/cash")
    assert "Print the receipt" in omar.text
    receipt = re.search(r'href="(/pay/[^"]+/receipt)"', omar.text)[1]
    await omar.open(receipt)
    assert (omar.status, "Cash" in omar.text) == (200, True)
    await omar.open("/centre/count")
    assert "305" not in omar.text  # counted blind
    await omar.post("/centre/count", counted="300")
    assert "a supervisor decides" in omar.text

    huda = await counter.agent("huda")
    action = re.search(r'action="(/centre/shifts/[^"]+)"', huda.text)[1]
    await omar.open("/centre")
    assert action not in omar.text
    await huda.post(action)
    assert "A drawer differs" not in huda.text
    books = await counter.town.books()
    assert (books["treasury:cash_over_short"], books["provider:counter:in_transit"]) == (5_00, 100_00)


async def test_a_first_password_opens_nothing_but_choosing_another(counter):
    omar = counter.browser()
    await omar.open("/centre/sign-in?language=en")
    first = counter.passwords["omar"]
    await omar.post("/centre/sign-in", code="omar", password=first)
    assert "Choose a password of your own" in omar.text
    for path in ("/centre", "/centre/new", "/centre/find", "/centre/count", "/centre/bills/pi_x"):
        await omar.open(path)
        assert omar.path == "/centre/password"
    await omar.post("/centre/shift", float="0")
    assert await counter.town.deps.pool.fetchval("SELECT count(*) FROM gateway.shift") == 0
    await omar.open("/centre/password")
    await omar.post("/centre/password", old=first, new=first)
    assert (omar.status, "not the present one" in omar.text) == (422, True)
    await omar.post("/centre/password", old=first, new=OWN)
    assert omar.path == "/centre/sign-in"
    await omar.post("/centre/sign-in", code="omar", password=OWN)
    assert (omar.path, "Open your shift" in omar.text) == ("/centre", True)


async def take_cash(omar, reference="WALK-1"):
    """Take AED 105.00 for a licence; return the bill's address."""
    await omar.open("/centre/new?service=licence")
    await omar.post("/centre/new", service="licence", quantity="1", amount="", reference=reference, emirates_id=CARD)
    bill = omar.path
    await omar.post(f"{bill}/cash")
    assert "Print the receipt" in omar.text
    return bill


def give_backs(page):
    return re.findall(r'action="(/centre/give-backs/[^"]+)"', page.text)


async def test_cash_taken_by_mistake_goes_back_when_a_second_person_agrees(counter):
    omar, huda = await counter.agent("omar"), await counter.agent("huda")
    await omar.post("/centre/shift", float="200")
    bill = await take_cash(omar)
    await omar.post(f"{bill}/give-back", reason=" ")
    assert (omar.status, "Say why" in omar.text) == (422, True)
    await omar.post(f"{bill}/give-back", reason="the wrong licence")
    assert omar.status == 200
    assert f"{bill}/give-back" not in omar.text  # asked once
    assert (await counter.town.books())["centre:deira:cash"] == 305_00  # nothing moved yet
    await omar.open("/centre")
    assert give_backs(omar) == []
    await omar.open("/centre/count")
    await omar.post("/centre/count", counted="305")
    assert (omar.status, "A supervisor decides first" in omar.text) == (422, True)

    await huda.open("/centre")
    [action] = give_backs(huda)
    assert "the wrong licence" in huda.text
    await huda.post(action, decision="approve")
    assert give_backs(huda) == []
    books = await counter.town.books()
    assert books == {"centre:deira:cash": 200_00, "treasury:centre_floats": -200_00}
    intent = await counter.town.read({"id": bill.rpartition("/")[2]})
    assert intent["amount_refunded"]["amount"] == 105_00
    [refund] = (await counter.town.ask("GET", f"/v1/payment-intents/{intent['id']}/refunds")).body["data"]
    assert (refund["status"], refund["asked_by"], refund["decided_by"]) == ("succeeded", "omar", "huda")
    told = await counter.town.events({"id": refund["id"]})
    assert told == ["refund.awaiting_approval", "refund.approved", "refund.succeeded"]
    await omar.open("/centre/count")
    await omar.post("/centre/count", counted="200")
    assert "the shift is closed" in omar.text


async def test_nobody_gives_cash_back_alone_or_by_another_way(counter):
    huda = await counter.agent("huda")
    await huda.post("/centre/shift", float="0")
    own = await take_cash(huda, "WALK-2")
    await huda.post(f"{own}/give-back", reason="mine")
    await huda.open("/centre")
    [action] = give_backs(huda)
    await huda.post(action, decision="approve")
    assert (huda.status, "cannot approve what you asked for" in huda.text) == (422, True)
    refund = action.rpartition("/")[2]
    for what in ("approve", "refuse"):  # nor by the API, whatever key it comes with
        text, _ = await issue_key(counter.town.deps, "economy", what, scopes=(Scope.REFUNDS_APPROVE,))
        body, headers = {"decided_by": "salem", "reason": "x"}, {"Authorization": f"Bearer {text}"}
        said = await counter.town.ask("POST", f"/v1/refunds/{refund}/{what}", body, headers=headers)
        assert (said.status, said.body["code"]) == (409, "state_conflict")
    await counter.town.work()
    assert (await counter.town.books())["department:economy:payable"] == -100_00


async def test_cash_goes_back_once_and_out_of_its_own_drawer(counter):
    omar, huda = await counter.agent("omar"), await counter.agent("huda")
    await omar.post("/centre/shift", float="0")
    bill = await take_cash(omar)
    await huda.open(bill)
    assert "give-back" not in huda.text  # it lies in another's drawer
    await omar.post(f"{bill}/give-back", reason="the wrong licence")
    await huda.open("/centre")
    [action] = give_backs(huda)
    await huda.post(action, decision="refuse")
    assert (await counter.town.books())["department:economy:payable"] == -100_00
    await omar.open(bill)
    await omar.post(f"{bill}/give-back", reason="again")  # what was refused may be asked for again
    await huda.open("/centre")
    [again] = give_backs(huda)
    page = huda.text
    await huda.post(again, decision="approve")
    huda.text = page
    await huda.post(again, decision="approve")  # pressed twice
    assert (huda.status, "decided already" in huda.text) == (422, True)
    await omar.open("/centre/count")
    await omar.post("/centre/count", counted="0")
    assert await counter.town.books() == {}


async def test_a_counted_drawer_gives_nothing_back(counter):
    omar = await counter.agent("omar")
    await omar.post("/centre/shift", float="0")
    bill = await take_cash(omar)
    page = omar.text
    await omar.open("/centre/count")
    await omar.post("/centre/count", counted="105")
    omar.text = page
    await omar.post(f"{bill}/give-back", reason="too late")
    assert (omar.status, "asks for a refund, which any centre then hands out" in omar.text) == (422, True)
    await omar.open(bill)
    assert "give-back" not in omar.text


async def test_cash_refunded_after_its_shift_is_collected_with_the_card_that_paid(counter):
    omar, huda = await counter.agent("omar"), await counter.agent("huda")
    await omar.post("/centre/shift", float="0")
    bill = await take_cash(omar)
    await omar.open("/centre/count")
    await omar.post("/centre/count", counted="105")
    intent = bill.rpartition("/")[2]
    asked = await counter.town.ask("POST", f"/v1/payment-intents/{intent}/refunds", {"reason": "refused"})
    assert asked.body["status"] == "awaiting_collection"
    receipt = re.search(r'href="(/pay/[^"]+/receipt)"', (await omar.open(bill)) or omar.text)[1]
    assert "Cash to collect" in omar.text
    await omar.open("/centre")
    await omar.post("/centre/shift", float="200")
    await omar.open(bill)
    await omar.post(f"{bill}/hand-out", refund=asked.body["id"], emirates_id="784-1990-7654321-6")
    assert omar.status == 422
    await omar.post(f"{bill}/hand-out", refund=asked.body["id"], emirates_id=CARD)
    assert (omar.status, "Cash to collect" in omar.text) == (200, False)
    await omar.open(receipt)
    assert "to be collected in cash at a service centre" in omar.text
    await huda.open("/centre")
    [action] = re.findall(r'action="(/centre/hand-outs/[^"]+)"', huda.text)
    await huda.post(action, decision="approve")
    assert "hand-outs" not in huda.text
    await omar.open("/centre/count")
    await omar.post("/centre/count", counted="95")
    assert "the shift is closed" in omar.text


async def test_a_bill_is_found_by_its_link_and_paid_by_card(counter):
    sent = await counter.town.intent()
    omar = await counter.agent("omar")
    await omar.post("/centre/shift", float="0")
    await omar.open("/centre/find")
    await omar.post("/centre/find", asked=sent["checkout_url"])
    assert omar.path == f"/centre/bills/{sent['id']}"
    await omar.post(f"{omar.path}/identity", emirates_id=CARD)
    bill = omar.path
    await omar.post(f"{bill}/slip", terminal_reference="12", approval_code="A1B2C3")
    assert (omar.status, "not the reference on the terminal" in omar.text) == (422, True)
    await omar.post(f"{bill}/slip", terminal_reference="632112345678", approval_code="A1B2C3")
    assert "Print the receipt" in omar.text
    assert (await counter.town.read(sent))["last_attempt"]["method"] == "card_terminal"


async def test_every_page_is_there_in_arabic_and_needs_no_script(counter):
    omar = await counter.agent("omar")
    await omar.post("/centre/shift", float="0")
    for path in ("", "/new", "/find", "/count", "/password"):
        await omar.open(f"/centre{path}?language=ar")
        assert omar.status == 200
        assert 'dir="rtl"' in omar.text
        assert "onclick" not in omar.text


PAGES = ["/centre", "/centre/new", "/centre/find", "/centre/count", "/centre/password", "/centre/bills/pi_x"]


@pytest.mark.parametrize("path", PAGES)
async def test_nobody_comes_in_without_signing_in(counter, path):
    visitor = counter.browser()
    await visitor.open(path)
    assert visitor.path == "/centre/sign-in"
    await visitor.post(path, float="1")
    assert visitor.path in ("/centre/sign-in", path)
    assert "Shift open" not in visitor.text
    assert await counter.town.deps.pool.fetchval("SELECT count(*) FROM gateway.shift") == 0


async def test_the_session_is_a_new_one_at_sign_in_and_ends_at_sign_out(counter):
    omar = counter.browser()
    await omar.open("/centre/sign-in?language=en")
    before = omar.cookie
    assert (before["httponly"], before["samesite"], before["path"]) == (True, "Strict", "/centre")
    await omar.post("/centre/sign-in", code="omar", password="wrong")
    assert (omar.status, "is wrong" in omar.text) == (422, True)
    omar = await counter.agent("omar")
    held = omar.cookie.value
    assert held != before.value
    await omar.post("/centre/sign-out")
    assert omar.path == "/centre/sign-in"
    assert await people.signed_in(counter.town.deps, held) is None


FORMS = ["/centre/shift", "/centre/new", "/centre/find", "/centre/count", "/centre/password", "/centre/sign-out"]


@pytest.mark.parametrize("action", [*FORMS, "/centre/shifts/sh_x", "/centre/bills/pi_x/cash", "/centre/sign-in"])
async def test_a_form_that_is_not_ours_does_nothing(counter, action):
    omar = await counter.agent("omar")
    omar.text = ""  # no hidden field
    await omar.post(action, float="1", csrf="0" * 40)
    assert (omar.status, "no longer fresh" in omar.text) == (403, True)
    await omar.open("/centre")
    await omar.post(action, headers={"Sec-Fetch-Site": "cross-site"}, float="1")
    assert omar.status == 403
    assert await counter.town.deps.pool.fetchval("SELECT count(*) FROM gateway.shift") == 0


async def test_another_department_s_bill_is_not_there(counter):
    amount = {"amount": 100, "currency": "AED"}
    body = {"reference": "CASE-1", "lines": [{"service": "fine", "amount": amount}]}
    foreign = (await counter.town.ask("POST", "/v1/payment-intents", body, department="roads")).body
    omar = await counter.agent("omar")
    await omar.open(f"/centre/bills/{foreign['id']}")
    assert omar.status == 404
    await omar.open("/centre/find")
    await omar.post("/centre/find", asked=foreign["id"])
    assert "no unpaid bill" in omar.text


def test_every_refusal_of_the_services_has_its_sentence():
    """What an agent may be refused for is said in both languages."""
    root = Path(__file__).parents[3] / "gateway/services"
    said = set()
    for name in (
        "centres/shifts.py",
        "centres/take_payment.py",
        "centres/give_back.py",
        "centres/hand_out.py",
        "centres/identity.py",
    ):
        text = (root / name).read_text()
        said |= set(re.findall(r'(?:TransitionError|NothingToPayError)\(\s*"([^"]+)"', text))
    assert said - set(_SAID) == {"the books do not take this now"}
    assert set(_SAID) <= said
