"""Many refunds as a spreadsheet: tried, asked for once, and every bad line told."""

from __future__ import annotations

import asyncio

import pytest

PATH = "/v1/refund-batches?reason=flood+relief&requested_by=mariam"
HEADING = "payment_intent,amount_minor,currency"


async def send(town, *lines, dry_run=False, key=None, path=PATH, heading=HEADING):
    sheet = "\ufeff" + "\r\n".join((heading, *lines)) + "\r\n"
    at = f"{path}&dry_run=true" if dry_run else path
    return await town.ask("POST", at, sheet.encode(), key=key, headers={"Content-Type": "text/csv"})


async def test_a_sheet_is_tried_first_and_then_done_once(town):
    whole, part = await town.paid(), await town.paid()
    lines = (f"{whole['id']},,", f"{part['id']},5000,AED")
    tried = await send(town, *lines, dry_run=True)
    assert (tried.status, tried.body["dry_run"], tried.body["accepted"]) == (202, True, 2)
    assert tried.body["total"] == [{"amount": 155_00, "currency": "AED"}]
    assert (await town.read(whole))["amount_refundable"]["amount"] == 105_00
    done, again = [await send(town, *lines, key="flood") for _ in range(2)]
    assert (done.status, done.body["accepted"], again.body) == (202, 2, done.body)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert done.headers["Location"] == again.headers["Location"] == f"/v1/refunds?batch={done.body['id']}"
    assert (await town.read(part))["amount_refundable"]["amount"] == 55_00
    refund = done.body["results"][1]["refund"]
    assert (refund["reason"], refund["asked_by"]) == ("flood relief", "mariam")


async def test_a_sheet_sent_five_times_at_once_is_done_once(town):
    intent = await town.paid()
    answers = await asyncio.gather(*(send(town, f"{intent['id']},1000,AED", key="k") for _ in range(5)))
    assert {answer.status for answer in answers} <= {202, 409}
    assert (await town.read(intent))["amount_refunded"]["amount"] == 10_00


async def test_the_query_beside_a_sheet_is_a_part_of_the_request(town):
    line = f"{(await town.paid())['id']},,"
    assert (await send(town, line, dry_run=True, key="k")).status == 202
    other = await send(town, line, key="k")
    assert (other.status, other.body["code"]) == (422, "idempotency_key_reused")


async def test_every_bad_line_of_a_sheet_is_told_and_nothing_is_given_back(town):
    intent = await town.paid()
    answer = await send(
        town,
        f"{intent['id']},1000,AED",
        "pi_1,,",
        f"{intent['id']},,",
        f"pi_{'0' * 26},0,AED",
        f"pi_{'1' * 26},10.50,AED",
        f"pi_{'2' * 26},10,XXY",
        f"pi_{'3' * 26},10,",
    )
    assert answer.status == 422
    assert [fault["pointer"] for fault in answer.body["errors"]] == [
        "/3/payment_intent", "/4/payment_intent", "/5/amount_minor", "/6/amount_minor", "/7/currency", "/8/currency",
    ]  # fmt: skip
    assert (await town.read(intent))["amount_refunded"]["amount"] == 0


@pytest.mark.parametrize(
    ("path", "lines", "heading"),
    [
        ("/v1/refund-batches", ["pi_x,,"], HEADING),
        (f"{PATH}&query=x", ["pi_x,,"], HEADING),
        (PATH, [], HEADING),
        (PATH, [f"pi_{number:026},," for number in range(501)], HEADING),
        (PATH, [f"pi_{'0' * 26},10.50,AED"], "payment_intent,amount,currency"),
    ],
)  # fmt: skip
async def test_odd_sheets_are_refused(town, path, lines, heading):
    assert (await send(town, *lines, path=path, heading=heading)).status == 422


async def test_beside_json_there_is_no_query(town):
    body = {"reason": "x", "refunds": [{"payment_intent": (await town.paid())["id"]}]}
    answer = await town.ask("POST", "/v1/refund-batches?dry_run=true", body)
    assert (answer.status, answer.body["errors"][0]["pointer"]) == (422, "/query/dry_run")
