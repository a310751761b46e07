"""The demo city's fee schedule and bundles: every kind there is, and imported in seconds."""

from __future__ import annotations

from collections import Counter
from datetime import date
from time import perf_counter
from types import SimpleNamespace

from gateway.deps import build_deps
from gateway.services.catalogue.import_catalogue import import_catalogue
from gateway.services.catalogue.tariff_rows import read_draft
from ops.demo import catalogue
from ops.demo.city import _enact
from ops.demo.offers import bundle_rows, service_rows
from ops.demo.tariffs import tariff_rows


def test_every_service_has_a_tariff_and_every_kind_is_there():
    drafts = [read_draft(row) for row in tariff_rows(2026)]
    first = [draft for draft in drafts if draft.effective_on == date(2025, 1, 1)]
    assert {draft.service for draft in first} == {service.code for service in catalogue.services()}
    kinds = Counter(type(draft.terms.price).__name__ for draft in drafts)
    assert set(kinds) == {"Fixed", "PerUnit", "Tiers", "Percentage", "Open"}
    assert {draft.terms.vat_included for draft in drafts} == {True, False}
    assert any(draft.terms.concessions for draft in drafts)
    assert [draft.effective_on for draft in drafts if draft not in first] == [date(2027, 1, 1)] * 3


def test_a_restaurant_is_five_services_of_four_departments():
    restaurant = bundle_rows()[0]["services"]
    assert len(restaurant) == 5
    assert len({code.rpartition("-")[0] for code in restaurant}) == 4


async def test_the_whole_city_is_imported_and_priced_in_seconds(pool, clock, random_bytes):
    deps = build_deps(
        pool=pool, clock=clock, random_bytes=random_bytes, providers={}, routing={}, public_url="",
        link_secrets=(b"x",), webhook_session=None,
    )  # fmt: skip
    departments = [
        {"code": each.code, "name_en": each.name_en, "name_ar": each.name_ar} for each in catalogue.departments()
    ]
    begun = perf_counter()
    imported = await import_catalogue(deps, departments, service_rows(), bundle_rows())
    assert (imported.departments, imported.services, imported.bundles, imported.faults) == (40, 2_000, 3, ())
    await _enact(SimpleNamespace(gateway=deps, clock=clock))
    took = perf_counter() - begun
    assert took < 60, took
    read = await deps.catalogue.get()
    assert len(read.tariffs) == 2_000
    deps.catalogue.forget()
    begun = perf_counter()
    await deps.catalogue.get()
    assert perf_counter() - begun < 10
