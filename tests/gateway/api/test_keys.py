"""API keys by their department's own hand: made, shown once, rotated with an overlap, revoked."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from gateway.domain.errors import NotFoundError
from gateway.services.callers import api_keys

PATH = "/v1/payment-intents"


def bearer(text):
    return {"Authorization": f"Bearer {text}"}


async def make(town, key=None, **changes):
    body = {"label": "till", "scopes": ["payments:read"], **changes}
    answer = await town.ask("POST", "/v1/api-keys", body, key=key)
    assert answer.status == 201, answer.body
    return answer


async def works(town, text):
    return (await town.ask("GET", PATH, headers=bearer(text))).status == 200


async def test_a_key_is_shown_in_the_first_answer_only(town):
    first = await make(town, key="k")
    again = await make(town, key="k")
    assert await works(town, first.body["secret"])
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.body == {name: value for name, value in first.body.items() if name != "secret"}
    shown = [
        await town.ask("GET", f"/v1/api-keys/{first.body['id']}"),
        await town.ask("GET", "/v1/api-keys"),
    ]
    assert first.body["secret"] not in repr([answer.body for answer in shown])
    stored = await town.deps.pool.fetchval("SELECT answer FROM gateway.idempotency WHERE key = 'k'")
    assert first.body["secret"].encode() not in stored


async def test_both_keys_work_while_one_replaces_the_other(town):
    old = (await make(town)).body
    rotated = await town.ask("POST", f"/v1/api-keys/{old['id']}/rotate", {"overlap_minutes": 30})
    assert (rotated.status, rotated.body["replaces"], rotated.body["scopes"]) == (201, old["id"], ["payments:read"])
    new = rotated.body["secret"]
    assert await works(town, old["secret"])
    assert await works(town, new)
    town.clock.advance(minutes=31)
    assert not await works(town, old["secret"])
    assert await works(town, new)
    over = await town.ask("POST", f"/v1/api-keys/{old['id']}/rotate")
    assert (over.status, over.body["code"]) == (409, "state_conflict")


async def test_an_overlap_never_makes_a_key_live_longer(town):
    soon = (town.clock() + timedelta(minutes=5)).isoformat()
    old = (await make(town, expires_at=soon)).body
    await town.ask("POST", f"/v1/api-keys/{old['id']}/rotate")
    town.clock.advance(minutes=6)
    assert not await works(town, old["secret"])


async def test_a_key_is_revoked_at_once_and_twice_is_once(town):
    made = (await make(town)).body
    assert await works(town, made["secret"])
    first = await town.ask("POST", f"/v1/api-keys/{made['id']}/revoke")
    again = await town.ask("POST", f"/v1/api-keys/{made['id']}/revoke")
    assert first.body["revoked_at"] == again.body["revoked_at"] is not None
    assert not await works(town, made["secret"])


async def test_a_key_cannot_be_born_dead(town):
    body = {"label": "till", "scopes": ["payments:read"], "expires_at": "2020-01-01T00:00:00Z"}
    answer = await town.ask("POST", "/v1/api-keys", body)
    assert (answer.status, answer.body["errors"][0]["pointer"]) == (422, "/expires_at")


async def test_keys_are_paged_newest_first(town):
    for _ in range(4):
        await make(town)
        town.clock.advance(seconds=1)
    first = (await town.ask("GET", "/v1/api-keys?limit=3")).body
    rest = (await town.ask("GET", f"/v1/api-keys?limit=3&cursor={first['next_cursor']}")).body
    ids = [key["id"] for key in first["data"] + rest["data"]]
    assert ids == sorted(ids, reverse=True)
    assert len(ids) == 5  # and the town's own


async def test_an_unknown_version_is_refused_by_name_and_ours_is_told(town):
    assert (await town.ask("GET", PATH)).headers["Mizan-Version"] == "2026-11-22"
    assert (await town.ask("GET", PATH, headers={"Mizan-Version": "2026-11-22"})).status == 200
    refused = await town.ask("GET", PATH, headers={"Mizan-Version": "2031-01-01"})
    assert (refused.status, refused.body["code"]) == (400, "version_unknown")
    assert "2031-01-01" in refused.body["detail"]
    assert "script" not in (await town.ask("GET", PATH, headers={"Mizan-Version": "<script>"})).body["detail"]


def own_id(keys):
    return next(key["id"] for key in keys["data"] if key["label"] == "test")


async def test_a_key_that_may_agree_to_refunds_is_replaced_by_itself_and_by_no_other(town):
    own = own_id((await town.ask("GET", "/v1/api-keys")).body)
    clerk = (await make(town, scopes=["keys:write", "payments:read"])).body
    refused = await town.ask("POST", f"/v1/api-keys/{own}/rotate", headers=bearer(clerk["secret"]))
    assert (refused.status, refused.body["code"]) == (403, "missing_scope")
    rotated = await town.ask("POST", f"/v1/api-keys/{own}/rotate")
    assert (rotated.status, rotated.body["replaces"]) == (201, own)
    assert "refunds:approve" in rotated.body["scopes"]


async def test_a_rotated_key_ends_when_the_old_one_would_have(town):
    ends = (town.clock() + timedelta(days=5)).isoformat().replace("+00:00", ".000Z")
    old = (await make(town, expires_at=ends)).body
    new = (await town.ask("POST", f"/v1/api-keys/{old['id']}/rotate")).body
    assert new["expires_at"] == old["expires_at"] is not None
    town.clock.advance(days=6)
    assert not await works(town, new["secret"])


async def test_a_key_has_one_successor_and_another_only_when_that_was_lost(town):
    ends = (town.clock() + timedelta(days=5)).isoformat()
    old = (await make(town, expires_at=ends)).body
    first = (await town.ask("POST", f"/v1/api-keys/{old['id']}/rotate")).body
    again = await town.ask("POST", f"/v1/api-keys/{old['id']}/rotate")
    assert (again.status, again.body["code"]) == (409, "state_conflict")
    assert first["id"] in again.body["detail"]
    await town.ask("POST", f"/v1/api-keys/{first['id']}/revoke")
    second = await town.ask("POST", f"/v1/api-keys/{old['id']}/rotate")
    assert (second.status, second.body["expires_at"]) == (201, first["expires_at"])


async def test_two_rotations_at_once_are_one(town):
    old = (await make(town)).body
    answers = await asyncio.gather(*(town.ask("POST", f"/v1/api-keys/{old['id']}/rotate") for _ in range(4)))
    assert sorted(answer.status for answer in answers) == [201, 409, 409, 409]


async def test_the_operator_replaces_any_key_and_may_give_it_another_end(town):
    old = (await make(town, expires_at=(town.clock() + timedelta(days=5)).isoformat())).body
    end = town.clock() + timedelta(days=90)
    text, key = await api_keys.replace_key(town.deps, old["id"], timedelta(hours=1), end)
    assert (key.replaces, key.expires_at, key.scopes) == (old["id"], end, {"payments:read"})
    assert await works(town, text)
    with pytest.raises(NotFoundError):
        await api_keys.replace_key(town.deps, "key_" + "0" * 26, timedelta(hours=1))
