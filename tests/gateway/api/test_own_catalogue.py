"""Departments go live by themselves: their own catalogue in and out by the API, and what services are to cost."""

from __future__ import annotations

import asyncio
import csv
import io
import json

import jsonschema
import pytest

from gateway.api.openapi import describe
from gateway.domain.errors import SamePersonError
from gateway.services.catalogue.change_tariffs import decide_tariffs, list_undecided
from gateway.services.catalogue.import_catalogue import import_catalogue
from tests.gateway.conftest import SERVICES

PATH = "/v1/catalogue"
PROPOSALS = "/v1/tariff-proposals"
DOCUMENT = describe()
STAMP = {"code": "stamp", "name_en": "Stamp", "name_ar": "ختم", "revenue_code": "411700", "amount_minor": 20_00}
HEADING = "code,department,name_en,name_ar,revenue_code,amount_minor\n"
NAMES = {"ar": "كبار السن", "en": "Seniors"}
SENIOR = {
    "code": "senior", "names": NAMES, "when": {"senior": True}, "basis_points": 5_000,
    "legal_basis": "Resolution 5", "approver": "The Council",
}  # fmt: skip
PRICES = {
    "fixed": {"amount_minor": 100_00},
    "per_unit": {"unit_minor": 5_00, "unit": {"ar": "صفحة", "en": "page"}, "maximum_minor": 90_00},
    "tiers": {"bands": [{"up_to": 10, "unit_minor": 100}, {"flat_minor": 5}], "measure": "quantity"},
    "percentage": {"basis_points": 250, "minimum_minor": 10_00},
    "open": {"minimum_minor": 1, "maximum_minor": 100_00},
}


def check(body, name):
    shape = {"$ref": f"#/components/schemas/{name}", "components": DOCUMENT["components"]}
    jsonschema.validate(body, shape, format_checker=jsonschema.FormatChecker())


async def put(town, *services, bundles=(), dry_run=False, **more):
    return await town.ask(
        "POST", PATH, {"services": list(services), "bundles": list(bundles), "dry_run": dry_run}, **more
    )


async def send_sheet(town, path, text, **more):
    return await town.ask("POST", path, text.encode(), headers={"Content-Type": "text/csv; charset=utf-8"}, **more)


async def fetch_sheet(town, table, department="economy"):
    headers = {"Authorization": f"Bearer {town.keys[department]}"}
    async with town.session.get(f"{town.url}{PATH}/{table}.csv", headers=headers) as answer:
        assert answer.status == 200
        assert answer.content_type == "text/csv"
        return (await answer.read()).decode()


def draft(service="assessment", on="2027-01-01", price=None, **terms):
    return {
        "service": service, "effective_on": on, "legal_basis": "Cabinet Decision 12",
        "terms": {"price": price or {"kind": "fixed", "amount_minor": 100_00}, **terms},
    }  # fmt: skip


async def propose(town, *drafts, by="mariam", dry_run=False, **more):
    body = {"reason": "the schedule of 2027", "proposed_by": by, "tariffs": list(drafts), "dry_run": dry_run}
    return await town.ask("POST", PROPOSALS, body, **more)


async def stored(town):
    rows = await town.deps.pool.fetch(
        """SELECT t::text AS row FROM gateway.service t UNION ALL SELECT t::text FROM gateway.bundle t
           UNION ALL SELECT t::text FROM gateway.bundle_item t UNION ALL SELECT t::text FROM gateway.tariff t"""
    )
    return sorted(row["row"] for row in rows)


async def test_a_department_puts_a_service_in_and_asks_for_its_fee_at_once(town):
    answer = await put(town, STAMP)
    assert answer.status == 200, answer.body
    check(answer.body, "CatalogueImport")
    assert (answer.body["services"], answer.body["faults"], answer.body["dry_run"]) == (1, [], False)
    intent = await town.intent(lines=[{"service": "stamp"}])
    assert intent["amount"] == {"amount": 20_00, "currency": "AED"}
    assert (await town.ask("GET", "/v1/services/stamp")).body["department"]["code"] == "economy"
    [deed] = await town.deps.pool.fetch("SELECT action, subject, after FROM gateway.audit")
    assert (deed["action"], deed["subject"]) == ("catalogue_imported", "economy")


async def test_what_was_taken_out_is_put_in_again_and_changes_nothing(town):
    out = (await town.ask("GET", PATH)).body
    check(out, "Catalogue")
    assert {one["code"] for one in out["services"]} == {"licence", "kuwaiti", "assessment"}
    assert [one["code"] for one in out["bundles"]] == ["delivery"]
    before = await stored(town)
    answer = await put(town, *out["services"], bundles=out["bundles"])
    assert (answer.status, answer.body["services"], answer.body["bundles"]) == (200, 3, 1)
    assert await stored(town) == before
    for table in ("services", "bundles"):
        answer = await send_sheet(town, f"{PATH}?table={table}", await fetch_sheet(town, table))
        assert answer.status == 200, answer.body
    assert await stored(town) == before


async def test_what_is_taken_out_is_one_s_own(town):
    out = (await town.ask("GET", PATH, department="roads")).body
    assert ([one["code"] for one in out["services"]], out["bundles"], out["tariffs"]) == (["fine"], [], [])
    rows = list(csv.DictReader(io.StringIO(await fetch_sheet(town, "services", "roads"))))
    assert [row["code"] for row in rows] == ["fine"]


async def test_a_dry_run_tells_every_bad_line_and_does_nothing(town):
    before = await stored(town)
    bad = [
        {**STAMP, "revenue_code": 7},
        {**STAMP, "code": "Stamp", "vat_basis_points": -1, "nmae_en": "x"},
        {**STAMP, "code": "seal", "depends_on": ["nothing"]},
        {"code": "licence", **{k: v for k, v in STAMP.items() if k != "code"}},
        {**STAMP, "code": "parted", "documents_en": 5},
    ]
    answer = await put(town, *bad, bundles=[{"code": "b", "services": ["none"]}], dry_run=True)
    assert answer.status == 200, answer.body
    check(answer.body, "CatalogueImport")
    found = [(one["table"], one["line"], one["field"]) for one in answer.body["faults"]]
    assert found == [
        ("bundles", 1, "name_ar"), ("bundles", 1, "name_en"),
        ("services", 1, "revenue_code"),
        ("services", 2, "nmae_en"), ("services", 2, "code"), ("services", 2, "vat_basis_points"),
        ("services", 3, "depends_on"),
        ("services", 4, "amount_minor"), ("services", 4, "vat_basis_points"),
        ("services", 5, "documents_en"),
    ]  # fmt: skip
    sound = await put(town, STAMP, dry_run=True)
    assert (sound.body["services"], sound.body["faults"]) == (1, [])
    assert await stored(town) == before


async def test_in_earnest_a_bad_line_refuses_all_of_it_and_the_key_may_be_used_again(town):
    before = await stored(town)
    refused = await put(town, STAMP, {**STAMP, "code": "seal", "name_ar": ""}, key="go-live")
    assert refused.status == 422
    assert [fault["pointer"] for fault in refused.body["errors"]] == ["/services/1/name_ar"]
    sheet = f"{HEADING}stamp,,Stamp,ختم,411700,2000\nseal,,Seal,,411700,x\n"
    refused = await send_sheet(town, f"{PATH}?table=services", sheet)
    assert [fault["pointer"] for fault in refused.body["errors"]] == ["/3/name_ar", "/3/amount_minor"]
    assert await stored(town) == before
    assert (await put(town, STAMP, {**STAMP, "code": "seal"}, key="go-live")).status == 200


async def test_an_import_changes_nothing_of_another_department(town):
    roads = {**STAMP, "code": "fine", "department": "roads", "amount_minor": None}
    taken = {**roads, "department": "economy"}
    retired = [{**SERVICES[1], "active": "no"}]
    assert not (await import_catalogue(town.deps, [], [], [{**BUNDLE, "services": "licence"}])).faults
    before = await stored(town)
    for row, field in ((roads, "department"), (taken, "code")):
        answer = await put(town, row)
        assert f"/services/0/{field}" in [fault["pointer"] for fault in answer.body["errors"]]
    other = {**BUNDLE, "department": "roads", "services": ["fine"]}
    assert (await put(town, bundles=[other])).status == 422
    answer = await put(town, bundles=[other], department="roads")
    assert [fault["pointer"] for fault in answer.body["errors"]] == ["/bundles/0/code"]
    assert await stored(town) == before
    assert not (await import_catalogue(town.deps, [], retired)).faults
    answer = await put(town, taken)
    assert "/services/0/code" in [fault["pointer"] for fault in answer.body["errors"]]


BUNDLE = {
    "code": "delivery",
    "department": "economy",
    "name_ar": "ابدأ",
    "name_en": "Start",
    "services": "licence fine",
}


async def test_a_bundle_takes_another_department_s_fee_only_as_the_operator_put_it_there(town):
    """Otherwise any department could charge for any service: a bundle of its own would be its leave."""
    new = {**BUNDLE, "code": "mine"}
    for bundle in (new, {**BUNDLE, "services": "licence fine*2"}):
        answer = await put(town, bundles=[bundle])
        assert answer.status == 422
        assert [fault["pointer"] for fault in answer.body["errors"]] == ["/bundles/0/services"]
    kept = await put(town, bundles=[{**BUNDLE, "services": ["licence*2", "fine"]}])
    assert kept.status == 200, kept.body
    own = await put(town, bundles=[{**new, "services": [{"service": "licence"}, {"service": "assessment"}]}])
    assert own.status == 200, own.body


async def test_two_departments_that_take_one_code_at_once_get_it_once(town):
    answers = await asyncio.gather(
        put(town, STAMP), put(town, STAMP, department="roads"), put(town, {**STAMP, "name_en": "S"}, department="roads")
    )
    assert sorted(answer.status for answer in answers) in ([200, 200, 422], [200, 422, 422])
    owner = await town.deps.pool.fetchval("SELECT department FROM gateway.service WHERE code = 'stamp'")
    assert {"economy": 422, "roads": 200}[owner] == answers[1].status == answers[2].status
    assert answers[0].status == (200 if owner == "economy" else 422)


async def test_a_price_is_not_changed_by_an_import(town):
    answer = await put(town, {**STAMP, "code": "licence", "vat_basis_points": 500})
    assert [fault["pointer"] for fault in answer.body["errors"]] == ["/services/0/amount_minor"]
    assert "propose a tariff" in answer.body["errors"][0]["detail"]


async def test_what_looks_like_a_card_number_is_neither_told_nor_kept(town):
    card = "4111111111111111"
    rows = [
        {**STAMP, "depends_on": [card]},
        {**STAMP, "code": "b", card: "x"},
        {**STAMP, "code": "c", "currency": card},
    ]
    answer = await put(town, *rows, dry_run=True)
    assert (answer.status, len(answer.body["faults"])) == (200, 3)
    assert card not in json.dumps(answer.body)
    kept = await town.deps.pool.fetch("SELECT answer FROM gateway.idempotency")
    assert all(card.encode() not in row["answer"] for row in kept)


@pytest.mark.parametrize(
    ("sheet", "status"),
    [
        (b"\xff\xfe", 400),
        (b'code,"name_en\n' + b"x" * 200_000, 400),
        (b"code\n" + b"a\n" * 1_001, 422),
        (b"code\nlicence\x00\n", 422),
        (f"{HEADING}stamp,,S,ختم,4117,{'9' * 5_000}\n".encode(), 422),
        (b"", 200),
    ],
)  # fmt: skip
async def test_odd_spreadsheets_are_refused(town, sheet, status):
    headers = {"Content-Type": "text/csv"}
    answer = await town.ask("POST", f"{PATH}?table=services", sheet, headers=headers)
    assert answer.status == status, answer.body


async def test_an_import_is_bounded_in_size(town):
    headers = {"Content-Type": "text/csv", "Authorization": f"Bearer {town.keys['economy']}", "Idempotency-Key": "k"}
    sheet = io.BytesIO(b"x" * 1_048_577)
    async with town.session.post(f"{town.url}{PATH}?table=services", data=sheet, headers=headers) as answer:
        assert answer.status == 413


@pytest.mark.parametrize("query", ["", "?table=departments", "?table=services&dry_run=maybe", "?table=services&x=1"])
async def test_a_spreadsheet_says_beside_it_what_it_is(town, query):
    assert (await send_sheet(town, f"{PATH}{query}", HEADING)).status == 422


async def test_beside_a_spreadsheet_the_query_is_a_part_of_the_request(town):
    sheet = f"{HEADING}stamp,,Stamp,ختم,411700,2000\n"
    tried = await send_sheet(town, f"{PATH}?table=services&dry_run=true", sheet, key="k")
    assert (tried.status, tried.body["dry_run"]) == (200, True)
    other = await send_sheet(town, f"{PATH}?table=services", sheet, key="k")
    assert (other.status, other.body["code"]) == (422, "idempotency_key_reused")
    again = await send_sheet(town, f"{PATH}?table=services&dry_run=true", sheet, key="k")
    assert (again.body, again.headers["Idempotency-Replayed"]) == (tried.body, "true")


def test_the_described_rows_are_those_of_the_files():
    schemas = DOCUMENT["components"]["schemas"]
    for name, table in (("ServiceRow", "services"), ("BundleRow", "bundles")):
        columns = DOCUMENT["paths"][PATH]["post"]["requestBody"]["content"]["text/csv"]["schema"]["description"]
        listed = set(columns.partition(f"{table}: ")[2].partition(";")[0].split(", "))
        listed -= {"documents_en", "documents_ar"}
        assert set(schemas[name]["properties"]) - {"documents"} == listed


async def test_the_examples_of_a_service_are_one(town):
    fields = DOCUMENT["components"]["schemas"]["ServiceRow"]["properties"]
    row = {name: field["examples"][0] for name, field in fields.items() if "examples" in field}
    answer = await put(town, {**row, "depends_on": ["licence"]})
    assert answer.status == 200, answer.body


async def test_a_system_proposes_and_a_person_who_is_not_the_proposer_decides(town):
    answer = await propose(town, draft(), by=" Mariam ")
    assert answer.status == 202, answer.body
    check(answer.body, "TariffProposalBatch")
    [made] = answer.body["proposals"]
    assert (made["status"], made["proposed_by"], made["version"]) == ("awaiting_approval", "Mariam", 1)
    key = await town.deps.pool.fetchval("SELECT id FROM gateway.api_key WHERE department = 'economy'")
    assert made["proposed_with"] == key
    assert (await town.ask("GET", "/v1/services/assessment")).body["next_tariff"] is None
    [waiting] = await list_undecided(town.deps, 10)
    assert waiting.proposed_with == key
    with pytest.raises(SamePersonError):
        await decide_tariffs(town.deps, [made["id"]], by="mariam", approve=True)
    await decide_tariffs(town.deps, [made["id"]], by="khalid", approve=True)
    read = (await town.ask("GET", f"{PROPOSALS}/{made['id']}")).body
    check(read, "TariffProposal")
    assert (read["status"], read["decided_by"]) == ("approved", "khalid")
    coming = (await town.ask("GET", "/v1/services/assessment")).body["next_tariff"]
    check(coming, "Tariff")
    assert (coming["id"], coming["terms"]) == (made["id"], made["terms"])
    deeds = await town.deps.pool.fetch("SELECT after ->> 'proposed_with' AS key FROM gateway.audit ORDER BY at, id")
    assert [deed["key"] for deed in deeds] == [key, key]


async def test_proposals_are_listed_newest_first_and_searched(town):
    for day in ("2027-01-01", "2027-02-01", "2027-03-01"):
        assert (await propose(town, draft(on=day))).status == 202
        town.clock.advance(seconds=1)
    assert (await propose(town, draft("licence"))).status == 202
    first = (await town.ask("GET", f"{PROPOSALS}?service=assessment&limit=2")).body
    check(first, "TariffProposalList")
    rest = (await town.ask("GET", f"{PROPOSALS}?service=assessment&limit=2&cursor={first['next_cursor']}")).body
    days = [one["effective_on"] for one in first["data"] + rest["data"]]
    assert days == ["2027-03-01", "2027-02-01", "2027-01-01"]
    await decide_tariffs(town.deps, [first["data"][0]["id"]], by="khalid", approve=False)
    statuses = {
        status: len((await town.ask("GET", f"{PROPOSALS}?status={status}")).body["data"])
        for status in ("awaiting_approval", "approved", "refused")
    }
    assert statuses == {"awaiting_approval": 3, "approved": 0, "refused": 1}
    assert (await town.ask("GET", PROPOSALS, department="roads")).body["data"] == []
    assert (await town.ask("GET", f"{PROPOSALS}?status=undecided")).status == 422


async def test_every_fault_of_every_draft_is_told_and_nothing_is_proposed(town):
    drafts = [
        draft("fine"), draft("none"), draft(on="soon"), draft(currency="KWD"), draft(price={"kind": "fixed"}),
        draft(price={"kind": "tiers", "bands": []}), draft(), draft(),
    ]  # fmt: skip
    places = [
        (1, "service"), (2, "service"), (3, "effective_on"), (4, "terms/currency"), (5, "terms/price"),
        (6, "terms/price/bands"), (7, "effective_on"), (8, "effective_on"),
    ]  # fmt: skip
    tried = await propose(town, *drafts, dry_run=True)
    assert tried.status == 202
    check(tried.body, "TariffProposalBatch")
    assert [(one["line"], one["field"]) for one in tried.body["faults"]] == places
    refused = await propose(town, *drafts)
    assert refused.status == 422
    assert "/tariffs/0/service" in [fault["pointer"] for fault in refused.body["errors"]]
    assert await list_undecided(town.deps, 10) == []


@pytest.mark.parametrize("kind", sorted(PRICES))
async def test_every_kind_of_price_is_as_described(town, kind):
    asked = draft(price={"kind": kind, **PRICES[kind]}, vat_basis_points=500, concessions=[SENIOR])
    check(asked, "TariffDraft")
    answer = await propose(town, asked)
    assert answer.status == 202, answer.body
    [made] = answer.body["proposals"]
    check(made["terms"], "TariffTerms")
    await decide_tariffs(town.deps, [made["id"]], by="khalid", approve=True)
    [out] = (await town.ask("GET", PATH)).body["tariffs"]
    check(out, "TariffDraft")
    assert out["terms"] == made["terms"]
    again = await propose(town, out, dry_run=True)
    assert [one["detail"] for one in again.body["faults"]] == ["a version that begins on this day is approved already"]
    sheet = (await fetch_sheet(town, "tariffs")).replace("2027-01-01", "2027-02-01")
    proposed = await send_sheet(town, f"{PROPOSALS}?reason=next&proposed_by=mariam", sheet)
    assert proposed.status == 202, proposed.body
    assert proposed.body["proposals"][0]["terms"] == made["terms"]


def test_terms_are_told_apart_by_their_kind():
    schemas = DOCUMENT["components"]["schemas"]
    price = schemas["TariffTerms"]["properties"]["price"]
    mapping = price["discriminator"]["mapping"]
    assert set(mapping) == set(PRICES)
    assert [one["$ref"] for one in price["oneOf"]] == list(mapping.values())
    for kind, target in mapping.items():
        assert schemas[target.rpartition("/")[2]]["properties"]["kind"]["const"] == kind
        with pytest.raises(jsonschema.ValidationError):
            check({"price": {"kind": kind, **PRICES[kind], "more": 1}}, "TariffTerms")


async def test_a_spreadsheet_of_tariffs_says_who_and_why(town):
    sheet = "service,effective_on,legal_basis,kind,amount_minor\nassessment,2027-01-01,Decision 12,fixed,5000\n"
    for query in ("", "?reason=x", "?proposed_by=x"):
        refused = await send_sheet(town, f"{PROPOSALS}{query}", sheet)
        assert (refused.status, refused.body["errors"][0]["code"]) == (422, "missing")
    both = "?reason=x&proposed_by=mariam"
    assert (await send_sheet(town, f"{PROPOSALS}{both}", sheet.partition("\n")[0])).status == 422
    wrong = sheet.replace("assessment", "fine")
    tried = await send_sheet(town, f"{PROPOSALS}{both}&dry_run=true", wrong)
    assert [(one["line"], one["field"]) for one in tried.body["faults"]] == [(2, "service")]
    refused = await send_sheet(town, f"{PROPOSALS}{both}", wrong)
    assert [fault["pointer"] for fault in refused.body["errors"]] == ["/2/service"]
