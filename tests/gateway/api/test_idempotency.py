"""HC-20: the same key again, with the same body, another one, at once, after a crash, from somebody else."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import asyncpg
import pytest
from multidict import CIMultiDict

from gateway.services.callers.api_keys import issue_key

MIGRATION = Path(__file__).parents[3] / "ops" / "migrations" / "0040_answers_of_callers.sql"
PATH = "/v1/payment-intents"
BODY = {"reference": "INV-1", "lines": [{"service": "licence"}]}


@pytest.fixture
async def impatient_pool(database_url):
    """A pool that waits for no lock longer than a moment, as the service's is set up."""
    settings = {"role": "mizan_service", "lock_timeout": "200"}
    async with asyncpg.create_pool(database_url, min_size=1, max_size=6, server_settings=settings) as pool:
        yield pool


async def count(town):
    return await town.deps.pool.fetchval("SELECT count(*) FROM gateway.intent")


async def test_hc20_the_same_body_gets_the_first_answer_even_after_payment(town):
    first = await town.ask("POST", PATH, BODY, key="k")
    await town.start(first.body)
    await town.pay(first.body)
    await town.work()
    again = await town.ask("POST", PATH, BODY, key="k")
    assert (again.status, again.body) == (201, first.body)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert await count(town) == 1


async def test_hc20_another_body_is_refused(town):
    await town.ask("POST", PATH, BODY, key="k")
    other = await town.ask("POST", PATH, {**BODY, "reference": "INV-2"}, key="k")
    assert (other.status, other.body["code"]) == (422, "idempotency_key_reused")


async def test_hc20_many_at_once_make_one_intent(town):
    answers = await asyncio.gather(*(town.ask("POST", PATH, BODY, key="k") for _ in range(25)))
    assert {answer.status for answer in answers} <= {201, 409}
    assert len({answer.body["id"] for answer in answers if answer.status == 201}) == 1
    assert all(answer.headers["Retry-After"] for answer in answers if answer.status == 409)
    assert await count(town) == 1


async def test_hc20_a_key_another_process_is_working_on_is_told_to_come_back(open_town, impatient_pool):
    town = await open_town(pool=impatient_pool)
    caller = await town.deps.pool.fetchval("SELECT id FROM gateway.api_key WHERE department = 'economy'")
    async with town.deps.pool.acquire() as other_process:
        transaction = other_process.transaction()
        await transaction.start()
        await other_process.execute(
            """INSERT INTO gateway.idempotency VALUES ($2, 'POST /v1/payment-intents', 'k',
               sha256('x'), 'pi_x', 201, '{}', $1, $1)""",
            town.clock(),
            caller,
        )
        held, free = await asyncio.gather(
            town.ask("POST", PATH, BODY, key="k"), town.ask("POST", PATH, {**BODY, "reference": "INV-9"}, key="n")
        )
        await transaction.rollback()
    assert (held.status, held.body["code"], held.headers["Retry-After"]) == (409, "idempotency_in_flight", "1")
    assert free.status == 201
    assert (await town.ask("POST", PATH, BODY, key="k")).status == 201


async def test_hc20_another_department_s_key_is_independent(town):
    line = {"name": {"ar": "رسم", "en": "Fee"}, "revenue_code": "4", "amount": {"amount": 100, "currency": "AED"}}
    body = {"reference": "INV-1", "lines": [line]}
    ours = await town.ask("POST", PATH, body, key="k")
    theirs = await town.ask("POST", PATH, body, key="k", department="roads")
    assert ours.status == theirs.status == 201
    assert ours.body["id"] != theirs.body["id"]


async def test_hc20_another_credential_of_the_department_has_keys_of_its_own(town):
    text, _ = await issue_key(town.deps, "economy", "other system")
    ours = await town.ask("POST", PATH, BODY, key="k")
    theirs = await town.ask("POST", PATH, BODY, key="k", headers={"Authorization": f"Bearer {text}"})
    assert ours.status == theirs.status == 201
    assert ours.body["id"] != theirs.body["id"]


async def test_hc20_what_a_key_was_rotated_into_gets_its_answers(town):
    first = await town.ask("POST", PATH, BODY, key="k")
    key_id = await town.deps.pool.fetchval("SELECT id FROM gateway.api_key WHERE department = 'economy'")
    for _ in range(2):
        rotated = (await town.ask("POST", f"/v1/api-keys/{key_id}/rotate")).body
        key_id, town.keys["economy"] = rotated["id"], rotated["secret"]
    again = await town.ask("POST", PATH, BODY, key="k")
    assert (again.status, again.body) == (201, first.body)
    assert await count(town) == 1


async def test_hc20_answers_stored_for_a_department_are_good_for_each_of_its_callers(town, owner):
    await issue_key(town.deps, "economy", "other system")
    first = await town.ask("POST", PATH, BODY, key="k")
    await owner.execute("UPDATE gateway.idempotency SET caller = 'economy'")
    await owner.execute(MIGRATION.read_text("utf-8"))
    assert (await town.ask("POST", PATH, BODY, key="k")).body == first.body
    assert await owner.fetchval("SELECT count(*) FROM gateway.idempotency") == 3


async def test_hc20_two_keys_in_one_request_are_refused(town):
    headers = CIMultiDict({"Authorization": f"Bearer {town.keys['economy']}", "Idempotency-Key": '"one"'})
    headers.add("Idempotency-Key", '"two"')
    async with town.session.post(f"{town.url}{PATH}", json=BODY, headers=headers) as answer:
        body = await answer.json(content_type=None)
    assert (answer.status, body["code"]) == (400, "idempotency_key_missing")
    assert await count(town) == 0


@pytest.mark.parametrize("key", ["", "two words", '"unclosed', "x" * 256, "ключ", '"a"b"'])
async def test_hc20_a_request_needs_a_key_of_visible_characters(town, key):
    headers = {"Idempotency-Key": key.encode().decode("latin-1")}
    answer = await town.ask("POST", PATH, BODY, headers=headers)
    assert (answer.status, answer.body["code"]) == (400, "idempotency_key_missing")


async def test_hc20_a_bare_key_and_a_quoted_one_are_the_same(town):
    quoted = await town.ask("POST", PATH, BODY, headers={"Idempotency-Key": '"k-1"'})
    bare = await town.ask("POST", PATH, BODY, headers={"Idempotency-Key": "k-1"})
    assert quoted.body["id"] == bare.body["id"]


async def test_hc20_a_refused_request_does_not_use_its_key_up(town):
    assert (await town.ask("POST", PATH, {**BODY, "lines": []}, key="k")).status == 422
    assert (await town.ask("POST", PATH, BODY, key="k")).status == 201


async def test_hc20_the_stored_answer_opens_no_payment_page(town):
    answer = await town.ask("POST", PATH, BODY, key="k")
    token = answer.body["checkout_url"].rpartition("/")[2]
    rows = await town.deps.pool.fetch("SELECT * FROM gateway.idempotency")
    dump = json.dumps([dict(row) for row in rows], default=repr)
    assert token not in dump
