"""HC-33: every endpoint, every role, every foreign thing. The rows come from the table of routes, not from a list."""

from __future__ import annotations

import itertools

import pytest

from gateway.api import finance_shapes
from gateway.api.openapi import describe
from gateway.api.routes import PUBLIC, ROUTES
from gateway.deps import Limits
from gateway.domain.caller import NO_DEPARTMENT, Scope, TreasuryScope
from gateway.domain.ids import Prefix
from gateway.services.callers.api_keys import issue_key
from tests.gateway.api.clients import Client, Pair

PROTECTED = [(method, path) for method, path, _ in ROUTES if path not in PUBLIC]
WITH_ID = [(method, path) for method, path in PROTECTED if "{id}" in path]
DOCUMENT = describe()

# One body each operation takes; the schema it is described with must know it. What is not here sends {}.
BODIES = {
    "CreateIntent": {"reference": "INV-1", "lines": [{"service": "licence"}]},
    "CreateRefund": {"reason": "x"},
    "CreateEndpoint": {"url": "https://hooks.example.ae/"},
    "CreateQuote": {"lines": [{"service": "licence"}]},
    "CreateRefundBatch": {"reason": "x", "refunds": []},
    "CreatePaymentLink": {"reference": "L-1", "line": {"service": "licence"}, "single_use": True},
    "DecideRefund": {"decided_by": "x", "reason": "x"},
    "UpdateIntent": {"metadata": {"a": "b"}},
    "CreateApiKey": {"label": "x", "scopes": []},
    "CreateOAuthClient": {"label": "x", "scopes": ["payments:read"], "jwks": {"keys": [Pair().jwk()]}},
    "ImportCatalogue": {
        "services": [{"code": "stamp", "name_en": "Stamp", "name_ar": "ختم", "revenue_code": "411700"}],
    },
    "ProposeTariffs": {
        "reason": "x",
        "proposed_by": "x",
        "tariffs": [
            {
                "service": "licence",
                "effective_on": "2027-01-01",
                "legal_basis": "x",
                "terms": {"price": {"kind": "fixed", "amount_minor": 1}},
            },
        ],
    },
    "ClientKeys": {"jwks": {"keys": [Pair().jwk()]}},
}


def operation(method, path):
    return DOCUMENT["paths"][path][method.lower()]


def body_of(method, path):
    if "requestBody" not in operation(method, path):
        return None if method == "GET" else {}
    schema = operation(method, path)["requestBody"]["content"]["application/json"]["schema"]
    return BODIES.get(schema["$ref"].rpartition("/")[2], {})


def bearer(text):
    return {"Authorization": f"Bearer {text}"}


async def test_every_kind_of_thing_is_in_the_matrix(things):
    assert {path.split("/")[2] for _, path in WITH_ID} == set(things)
    assert {value.partition("_")[0] for value in things.values()} <= {prefix.value for prefix in Prefix}


@pytest.mark.parametrize(
    "credential", ["", "Basic eDp5", "Bearer ", "Bearer mzn_test_x", "Bearer eyJhbGciOiJub25lIn0.e30."]
)
async def test_nobody_is_refused_everywhere(open_town, credential):
    town = await open_town(limits=Limits(wrong_guesses_per_minute=1_000))
    for method, path in PROTECTED:
        sent = {"Authorization": credential} if credential else {"Authorization": ""}
        asked = (
            path.replace("{id}", "pi_" + "0" * 26)
            .replace("{code}", "none")
            .replace("{name}", "none")
            .replace("{table}", "none")
        )
        answer = await town.ask(method, asked, body_of(method, path), headers=sent)
        assert answer.status == 401, (method, path)


@pytest.mark.parametrize("kind", ["key", "token"])
async def test_every_role_does_what_the_description_says_and_no_more(town, things, kind):
    """A credential with one scope, for each scope, at each endpoint: 403 exactly where another scope is named."""
    for scope in (*Scope, *TreasuryScope):
        whose = "economy" if isinstance(scope, Scope) else NO_DEPARTMENT
        if kind == "key":
            text, _ = await issue_key(town.deps, whose, scope.value, scopes=[scope])
        else:
            text = await (await Client(town, Pair()).add(whose, [scope.value])).token()
        for method, path in PROTECTED:
            [needed] = operation(method, path)["security"]
            # An id that is not there: what is allowed finds nothing, what is not allowed does not even look.
            asked = path.replace("{id}", things[path.split("/")[2]][:3] + "0" * 26) if "{id}" in path else path
            asked = asked.replace("{code}", "none").replace("{name}", "none").replace("{table}", "none")
            answer = await town.ask(method, asked, {} if method == "POST" else None, headers=bearer(text))
            if needed["key"] == [scope.value]:
                assert answer.status not in (401, 403), (method, path, scope, answer.body)
            else:
                assert (answer.status, answer.body["code"]) == (403, "missing_scope"), (method, path, scope)


@pytest.mark.parametrize("kind", ["key", "token"])
async def test_another_department_s_things_are_not_there(town, things, kind):
    """Every route with an id, asked by the wrong department, answers as for an id that never was, and does nothing."""
    if kind == "key":
        text = town.keys["roads"]
    else:
        text = await (await Client(town, Pair()).add("roads", [scope.value for scope in Scope])).token()
    before = await snapshot(town)
    numbers = itertools.count()
    for method, path in WITH_ID:
        identifier = things[path.split("/")[2]]
        prefix = identifier.partition("_")[0]
        answers = []
        for asked in (identifier, f"{prefix}_{'0' * 26}", f"{prefix}_x", "x"):
            answer = await town.ask(
                method,
                path.replace("{id}", asked),
                body_of(method, path),
                headers=bearer(text),
                key=f"{kind}-{next(numbers)}",
            )
            answers.append((answer.status, {name: said for name, said in answer.body.items() if name != "instance"}))
        assert [status for status, _ in answers] == [404] * 4, (method, path, answers)
        assert all(answer == answers[0] for answer in answers)
    assert await snapshot(town) == before


async def test_lists_hold_one_s_own_and_nothing_else(town, things):
    for method, path in PROTECTED:
        if method != "GET" or "{" in path or path in ("/v1/services", "/v1/bundles"):
            continue  # the catalogue is everybody's
        if path.startswith(finance_shapes.PREFIX):
            continue  # no department reads it at all
        found = (await town.ask(method, path, department="roads")).body
        data = found.get("data", [found])
        assert not {entry.get("id") for entry in data} & set(things.values())
        assert "economy" not in repr(data)
        # A filter or a cursor that names another department's thing finds nothing of it either.
    for identifier in things.values():
        found = await town.ask("GET", f"/v1/events?object={identifier}", department="roads")
        assert found.status == 422 or found.body["data"] == []


async def snapshot(town):
    tables = (
        "intent",
        "refund",
        "webhook_endpoint",
        "webhook_delivery",
        "service",
        "bundle",
        "tariff",
        "audit",
        "api_key",
        "oauth_client",
        "idempotency",
        "event",
    )
    rows = {}
    for table in tables:
        found = await town.deps.pool.fetch(f"SELECT t::text AS row FROM gateway.{table} t")
        rows[table] = sorted(row["row"] for row in found)
    # Using a credential is noted; nothing else may have changed.
    rows.pop("api_key")
    rows.pop("oauth_client")
    return rows
