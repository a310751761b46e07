"""Who may do what: keys, scopes, and other departments' things (HC-33), redirects (HC-34), too many at once (HC-30)."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from gateway.api.routes import PUBLIC, ROUTES
from gateway.deps import Limits
from gateway.domain.caller import Scope
from gateway.domain.errors import UnauthenticatedError
from gateway.services.callers.api_keys import authenticate, is_well_formed, issue_key
from gateway.services.callers.ending import end_credential

PATH = "/v1/payment-intents"
BODY = {"reference": "INV-1", "lines": [{"service": "licence"}]}


def bearer(text):
    return {"Authorization": f"Bearer {text}"}


async def ask_with(town, text):
    return await town.ask("GET", PATH, headers=bearer(text))


async def test_a_key_is_shown_once_and_kept_as_a_hash(town):
    text, key = await issue_key(town.deps, "economy", "till")
    assert text.startswith("mzn_test_")
    assert is_well_formed(text)
    rows = await town.deps.pool.fetch("SELECT * FROM gateway.api_key WHERE id = $1", key.id)
    assert text not in repr(rows)
    assert (await ask_with(town, text)).status == 200
    assert await town.deps.pool.fetchval("SELECT last_used_at FROM gateway.api_key WHERE id = $1", key.id)


async def test_junk_never_reaches_the_database(town):
    text, _ = await issue_key(town.deps, "economy", "till")
    wrong = text[:-1] + ("0" if text[-1] != "0" else "1")
    without_database = replace(town.deps, pool=None)
    for junk in (wrong, "", "x", text.upper(), text + "0", "mzn_test_" + "0" * 38, "mzn_test_ключ"):
        assert not is_well_formed(junk)
        with pytest.raises(UnauthenticatedError):
            await authenticate(without_database, junk)


async def test_every_refusal_of_a_key_looks_the_same(town):
    expired, _ = await issue_key(town.deps, "economy", "old", expires_at=town.clock() - timedelta(seconds=1))
    revoked, key = await issue_key(town.deps, "economy", "gone")
    await end_credential(town.deps, key.id)
    live = "mzn_live_" + expired[9:]
    bodies = []
    for text in (expired, revoked, live, "mzn_test_nonsense"):
        answer = await ask_with(town, text)
        assert (answer.status, answer.headers["WWW-Authenticate"]) == (401, "Bearer")
        bodies.append({name: value for name, value in answer.body.items() if name != "instance"})
    assert all(body == bodies[0] for body in bodies)


async def test_a_revoked_key_is_refused_within_a_minute_everywhere(town):
    text, key = await issue_key(town.deps, "economy", "till")
    assert (await ask_with(town, text)).status == 200
    await town.deps.pool.execute("UPDATE gateway.api_key SET revoked_at = $2 WHERE id = $1", key.id, town.clock())
    town.clock.advance(seconds=61)
    assert (await ask_with(town, text)).status == 401


async def test_a_key_does_what_its_scopes_say_and_no_more(town):
    text, _ = await issue_key(town.deps, "economy", "reader", scopes=[Scope.PAYMENTS_READ])
    assert (await ask_with(town, text)).status == 200
    refused = await town.ask("POST", PATH, BODY, headers=bearer(text))
    assert (refused.status, refused.body["code"]) == (403, "missing_scope")


PROTECTED = [(method, path) for method, path, _ in ROUTES if path not in PUBLIC]


@pytest.mark.parametrize(("method", "path"), PROTECTED)
async def test_every_route_asks_who_calls(town, method, path):
    answer = await town.ask(
        method,
        path.replace("{id}", "pi_" + "0" * 26)
        .replace("{code}", "licence")
        .replace("{name}", "statement")
        .replace("{table}", "services"),
        {},
        headers={"Authorization": ""},
    )
    assert answer.status == 401


async def test_hc30_too_many_at_once_are_told_to_come_back(open_town):
    town = await open_town(limits=Limits(in_flight_max=2))
    answers = await asyncio.gather(
        *(town.ask("POST", PATH, {**BODY, "reference": f"I-{n}"}) for n in range(40)),
    )
    statuses = {answer.status for answer in answers}
    assert statuses == {201, 503}
    assert all(answer.headers["Retry-After"] == "1" for answer in answers if answer.status == 503)
    made = await town.deps.pool.fetchval("SELECT count(*) FROM gateway.intent")
    assert made == sum(answer.status == 201 for answer in answers)


async def test_hc29_a_database_that_goes_away_is_a_503_and_nothing_acknowledged_is_lost(town, owner):
    await town.intent()
    await owner.execute(
        """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
            WHERE datname = current_database() AND pid <> pg_backend_pid()"""
    )
    statuses = set()
    for _ in range(30):
        answer = await town.ask("POST", PATH, BODY, key="k")
        statuses.add(answer.status)
        if answer.status == 201:
            break
    assert statuses <= {201, 503}
    assert answer.status == 201
    assert await town.deps.pool.fetchval("SELECT count(*) FROM gateway.intent") == 2


async def test_correlation_ids_are_kept_or_made(town):
    given = await town.ask("GET", PATH, headers={"X-Request-Id": "department-42"})
    assert given.headers["X-Request-Id"] == "department-42"
    made = await town.ask("GET", PATH, headers={"X-Request-Id": "bad id\t"})
    assert made.headers["X-Request-Id"] != "bad id\t"
    problem = await town.ask("GET", f"{PATH}/pi_x", headers={"X-Request-Id": "department-43"})
    assert problem.body["instance"].endswith("department-43")


@pytest.mark.parametrize(
    ("method", "path", "status"), [("GET", "/v1/nothing", 404), ("PUT", PATH, 405), ("DELETE", "/v1/services", 405)]
)
async def test_what_does_not_exist_is_a_problem_too(town, method, path, status):
    answer = await town.ask(method, path)
    assert (answer.status, answer.body["status"]) == (status, status)
    assert answer.headers["Content-Type"].startswith("application/problem+json")
    assert ("Allow" in answer.headers) == (status == 405)
