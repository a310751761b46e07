"""Refunds above the limit wait for a second person, and many refunds are asked for at once."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest

from gateway.domain.caller import Scope
from gateway.domain.errors import NotFoundError, TransitionError
from gateway.services.callers.api_keys import issue_key
from gateway.services.catalogue.import_catalogue import import_catalogue
from gateway.services.refunds import refund_many as batches
from gateway.services.refunds.decide_refund import decide_refund, refunds_to_decide
from tests.gateway.conftest import DEPARTMENTS


@pytest.fixture
async def careful(town):
    """Economy lets one person give back AED 100.00; a payment is AED 105.00."""
    limited = {**DEPARTMENTS[0], "refund_limits": "AED 100.00 KWD 10.000"}
    assert not (await import_catalogue(town.deps, [limited], [])).faults
    return town


async def refund(town, intent, amount=None, **more):
    body = {"reason": "withdrawn", "requested_by": "mariam", **more}
    if amount is not None:
        body["amount"] = {"amount": amount, "currency": "AED"}
    return await town.ask("POST", f"/v1/payment-intents/{intent['id']}/refunds", body)


async def other_key(town):
    return (await issue_key(town.deps, "economy", "supervisor", scopes=(Scope.REFUNDS_APPROVE,)))[0]


async def decide(town, refund_id, what="approve", by="hassan", key=None, **body):
    headers = {"Authorization": f"Bearer {key or await other_key(town)}"}
    return await town.ask("POST", f"/v1/refunds/{refund_id}/{what}", {"decided_by": by, **body}, headers=headers)


async def status(town, refund_id):
    return (await town.ask("GET", f"/v1/refunds/{refund_id}")).body["status"]


async def told_of(town, refund_id, kind):
    town.clock.advance(minutes=1)
    feed = (await town.ask("GET", f"/v1/events?object={refund_id}")).body["data"]
    return [event["data"] for event in feed if event["type"] == kind]


async def test_above_the_limit_nothing_is_sent_until_a_second_person_agrees(careful):
    intent = await careful.paid()
    asked = await refund(careful, intent)
    assert (asked.status, asked.body["status"], asked.body["asked_by"]) == (201, "awaiting_approval", "mariam")
    await careful.work()
    assert await status(careful, asked.body["id"]) == "awaiting_approval"
    assert await careful.charges(intent) == 105_00
    assert (await careful.read(intent))["amount_refundable"]["amount"] == 0, "its share is spoken for"
    decided = await decide(careful, asked.body["id"])
    assert (decided.status, decided.body["status"], decided.body["decided_by"]) == (200, "requested", "hassan")
    await careful.work()
    assert await status(careful, asked.body["id"]) == "succeeded"
    kinds = await careful.deps.pool.fetch(
        "SELECT type, data->>'decided_by' AS by FROM gateway.event WHERE object = $1 ORDER BY id", asked.body["id"]
    )
    assert [(row["type"], row["by"]) for row in kinds] == [
        ("refund.awaiting_approval", None),
        ("refund.approved", "hassan"),
        ("refund.succeeded", "hassan"),
    ]


async def test_up_to_the_limit_one_person_is_enough(careful):
    intent = await careful.paid()
    assert (await refund(careful, intent, 100_00)).body["status"] == "requested"


async def test_a_large_refund_cut_into_small_ones_is_still_large(careful):
    intent = await careful.paid()
    assert (await refund(careful, intent, 60_00)).body["status"] == "requested"
    assert (await refund(careful, intent, 45_00)).body["status"] == "awaiting_approval"


async def test_a_refused_refund_gives_its_share_back_and_moves_no_money(careful):
    intent = await careful.paid()
    asked = await refund(careful, intent)
    careful.clock.advance(minutes=5)
    refused = await decide(careful, asked.body["id"], "refuse", reason="the licence was used")
    assert (refused.status, refused.body["status"]) == (200, "failed")
    why = {"code": "refused", "detail": "the licence was used"}
    assert (asked.body["failure"], refused.body["failure"]) == (None, why)
    [told] = await told_of(careful, asked.body["id"], "refund.refused")
    assert told["failure"] == why
    assert refused.body["updated_at"] == refused.body["decided_at"]
    await careful.work()
    assert await careful.charges(intent) == 105_00
    assert (await careful.read(intent))["amount_refundable"]["amount"] == 105_00
    assert await careful.journals(intent) == ["payment_captured"]


async def test_the_same_decision_again_is_no_error_and_another_is(careful):
    asked = await refund(careful, await careful.paid())
    for _ in range(2):
        assert (await decide(careful, asked.body["id"])).status == 200
    assert (await decide(careful, asked.body["id"], "refuse", reason="no")).status == 409
    assert (await decide(careful, asked.body["id"], by="salem")).status == 409


@pytest.mark.parametrize("name", ["mariam", "MARIAM", " mariam "])
async def test_whoever_asked_cannot_agree(careful, name):
    asked = await refund(careful, await careful.paid())
    answer = await decide(careful, asked.body["id"], by=name)
    assert (answer.status, "whoever asked" in answer.body["detail"]) == (409, True)


async def test_the_key_that_asked_cannot_agree_under_another_name(careful):
    asked = await refund(careful, await careful.paid())
    answer = await decide(careful, asked.body["id"], key=careful.keys["economy"])
    assert (answer.status, "the key that asked" in answer.body["detail"]) == (409, True)


async def test_what_a_key_was_rotated_into_is_no_second_pair_of_eyes(careful):
    own = next(key for key in (await careful.ask("GET", "/v1/api-keys")).body["data"] if key["label"] == "test")
    asked = await refund(careful, await careful.paid())
    heir = (await careful.ask("POST", f"/v1/api-keys/{own['id']}/rotate")).body
    heirs = {"Authorization": f"Bearer {heir['secret']}"}
    second = (await careful.ask("POST", f"/v1/api-keys/{heir['id']}/rotate", headers=heirs)).body
    for key in (heir, second):
        assert (await decide(careful, asked.body["id"], key=key["secret"])).status == 409
    assert (await decide(careful, asked.body["id"])).status == 200


async def test_a_key_is_no_second_pair_of_eyes_for_one_it_made(careful):
    made = await careful.ask("POST", "/v1/api-keys", {"label": "till", "scopes": ["refunds:write"]})
    intent = await careful.paid()
    asked = await careful.ask(
        "POST",
        f"/v1/payment-intents/{intent['id']}/refunds",
        {"reason": "withdrawn", "requested_by": "mariam"},
        headers={"Authorization": f"Bearer {made.body['secret']}"},
    )
    assert asked.body["status"] == "awaiting_approval"
    assert (await decide(careful, asked.body["id"], key=careful.keys["economy"])).status == 409
    assert (await decide(careful, asked.body["id"])).status == 200


async def test_another_department_s_refund_is_not_there(careful):
    asked = await refund(careful, await careful.paid())
    roads = (await issue_key(careful.deps, "roads", "supervisor"))[0]
    assert (await decide(careful, asked.body["id"], key=roads)).status == 404
    with pytest.raises(NotFoundError):
        await decide_refund(careful.deps, "re_" + "0" * 26, by="hassan", approve=True)


async def test_the_database_itself_holds_the_two_people_apart(careful):
    asked = await refund(careful, await careful.paid())
    with pytest.raises(asyncpg.CheckViolationError, match="refund_two_people"):
        await careful.deps.pool.execute(
            "UPDATE gateway.refund SET decided_by = 'Mariam', decided_at = $2, status = 'requested' WHERE id = $1",
            asked.body["id"],
            careful.clock(),
        )


async def test_two_who_decide_at_once_decide_once(careful):
    asked = await refund(careful, await careful.paid())
    results = await asyncio.gather(
        decide_refund(careful.deps, asked.body["id"], by="hassan", approve=True),
        decide_refund(careful.deps, asked.body["id"], by="salem", approve=False, why="no"),
        return_exceptions=True,
    )
    assert sum(isinstance(result, TransitionError) for result in results) == 1
    assert await refunds_to_decide(careful.deps) == []


@pytest.mark.parametrize("limits", ["AED", "AED x", "AED 1.001", "AED 1 AED 2", "AED -1", "QQQ 1"])
async def test_limits_are_checked_on_import(town, limits):
    imported = await import_catalogue(town.deps, [{**DEPARTMENTS[0], "refund_limits": limits}], [])
    assert [fault.field for fault in imported.faults] == ["refund_limits"]


async def batch(town, body, key=None):
    return await town.ask("POST", "/v1/refund-batches", {"reason": "flood relief", **body}, key=key)


async def test_a_batch_is_tried_first_and_then_done_once(town):
    paid = [await town.paid() for _ in range(3)]
    unpaid = await town.intent()
    wanted = [{"payment_intent": intent["id"]} for intent in (*paid, unpaid)]
    wanted[0]["amount"] = {"amount": 5_00, "currency": "AED"}
    tried = await batch(town, {"refunds": wanted, "dry_run": True})
    assert (tried.status, tried.body["accepted"], tried.body["refused"]) == (202, 3, 1)
    assert tried.body["total"] == [{"amount": 215_00, "currency": "AED"}]
    assert await town.deps.pool.fetchval("SELECT count(*) FROM gateway.refund") == 0
    done = [await batch(town, {"refunds": wanted}, key="flood") for _ in range(2)]
    assert done[0].body == done[1].body
    assert [result["problem"] and result["problem"]["code"] for result in done[0].body["results"]] == [
        None, None, None, "state_conflict",
    ]  # fmt: skip
    await town.work()
    listed = await town.ask("GET", f"/v1/refunds?batch={done[0].body['id']}")
    assert sorted(each["amount"]["amount"] for each in listed.body["data"]) == [5_00, 105_00, 105_00]
    assert {each["status"] for each in listed.body["data"]} == {"succeeded"}


async def test_a_batch_goes_on_where_it_stopped(town, monkeypatch):
    paid = [await town.paid() for _ in range(4)]
    body = {"refunds": [{"payment_intent": intent["id"]} for intent in paid]}
    real, seen = batches.create_refund, []

    async def stops(*arguments):
        seen.append(arguments)
        if len(seen) == 3:
            raise RuntimeError("the process dies here")
        return await real(*arguments)

    monkeypatch.setattr(batches, "create_refund", stops)
    assert (await batch(town, body, key="flood")).status == 500
    assert await town.deps.pool.fetchval("SELECT count(*) FROM gateway.refund") == 2
    assert (await batch(town, body, key="flood")).body["accepted"] == 4
    assert await town.deps.pool.fetchval("SELECT count(*) FROM gateway.refund") == 4


async def test_a_batch_is_as_large_as_all_of_it(careful):
    paid = [await careful.paid() for _ in range(3)]
    some = [{"payment_intent": each["id"], "amount": {"amount": 40_00, "currency": "AED"}} for each in paid]
    answer = await batch(careful, {"refunds": some})
    assert {result["refund"]["status"] for result in answer.body["results"]} == {"awaiting_approval"}


async def decide_all(town, batch_id, what, by="hassan", key=None, again="b", **body):
    headers = {"Authorization": f"Bearer {key or await other_key(town)}"}
    path = f"/v1/refund-batches/{batch_id}/{what}"
    return await town.ask("POST", path, {"decided_by": by, **body}, headers=headers, key=again)


async def waiting_batch(careful):
    paid = [await careful.paid() for _ in range(3)]
    asked = {"refunds": [{"payment_intent": each["id"]} for each in paid], "requested_by": "mariam"}
    return paid, (await batch(careful, asked)).body


async def test_a_batch_is_approved_at_once_by_another_person(careful):
    paid, asked = await waiting_batch(careful)
    key = await other_key(careful)
    done = [await decide_all(careful, asked["id"], "approve", key=key) for _ in range(2)]
    assert (done[0].status, done[0].body) == (200, done[1].body)
    assert (done[0].body["decision"], done[0].body["decided"], done[0].body["not_decided"]) == ("approved", 3, 0)
    assert done[0].body["total"] == [{"amount": 315_00, "currency": "AED"}]
    assert {one["refund"]["decided_by"] for one in done[0].body["results"]} == {"hassan"}
    await careful.work()
    assert {(await careful.read(each))["amount_refunded"]["amount"] for each in paid} == {105_00}
    later = await decide_all(careful, asked["id"], "refuse", again="c", reason="no")
    assert {one["problem"]["code"] for one in later.body["results"]} == {"state_conflict"}


async def test_a_batch_is_refused_at_once_and_each_says_why(careful):
    paid, asked = await waiting_batch(careful)
    done = await decide_all(careful, asked["id"], "refuse", reason="no flood")
    assert {one["refund"]["failure"]["detail"] for one in done.body["results"]} == {"no flood"}
    assert {(await careful.read(each))["amount_refundable"]["amount"] for each in paid} == {105_00}


async def test_whoever_asked_for_a_batch_cannot_agree_to_any_of_it(careful):
    _, asked = await waiting_batch(careful)
    for again, changes in (("b", {"by": "MARIAM"}), ("c", {"key": careful.keys["economy"]})):
        answer = await decide_all(careful, asked["id"], "approve", again=again, **changes)
        assert (answer.status, answer.body["decided"], answer.body["not_decided"]) == (200, 0, 3)
    assert len(await refunds_to_decide(careful.deps)) == 3
    roads = (await issue_key(careful.deps, "roads", "supervisor"))[0]
    assert (await decide_all(careful, asked["id"], "approve", key=roads)).status == 404


async def test_one_of_a_batch_that_cannot_be_decided_stops_no_other(careful, night):
    paid, asked = await waiting_batch(careful)
    await night.dispute(await careful.attempt_of(paid[1]), 105_00)
    answer = (await decide_all(careful, asked["id"], "approve")).body
    problems = {one["payment_intent"]: one["problem"]["code"] for one in answer["results"] if one["problem"]}
    assert problems == {paid[1]["id"]: "payment_disputed"}
    assert (answer["decided"], answer["not_decided"]) == (2, 1)


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ({"service": "licenze"}, "/query/service"),
        ({"paid_before": "2026-11-21T00:00:00Z"}, "/query/paid_before"),
    ],
)
async def test_a_query_that_can_mean_nothing_is_refused(town, query, pointer):
    day = {"service": "licence", "paid_from": "2026-11-21T00:00:00Z", "paid_before": "2026-11-22T00:00:00Z"}
    answer = await batch(town, {"query": {**day, **query}})
    assert (answer.status, answer.body["errors"][0]["pointer"]) == (422, pointer)


async def test_a_batch_by_what_was_paid(town):
    early = await town.paid()
    town.clock.advance(hours=1)
    start = town.clock().isoformat()
    during = await town.paid()
    await town.intent()
    town.clock.advance(minutes=10)
    query = {"service": "licence", "paid_from": start, "paid_before": town.clock().isoformat()}
    answer = await batch(town, {"query": query})
    assert [result["payment_intent"] for result in answer.body["results"]] == [during["id"]]
    assert early["id"] not in str(answer.body)


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/refunds"),
        ({"refunds": []}, "/refunds"),
        ({"refunds": [{"payment_intent": "x"}]}, "/refunds/0/payment_intent"),
        ({"refunds": [{"payment_intent": "pi_" + "0" * 26}] * 2}, "/refunds"),
        ({"query": {"service": "licence", "paid_from": "now", "paid_before": "then"}}, "/query/paid_from"),
    ],
)
async def test_a_batch_that_makes_no_sense_names_the_field(town, body, pointer):
    answer = await batch(town, body)
    assert (answer.status, answer.body["errors"][0]["pointer"]) == (422, pointer)
