"""The catalogue's import: everything or nothing, every bad line named, a real city in seconds."""

from __future__ import annotations

from time import perf_counter

import pytest

from gateway.services.catalogue.import_catalogue import import_catalogue, read_csv, read_json
from ops.demo import catalogue as city

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
    assert perf_counter() - begun < 10
