"""Tariffs over a database and HTTP: two people, one version at a time, the price of the day, and what is refused."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime

import asyncpg
import jsonschema
import pytest

from gateway.api.openapi import describe
from gateway.domain.errors import InvalidError, SamePersonError, TransitionError
from gateway.domain.tariff_terms import read_terms
from gateway.services.catalogue.change_tariffs import (
    Draft,
    decide_tariffs,
    list_undecided,
    propose_tariffs,
    tariff_history,
)

PATH = "/v1/payment-intents"
_SCHEMAS = {"components": describe()["components"]}
SENIOR = {
    "code": "senior", "names": {"ar": "كبار السن", "en": "Senior citizens"}, "when": {"senior": True},
    "basis_points": 5_000, "legal_basis": "Resolution 5, article 3", "approver": "The Executive Council",
}  # fmt: skip
WAIVER = {
    "code": "hardship", "names": {"ar": "إعفاء", "en": "Hardship"}, "when": {"support": "social"},
    "legal_basis": "Law 2, article 9", "approver": "The Minister",
}  # fmt: skip


def fixed(amount_minor, **more):
    return {"price": {"kind": "fixed", "amount_minor": amount_minor}, **more}


def aed(amount):
    return {"amount": amount, "currency": "AED"}


def draft(service="licence", on="2026-01-01", terms=None):
    return Draft(service, date.fromisoformat(on), "Resolution 1 of 2026", read_terms(terms or fixed(200_00)))


async def propose(town, *drafts, by="maryam"):
    return [each.tariff.id for each in await propose_tariffs(town.deps, drafts, by=by, reason="the new schedule")]


async def enact(town, *drafts):
    ids = await propose(town, *drafts)
    await decide_tariffs(town.deps, ids, by="khalid", approve=True)
    return ids


async def create(town, *lines, **more):
    return await town.ask("POST", PATH, {"reference": "T-1", "lines": list(lines), **more})


async def test_a_change_takes_a_second_person(town, owner):
    [tariff] = await propose(town, draft())
    assert (await town.intent())["amount"] == aed(105_00)
    for same in ("maryam", " Maryam "):
        with pytest.raises(SamePersonError):
            await decide_tariffs(town.deps, [tariff], by=same, approve=True)
    with pytest.raises(asyncpg.CheckViolationError, match="tariff_maker_is_not_checker"):
        await owner.execute(
            "UPDATE gateway.tariff SET decision = 'approved', checker = 'Maryam ', checked_at = made_at WHERE id = $1",
            tariff,
        )
    await decide_tariffs(town.deps, [tariff], by="khalid", approve=True)
    intent = await town.intent()
    assert intent["amount"] == aed(200_00)
    assert intent["lines"][0]["tariff"] == {
        "id": tariff, "version": 1, "effective_on": "2026-01-01", "legal_basis": "Resolution 1 of 2026",
    }  # fmt: skip
    with pytest.raises(TransitionError):
        await decide_tariffs(town.deps, [tariff], by="khalid", approve=False)
    deeds = await town.deps.pool.fetch("SELECT actor, action, subject FROM gateway.audit ORDER BY action DESC")
    assert [tuple(deed) for deed in deeds] == [
        ("maryam", "tariff_proposed", "licence"), ("khalid", "tariff_approved", "licence"),
    ]  # fmt: skip


async def test_the_database_lets_nobody_change_what_was_decided(town, owner):
    [tariff] = await enact(town, draft())
    for statement in (
        "UPDATE gateway.tariff SET legal_basis = 'another' WHERE id = $1",
        "UPDATE gateway.tariff SET decision = 'refused' WHERE id = $1",
        "DELETE FROM gateway.tariff WHERE id = $1",
    ):
        with pytest.raises(asyncpg.RestrictViolationError):
            await owner.execute(statement, tariff)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await town.deps.pool.execute("UPDATE gateway.tariff SET terms = '{}' WHERE id = $1", tariff)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await town.deps.pool.execute("DELETE FROM gateway.audit")


async def test_versions_never_overlap(town, owner):
    """Two cannot begin together, in the database itself; each ends where the next begins."""
    made = await propose(town, draft(), draft(on="2027-01-01", terms=fixed(300_00)))
    [twin] = await propose(town, draft(on="2027-01-01", terms=fixed(400_00)))
    await decide_tariffs(town.deps, made, by="khalid", approve=True)
    with pytest.raises(TransitionError):
        await decide_tariffs(town.deps, [twin], by="khalid", approve=True)
    with pytest.raises(asyncpg.UniqueViolationError, match="tariff_start"):
        await owner.execute(
            "UPDATE gateway.tariff SET decision = 'approved', checker = 'k', checked_at = made_at WHERE id = $1", twin
        )
    assert [(each.tariff.version, each.decision) for each in await tariff_history(town.deps, "licence")] == [
        (1, "approved"), (2, "approved"), (3, None),
    ]  # fmt: skip
    assert [each.tariff.id for each in await list_undecided(town.deps, 10)] == [twin]


async def test_proposals_and_decisions_at_once_get_numbers_of_their_own_and_one_winner(town):
    made = await asyncio.gather(*(propose(town, draft(terms=fixed(100_00 + n))) for n in range(6)))
    versions = [each.tariff.version for each in await tariff_history(town.deps, "licence")]
    assert versions == [1, 2, 3, 4, 5, 6]
    decided = await asyncio.gather(
        *(decide_tariffs(town.deps, ids, by="khalid", approve=True) for ids in made), return_exceptions=True
    )
    assert sum(isinstance(each, list) for each in decided) == 1
    assert all(isinstance(each, (list, TransitionError)) for each in decided)


async def test_a_price_in_force_is_not_changed_backwards(town):
    [late] = await propose(town, draft(on="2026-11-22", terms=fixed(1)))
    await enact(town, draft())
    for day in ("2026-01-01", "2026-11-22"):
        with pytest.raises(InvalidError) as refused:
            await propose(town, draft(on=day, terms=fixed(1)))
        assert [fault.pointer for fault in refused.value.faults] == ["/0/effective_on"]
    with pytest.raises(TransitionError, match="has begun"):
        await decide_tariffs(town.deps, [late], by="khalid", approve=True)


async def test_a_new_tariff_begins_at_midnight_in_dubai_and_an_intent_keeps_its_price(town):
    await enact(town, draft(), draft(on="2026-12-01", terms=fixed(300_00)))
    town.clock.set(datetime(2026, 11, 30, 19, 59, 59, tzinfo=UTC))
    before = await town.intent()
    town.clock.set(datetime(2026, 11, 30, 20, 0, tzinfo=UTC))
    after = await town.intent()
    assert [one["amount"]["amount"] for one in (before, after)] == [200_00, 300_00]
    assert [one["lines"][0]["tariff"]["version"] for one in (before, after)] == [1, 2]
    await town.start(before)
    await town.pay(before)
    await town.work()
    paid = await town.read(before)
    assert (paid["status"], paid["amount"], paid["lines"]) == ("paid", aed(200_00), before["lines"])


async def test_what_is_coming_is_shown_and_quoted(town):
    await enact(town, draft(), draft(on="2026-12-01", terms=fixed(300_00)))
    service = (await town.ask("GET", "/v1/services/licence")).body
    jsonschema.validate(service, {**_SCHEMAS, "$ref": "#/components/schemas/Service"})
    assert (service["amount"], service["tariff"]["version"]) == (aed(200_00), 1)
    assert service["next_tariff"]["effective_on"] == "2026-12-01"
    body = {"lines": [{"service": "licence"}], "at": "2026-12-24T00:00:00Z"}
    assert (await town.ask("POST", "/v1/quotes", body)).body["amount"] == aed(300_00)
    for at in ("2026-11-21T00:00:00Z", "2030-01-01T00:00:00Z", "soon"):
        assert (await town.ask("POST", "/v1/quotes", {**body, "at": at})).status == 422


async def test_a_quote_prices_a_basket_and_creates_nothing(town):
    await enact(
        town,
        draft(terms=fixed(200_00, vat_basis_points=500, vat_included=False, concessions=[SENIOR])),
        draft("assessment", terms={"price": {"kind": "percentage", "basis_points": 400, "minimum_minor": 500_00}}),
    )
    lines = [
        {"service": "licence", "answers": {"senior": True}},
        {"service": "assessment", "base_amount": aed(100_000_00)},
    ]
    counted = "SELECT count(*) FROM gateway.intent"
    quote = await town.ask("POST", "/v1/quotes", {"lines": lines})
    assert quote.status == 200, quote.body
    assert await town.deps.pool.fetchval(counted) == 0
    assert quote.body["amount"] == aed(105_00 + 4_000_00)
    assert quote.body["vat"] == aed(5_00)
    first, second = quote.body["lines"]
    assert (first["discount"], first["concession"]["code"]) == (aed(100_00), "senior")
    assert second["base_amount"] == aed(100_000_00)
    jsonschema.validate(quote.body, {**_SCHEMAS, "$ref": "#/components/schemas/Quote"})
    made = await create(town, *lines)
    assert (made.body["lines"], made.body["amount"]) == (quote.body["lines"], quote.body["amount"])
    assert (await town.read(made.body))["lines"] == quote.body["lines"]


@pytest.mark.parametrize(
    ("line", "pointer"),
    [
        ({"service": "licence", "amount": aed(105_00)}, "/lines/0/amount/amount"),
        ({"service": "licence", "amount": {"amount": 200_00, "currency": "USD"}}, "/lines/0/amount/currency"),
        ({"service": "licence", "quantity": 2}, "/lines/0/quantity"),
        ({"service": "licence", "base_amount": aed(1)}, "/lines/0/base_amount"),
        ({"service": "licence", "answers": {"age": "70"}}, "/lines/0/answers/age"),
        ({"service": "assessment"}, "/lines/0/base_amount"),
        ({"service": "assessment", "base_amount": {"amount": 1, "currency": "KWD"}}, "/lines/0/base_amount/currency"),
        ({"service": "licence", "answers": {"support": "social"}}, "/lines"),
    ],
)
async def test_what_differs_from_the_tariff_is_refused_with_its_field(town, line, pointer):
    await enact(
        town,
        draft(terms=fixed(200_00, concessions=[SENIOR, WAIVER])),
        draft("assessment", terms={"price": {"kind": "percentage", "basis_points": 400}}),
    )
    for path, body in ((PATH, {"reference": "T-1", "lines": [line]}), ("/v1/quotes", {"lines": [line]})):
        answer = await town.ask("POST", path, body)
        if path != PATH and pointer == "/lines":
            assert (answer.status, answer.body["amount"]) == (200, aed(0))  # a quote may say that nothing is due
            continue
        assert answer.status == 422, answer.body
        assert [error["pointer"] for error in answer.body["errors"]] == [pointer]
    same = await create(town, {"service": "licence", "amount": aed(200_00)})
    assert same.status == 201


async def test_a_waived_fee_stays_on_the_bill_and_moves_no_money(town):
    await enact(town, draft(terms=fixed(200_00, concessions=[WAIVER])))
    lines = [{"service": "licence", "answers": {"support": "social"}}, {"service": "assessment", "amount": aed(40_00)}]
    paid = await town.paid(lines=lines)
    assert paid["amount"] == aed(40_00)
    assert paid["lines"][0]["concession"]["legal_basis"] == "Law 2, article 9"
    assert await town.books() == {"provider:ngenius:receivable": 40_00, "department:economy:payable": -40_00}
    refused = await town.ask(
        "POST", f"{PATH}/{paid['id']}/refunds", {"reason": "x", "lines": [{"number": 1, "amount": aed(1)}]}
    )
    assert refused.status == 422
    whole = await town.ask("POST", f"{PATH}/{paid['id']}/refunds", {"reason": "x"})
    assert [line["number"] for line in whole.body["lines"]] == [2]


async def test_a_proposal_for_what_is_not_there_is_refused_as_a_whole(town):
    with pytest.raises(InvalidError) as refused:
        await propose(town, draft(), draft("nothing"), draft("kuwaiti"), draft(on="0001-01-01"))
    assert [fault.pointer for fault in refused.value.faults] == ["/1/service", "/2/terms/currency", "/3/effective_on"]
    assert await town.deps.pool.fetchval("SELECT count(*) FROM gateway.tariff") == 0
