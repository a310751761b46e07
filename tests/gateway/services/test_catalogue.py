"""The catalogue's import: everything or nothing, every bad line named, a real city in seconds."""

from __future__ import annotations

from datetime import date
from time import perf_counter

import asyncpg
import pytest

from gateway.domain.tariff_terms import read_terms
from gateway.services.catalogue.change_tariffs import Draft, decide_tariffs, propose_tariffs
from gateway.services.catalogue.export_catalogue import as_csv, export_catalogue
from gateway.services.catalogue.import_catalogue import import_catalogue, read_csv, read_json
from ops.demo import catalogue as city
from tests.gateway.conftest import BUNDLES, SERVICES

DEPARTMENT = {"code": "health", "name_ar": "الصحة", "name_en": "Health"}
SERVICE = {
    "code": "card", "department": "health", "name_ar": "بطاقة", "name_en": "Card", "revenue_code": "4",
    "amount_minor": 5,
}  # fmt: skip


@pytest.mark.parametrize(
    ("departments", "services", "faults"),
    [
        ([{**DEPARTMENT, "code": "He alth"}], [], [("departments", 1, "code")]),
        ([DEPARTMENT, DEPARTMENT], [], [("departments", 2, "code")]),
        ([{**DEPARTMENT, "return_origins": "http://out.example"}], [], [("departments", 1, "return_origins")]),
        ([{**DEPARTMENT, "fee_bearer": "nobody"}], [], [("departments", 1, "fee_bearer")]),
        ([{**DEPARTMENT, "name_ar": ""}], [], [("departments", 1, "name_ar")]),
        ([], [{**SERVICE, "department": "nowhere"}], [("services", 1, "department")]),
        ([DEPARTMENT], [SERVICE, {**SERVICE, "code": "b", "amount_minor": "5.5"}], [("services", 2, "amount_minor")]),
        ([DEPARTMENT], [{**SERVICE, "currency": "XYZ"}], [("services", 1, "currency")]),
        ([DEPARTMENT], [{**SERVICE, "vat_basis_points": 10_001}], [("services", 1, "vat_basis_points")]),
    ],
)
async def test_every_bad_line_is_named_and_nothing_is_imported(town, departments, services, faults):
    result = await import_catalogue(town.deps, departments, services)
    assert [(fault.table, fault.line, fault.field) for fault in result.faults] == faults
    assert await town.deps.pool.fetchval("SELECT count(*) FROM gateway.department WHERE code = 'health'") == 0


async def test_a_dry_run_says_what_it_would_do(town):
    result = await import_catalogue(town.deps, [DEPARTMENT], [SERVICE], dry_run=True)
    assert (result.departments, result.services, result.faults) == (1, 1, ())
    assert await town.deps.pool.fetchval("SELECT count(*) FROM gateway.service WHERE code = 'card'") == 0


async def test_an_import_is_seen_at_once_and_may_be_repeated(town):
    rows = read_csv("code,department,name_ar,name_en,revenue_code,amount_minor\ncard,health,بطاقة,Card,4,500\n")
    for _ in range(2):
        assert not (await import_catalogue(town.deps, [DEPARTMENT], rows)).faults
    listed = (await town.ask("GET", "/v1/services?department=health")).body["data"]
    assert [(service["code"], service["amount"]) for service in listed] == [
        ("card", {"amount": 500, "currency": "AED"})
    ]
    assert read_json(b'[{"code": "card"}]') == [{"code": "card"}]


async def test_a_city_of_forty_departments_and_two_thousand_services_imports_in_seconds(town):
    departments = [
        {"code": d.code, "name_ar": d.name_ar, "name_en": d.name_en, "fee_bearer": d.fee_bearer.value}
        for d in city.departments()
    ]
    services = [
        {
            "code": s.code, "department": s.department, "name_ar": s.name_ar, "name_en": s.name_en,
            "revenue_code": s.revenue_code, "amount_minor": s.amount_minor, "vat_basis_points": s.vat_basis_points,
        }
        for s in city.services()
    ]  # fmt: skip
    begun = perf_counter()
    result = await import_catalogue(town.deps, departments, services)
    assert (result.departments, result.services, result.faults) == (40, 2_000, ())
    assert perf_counter() - begun < 60


LICENCE = SERVICES[0]
CHANGES = [("amount_minor", 205_00), ("amount_minor", ""), ("vat_basis_points", 0), ("currency", "KWD")]


@pytest.mark.parametrize("dry_run", [True, False])
@pytest.mark.parametrize(("field", "value"), CHANGES)
async def test_what_a_service_costs_is_not_changed_by_one_person_s_import(town, field, value, dry_run):
    rows = [{**LICENCE, "code": "other"}, {**LICENCE, field: value}]
    result = await import_catalogue(town.deps, [], rows, dry_run=dry_run)
    assert [(fault.table, fault.line, fault.field) for fault in result.faults] == [("services", 2, field)]
    assert "propose a tariff, which a second person approves" in result.faults[0].detail
    assert (await town.intent())["amount"] == {"amount": 105_00, "currency": "AED"}


async def test_a_retired_service_does_not_come_back_with_another_price(town):
    fee = {**LICENCE, "code": "fee"}
    for row in (fee, {**fee, "active": "no"}):
        assert not (await import_catalogue(town.deps, [], [row])).faults
    result = await import_catalogue(town.deps, [], [{**fee, "amount_minor": 1}])
    assert [fault.field for fault in result.faults] == ["amount_minor"]


async def test_the_database_lets_the_service_change_no_price(town):
    for column in ("currency = 'KWD'", "amount_minor = 1", "vat_basis_points = 0"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await town.deps.pool.execute(f"UPDATE gateway.service SET {column}")


async def test_what_was_exported_is_imported_again_and_changes_nothing(town):
    tables = await export_catalogue(town.deps)
    files = [read_csv(as_csv(*tables[name])) for name in ("departments", "services", "bundles")]
    assert not (await import_catalogue(town.deps, *files)).faults
    assert await export_catalogue(town.deps) == tables


async def test_a_service_is_charged_in_its_tariff_s_currency(town, owner):
    draft = Draft(
        "licence", date(2026, 1, 1), "Resolution 1", read_terms({"price": {"kind": "fixed", "amount_minor": 80_00}})
    )
    [made] = await propose_tariffs(town.deps, [draft], by="maryam", reason="the new schedule")
    await decide_tariffs(town.deps, [made.tariff.id], by="khalid", approve=True)
    await owner.execute("UPDATE gateway.service SET currency = 'KWD' WHERE code = 'licence'")
    town.deps.catalogue.forget()
    quote = await town.ask("POST", "/v1/quotes", {"lines": [{"service": "licence"}]})
    assert quote.body["amount"] == {"amount": 80_00, "currency": "AED"}
    assert (await town.ask("GET", "/v1/services/licence")).body["amount"] == {"amount": 80_00, "currency": "AED"}


@pytest.mark.parametrize("dry_run", [True, False])
async def test_a_service_a_bundle_holds_is_not_retired_alone(town, dry_run):
    retired = {**LICENCE, "active": "no"}
    result = await import_catalogue(town.deps, [], [SERVICES[1], retired], dry_run=dry_run)
    assert [(fault.table, fault.line, fault.field) for fault in result.faults] == [("services", 2, "active")]
    assert "bundle delivery holds licence" in result.faults[0].detail
    new = {**BUNDLES[0], "code": "new"}
    result = await import_catalogue(
        town.deps, [], [retired], [{**BUNDLES[0], "services": "fine"}, new], dry_run=dry_run
    )
    assert ["bundle new holds licence" in fault.detail for fault in result.faults] == [True]
    for freed in ({"services": "fine"}, {"active": "no"}):
        assert not (await import_catalogue(town.deps, [], [retired], [{**BUNDLES[0], **freed}], dry_run=True)).faults
