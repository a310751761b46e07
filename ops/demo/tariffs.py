"""The demo city's fee schedule: a tariff of some kind for each of its services, and next year's for some."""

from __future__ import annotations

from datetime import date
from typing import Any, Final

from ops.demo.catalogue import Audience, DemoService, services
from ops.demo.offers import action_of

_FIRST_YEAR: Final = 2025
_RENEW, _COPY, _URGENT = 2, 6, 7
_RAISED: Final = ("Renew trade licence", "Issue driving licence", "Issue food safety certificate")

_SENIOR: Final = {
    "code": "senior",
    "names": {"en": "Senior citizens, half price", "ar": "كبار المواطنين بنصف الرسم"},
    "when": {"senior": True},
    "basis_points": 5_000,
    "legal_basis": "City Fees Law 2 of 2024, article 12",
    "approver": "The Executive Council",
}
_DETERMINATION: Final = {
    "code": "determination",
    "names": {"en": "People of determination, exempt", "ar": "أصحاب الهمم معفون"},
    "when": {"person_of_determination": True},
    "legal_basis": "City Fees Law 2 of 2024, article 14",
    "approver": "The Executive Council",
}


def tariff_rows(year: int) -> list[dict[str, Any]]:
    """Return this city's schedule, in force since 2025, and what will change when the year after `year` begins."""
    rows = [_row(service, date(_FIRST_YEAR, 1, 1), _price(service)) for service in services()]
    return rows + [
        _row(service, date(year + 1, 1, 1), {"kind": "fixed", "amount_minor": (service.amount_minor or 0) + 50_00})
        for service in services()
        if service.name_en in _RAISED
    ]


def _row(service: DemoService, effective_on: date, price: dict[str, Any]) -> dict[str, Any]:
    return {
        "service": service.code,
        "effective_on": effective_on.isoformat(),
        "legal_basis": f"City Fee Schedule {effective_on.year}, code {service.revenue_code}",
        "vat_basis_points": service.vat_basis_points,
        "concessions": _concessions(service),
        **price,
    }


def _price(service: DemoService) -> dict[str, Any]:
    """Choose the kind by what is done: a copy is priced by number, a lease by its rent, the rest as it stands."""
    action, fee = action_of(service), service.amount_minor
    if fee is None:
        return _assessed(action)
    if action == _COPY:
        if fee % 10_00:
            return {"kind": "per_unit", "unit_minor": fee, "unit_en": "copy", "unit_ar": "نسخة"}
        return {"kind": "tiers", "bands": [{"up_to": 5, "unit_minor": fee}, {"unit_minor": fee * 4 // 5}]}
    if action == _URGENT and service.vat_basis_points:
        return {"kind": "fixed", "amount_minor": fee, "vat_included": False}
    return {"kind": "fixed", "amount_minor": fee}


def _assessed(action: int) -> dict[str, Any]:
    if action == 1:
        return {"kind": "percentage", "basis_points": 250, "minimum_minor": 100_00, "maximum_minor": 20_000_00}
    if action == _RENEW:
        bands = [{"up_to": 100_000_00, "basis_points": 200}, {"up_to": 1_000_000_00, "basis_points": 100}, {}]
        return {"kind": "tiers", "measure": "base_amount", "bands": bands, "round_to_minor": 100}
    return {"kind": "open", "minimum_minor": 10_00, "maximum_minor": 50_000_00}


def _concessions(service: DemoService) -> list[dict[str, Any]]:
    personal = service.audience in (Audience.CITIZENS, Audience.RESIDENTS)
    return [_SENIOR, _DETERMINATION] if personal and action_of(service) == _RENEW else []
