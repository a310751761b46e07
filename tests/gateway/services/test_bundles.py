"""HC-18 and bundles: several departments, one payment; who may ask, whose money moves, who sees what."""

from __future__ import annotations

from datetime import timedelta

import pytest

from gateway.services.intents.read_intent import FEED_DELAY
from gateway.services.payers.read_checkout import read_checkout
from gateway.services.payers.read_receipt import read_receipt

PATH = "/v1/payment-intents"


def aed(amount):
    return {"amount": amount, "currency": "AED"}


LINES = [{"service": "licence"}, {"service": "fine", "amount": aed(40_00)}]


OWN = {
    "name": {"ar": "رسم", "en": "Fee"}, "revenue_code": "R-1", "amount": {"amount": 1, "currency": "AED"},
}  # fmt: skip


async def bundle_paid(town, **more):
    return await town.paid(bundle="delivery", lines=LINES, **more)


def token_of(intent):
    return intent["checkout_url"].rpartition("/")[2]


async def test_a_bundle_is_read_by_everybody(town):
    bundle = (await town.ask("GET", "/v1/bundles/delivery", department="roads")).body
    assert [(one["service"], one["department"]) for one in bundle["services"]] == [
        ("licence", "economy"), ("fine", "roads"),
    ]  # fmt: skip
    for department, found in (("economy", 1), ("roads", 1), ("nobody", 0)):
        assert len((await town.ask("GET", f"/v1/bundles?department={department}")).body["data"]) == found
    assert (await town.ask("GET", "/v1/bundles/nothing")).status == 404


@pytest.mark.parametrize(
    ("department", "more", "pointer"),
    [
        ("economy", {"lines": LINES}, "/lines/1/service"),
        ("roads", {"lines": LINES, "bundle": "delivery"}, "/bundle"),
        ("roads", {"lines": [{"service": "licence"}]}, "/lines/0/service"),
        ("economy", {"bundle": "nothing"}, "/bundle"),
        ("economy", {"bundle": "delivery"}, "/lines/1/amount"),
        ("economy", {"bundle": "delivery", "lines": [OWN]}, "/lines"),
        ("economy", {"bundle": "delivery", "lines": [*LINES, LINES[1]]}, "/lines/2/service"),
    ],
)
async def test_only_its_owner_asks_for_a_bundle_and_only_a_bundle_holds_other_departments(
    town, department, more, pointer
):
    answer = await town.ask("POST", PATH, {"reference": "B-1", **more}, department=department)
    assert answer.status == 422, answer.body
    assert pointer in [error["pointer"] for error in answer.body["errors"]]


async def test_each_department_is_owed_its_part_to_the_last_fil(town):
    intent = await bundle_paid(town)
    assert intent["bundle"] == "delivery"
    assert await town.books() == {
        "provider:ngenius:receivable": 145_00,
        "department:economy:payable": -100_00,
        "tax:vat_payable": -5_00,
        "department:roads:payable": -40_00,
    }


async def test_a_refund_of_a_line_reaches_its_department_and_tells_it(town):
    intent = await bundle_paid(town)
    body = {"reason": "withdrawn", "lines": [{"number": 2, "amount": aed(15_00)}]}
    assert (await town.ask("POST", f"{PATH}/{intent['id']}/refunds", body)).status == 201
    await town.work()
    books = await town.books()
    assert (books["department:roads:payable"], books["department:economy:payable"]) == (-25_00, -100_00)
    part = (await town.ask("GET", f"/v1/payment-parts/{intent['id']}", department="roads")).body
    assert (part["amount"], part["amount_refunded"]) == (aed(40_00), aed(15_00))
    town.clock.advance(seconds=(FEED_DELAY + timedelta(seconds=1)).total_seconds())
    told = (await town.ask("GET", "/v1/events", department="roads")).body["data"]
    assert [(event["type"], event["data"]["amount"]) for event in told] == [
        ("payment_part.paid", aed(40_00)), ("payment_part.refunded", aed(15_00)),
    ]  # fmt: skip


async def test_hc18_a_refund_that_does_not_divide_evenly_is_split_to_the_last_fil(town):
    intent = await bundle_paid(town)
    body = {"reason": "discount", "amount": aed(33_33)}
    assert (await town.ask("POST", f"{PATH}/{intent['id']}/refunds", body)).status == 201
    await town.work()
    books = await town.books()
    assert books["provider:ngenius:refunds_in_transit"] == -33_33
    # 33.33 over 105.00 and 40.00: 24.136 and 9.194, the missing fil to the larger remainder.
    assert books["department:roads:payable"] == -(40_00 - 9_19)
    assert books["department:economy:payable"] + books["tax:vat_payable"] == -(105_00 - 24_14)


async def test_a_department_sees_its_own_lines_only(town):
    intent = await bundle_paid(town, metadata={"officer": "17"}, payer={"email": "fatima@example.ae"})
    await town.intent()
    part = (await town.ask("GET", f"/v1/payment-parts/{intent['id']}", department="roads")).body
    assert [line["service"] for line in part["lines"]] == ["fine"]
    assert (part["owner"], part["status"], part["amount"]) == ("economy", "paid", aed(40_00))
    assert "fatima" not in str(part)
    assert "officer" not in str(part)
    listed = (await town.ask("GET", "/v1/payment-parts", department="roads")).body["data"]
    assert listed == [part]
    assert (await town.ask("GET", "/v1/payment-parts")).body["data"] == []
    assert (await town.ask("GET", f"/v1/payment-parts/{intent['id']}")).status == 404
    assert (await town.ask("GET", f"{PATH}/{intent['id']}", department="roads")).status == 404
    assert (await town.ask("GET", PATH, department="roads")).body["data"] == []


async def test_parts_are_paged_newest_first(town):
    made = []
    for number in range(3):
        made.append((await town.intent(reference=f"B-{number}", bundle="delivery", lines=LINES))["id"])
        town.clock.advance(seconds=1)
    first = (await town.ask("GET", "/v1/payment-parts?limit=2", department="roads")).body
    rest = (await town.ask("GET", f"/v1/payment-parts?cursor={first['next_cursor']}", department="roads")).body
    assert [part["payment_intent"] for part in first["data"] + rest["data"]] == made[::-1]


async def test_the_payer_sees_what_goes_to_whom(town):
    open_one = await town.intent(bundle="delivery", lines=LINES)
    view = await read_checkout(town.deps, token_of(open_one))
    assert [(part.department.en, part.amount.amount_minor, part.vat.amount_minor) for part in view.parts] == [
        ("Department of Economy", 105_00, 5_00), ("Roads Authority", 40_00, 0),
    ]  # fmt: skip
    alone = await read_checkout(town.deps, token_of(await town.intent()))
    assert alone.parts == ()
    assert alone.bundle is None
    receipt = await read_receipt(town.deps, token_of(await bundle_paid(town)))
    assert [part.vat_registration for part in receipt.parts] == ["100000000000003", None]


async def test_a_bundle_has_one_name_for_its_payer(town):
    intent = await town.intent(bundle="delivery", lines=LINES)
    asked = await read_checkout(town.deps, token_of(intent))
    paid = await read_receipt(town.deps, token_of(await bundle_paid(town, reference="B-2")))
    told = (await town.ask("GET", "/v1/bundles/delivery", department="roads")).body["name"]
    assert [view.bundle and view.bundle.en for view in (asked, paid)] == [told["en"], told["en"]]
