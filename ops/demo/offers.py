"""What the demo city says about its services beside their price, and the bundles it offers."""

from __future__ import annotations

from typing import Any, Final

from ops.demo.catalogue import CURRENCY, Audience, DemoService, services

_ACTIONS: Final = 7
_ISSUE, _COPY = 1, 6
_IDENTITY: Final = {"en": "Emirates ID", "ar": "الهوية الإماراتية"}
_PASSPORT: Final = {"en": "Passport and entry permit", "ar": "جواز السفر وإذن الدخول"}
_COMPANY: Final = {"en": "Memorandum of association", "ar": "عقد التأسيس"}
_PHOTO: Final = {"en": "Photograph on a white background", "ar": "صورة شخصية بخلفية بيضاء"}

_BUNDLES: Final = (
    (
        "start-a-restaurant", "economy", "Start a restaurant", "افتح مطعمًا",
        "Everything a restaurant needs before its first guest, from four departments in one payment.",
        "كل ما يحتاجه المطعم قبل استقبال أول ضيف، من أربع جهات وبدفعة واحدة.",
        (
            "Issue trade licence", "Issue trade name certificate", "Issue outdoor seating permit",
            "Issue food safety certificate", "Issue fire safety certificate",
        ),
    ),
    (
        "cook-at-home", "food-safety", "Cook at home for others", "اطبخ في منزلك للآخرين",
        "A kitchen at home that may sell what it cooks.", "مطبخ منزلي يُسمح له ببيع ما يطبخه.",
        ("Issue home kitchen permit", "Issue food handler card", "Issue home business licence"),
    ),
    (
        "event-in-the-park", "parks", "Hold an event in a park", "أقم فعالية في حديقة",
        "The park, its security and the ticket sales.", "الحديقة وتأمينها وبيع التذاكر.",
        ("Issue park event permit", "Issue event security permit", "Issue event ticket sales permit"),
    ),
)  # fmt: skip


def action_of(service: DemoService) -> int:
    """Return which action a service is, 1 to 7, or 0 for its department's general service fee."""
    place = int(service.code.rpartition("-")[2])
    return 0 if place > _ACTIONS * _ACTIONS else (place - 1) % _ACTIONS + 1


def service_rows() -> list[dict[str, Any]]:
    """Return every service as the catalogue's import reads it."""
    return [_service_row(service) for service in services()]


def bundle_rows() -> list[dict[str, Any]]:
    codes = {service.name_en: service.code for service in services()}
    return [
        {
            "code": code,
            "department": department,
            "name_en": name_en,
            "name_ar": name_ar,
            "description_en": description_en,
            "description_ar": description_ar,
            "services": [codes[name] for name in names],
        }
        for code, department, name_en, name_ar, description_en, description_ar, names in _BUNDLES
    ]


def _service_row(service: DemoService) -> dict[str, Any]:
    action = action_of(service)
    return {
        "code": service.code,
        "department": service.department,
        "name_en": service.name_en,
        "name_ar": service.name_ar,
        "revenue_code": service.revenue_code,
        "currency": CURRENCY,
        "amount_minor": service.amount_minor,
        "vat_basis_points": service.vat_basis_points,
        "description_en": f"{service.name_en}, online or at any service centre.",
        "description_ar": f"{service.name_ar}، عبر الإنترنت أو في أي مركز خدمة.",
        "audience": _audience(service.audience),
        "channels": ["web", "app", "kiosk", "counter"] if action == _COPY else ["web", "app", "counter"],
        "documents": _documents(service.audience, first=action == _ISSUE),
        # What is renewed, amended, cancelled, replaced or copied was issued once.
        "depends_on": [_issue_of(service)] if 1 < action < _ACTIONS else [],
    }


def _audience(audience: Audience) -> list[str]:
    """Name everybody it is for: what residents may have, citizens may."""
    return ["citizens", "residents"] if audience is Audience.RESIDENTS else [audience.value]


def _documents(audience: Audience, *, first: bool) -> list[dict[str, str]]:
    proof = _PASSPORT if audience is Audience.VISITORS else _IDENTITY
    if not first:
        return [proof]
    return [proof, _COMPANY if audience is Audience.BUSINESS else _PHOTO]


def _issue_of(service: DemoService) -> str:
    department, _, place = service.code.rpartition("-")
    return f"{department}-{(int(place) - 1) // _ACTIONS * _ACTIONS + 1:03}"
