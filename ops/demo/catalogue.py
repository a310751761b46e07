"""The demo city's catalogue: 40 departments and 2,000 services, the same on every machine and every day."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

DATA: Final = Path(__file__).with_name("catalogue.txt")
CURRENCY: Final = "AED"
VAT_BASIS_POINTS: Final = 500
FEE_MINOR_MIN: Final = 25_00
FEE_MINOR_MAX: Final = 5_000_00
_FEE_STEP_MINOR: Final = 5_00  # a counter gives no change below five dirhams


class Audience(StrEnum):
    """Whom a service is for."""

    CITIZENS = "citizens"
    RESIDENTS = "residents"
    BUSINESS = "business"
    VISITORS = "visitors"


class FeeBearer(StrEnum):
    """Who pays the provider's fee in this city: no department passes it on to the payer."""

    TREASURY = "treasury"
    DEPARTMENT = "department"


@dataclass(frozen=True, slots=True)
class DemoDepartment:
    code: str
    name_en: str
    name_ar: str
    legal_name: str
    iban: str
    vat_registered: bool
    fee_bearer: FeeBearer


@dataclass(frozen=True, slots=True)
class DemoService:
    """One thing a department charges for; without an amount, the department names it on each payment."""

    code: str
    department: str
    name_en: str
    name_ar: str
    revenue_code: str
    audience: Audience
    amount_minor: int | None
    vat_basis_points: int

    @property
    def vat_minor(self) -> int | None:
        """The VAT included in the amount, rounded half up; None while the amount is open."""
        if self.amount_minor is None:
            return None
        gross = 10_000 + self.vat_basis_points
        return (2 * self.amount_minor * self.vat_basis_points + gross) // (2 * gross)


@dataclass(frozen=True, slots=True)
class _Object:
    """What a citizen holds in the end: a licence, a card, a contract."""

    name_en: str
    name_ar: str
    audience: Audience
    fee_minor: int
    assessed: bool


@dataclass(frozen=True, slots=True)
class _Action:
    """What is done with an object. `{}` is the object; in Arabic the preposition joins its first word."""

    name_en: str
    name_ar: str
    percent_of_fee: int
    assessed: bool = False
    taxable: bool = False


# A licence itself is a sovereign act outside VAT. A copy, or speed, is a convenience somebody else could sell.
_ACTIONS: Final = (
    _Action("Issue {}", "إصدار {}", 100, assessed=True),
    _Action("Renew {}", "تجديد {}", 80, assessed=True),
    _Action("Amend {}", "تعديل {}", 40),
    _Action("Cancel {}", "إلغاء {}", 20),
    _Action("Replace lost {}", "إصدار بدل فاقد ل{}", 30),
    _Action("Certified copy of {}", "نسخة مصدقة من {}", 25, taxable=True),
    _Action("Urgent issue of {}", "إصدار عاجل ل{}", 150, assessed=True, taxable=True),
)


def departments() -> list[DemoDepartment]:
    """Return the departments, in the order of the file."""
    return [department for department, _ in _blocks()]


def services() -> list[DemoService]:
    """Return every department's services: each action on each of its objects, then its general service fee."""
    return [
        service
        for number, (department, objects) in enumerate(_blocks(), 1)
        for service in _services_of(number, department, objects)
    ]


def _services_of(number: int, department: DemoDepartment, objects: list[_Object]) -> Iterator[DemoService]:
    """Name and price one department's services. Revenue code: 4 for income, department, object, action, 0."""
    place = 0
    for object_number, thing in enumerate(objects, 1):
        for action_number, action in enumerate(_ACTIONS, 1):
            place += 1
            is_open = thing.assessed and action.assessed
            yield DemoService(
                code=f"{department.code}-{place:03}",
                department=department.code,
                name_en=action.name_en.format(thing.name_en),
                name_ar=action.name_ar.format(thing.name_ar),
                revenue_code=f"4{number:02}{object_number}{action_number}0",
                audience=thing.audience,
                amount_minor=None if is_open else _fee_minor(thing.fee_minor, action.percent_of_fee),
                vat_basis_points=VAT_BASIS_POINTS if department.vat_registered and action.taxable else 0,
            )
    yield DemoService(
        code=f"{department.code}-{place + 1:03}",
        department=department.code,
        name_en=f"{department.name_en} service fee",
        name_ar=f"رسوم خدمات {department.name_ar}",
        revenue_code=f"4{number:02}000",
        audience=Audience.RESIDENTS,
        amount_minor=None,
        vat_basis_points=VAT_BASIS_POINTS if department.vat_registered else 0,
    )


def _fee_minor(fee_minor: int, percent: int) -> int:
    """Price an action: its share of the object's fee, to the nearest five dirhams, within the city's limits."""
    steps = (2 * fee_minor * percent + 100 * _FEE_STEP_MINOR) // (200 * _FEE_STEP_MINOR)
    return min(max(steps * _FEE_STEP_MINOR, FEE_MINOR_MIN), FEE_MINOR_MAX)


def _blocks() -> Iterator[tuple[DemoDepartment, list[_Object]]]:
    """Read the file: comments first, then blocks parted by blank lines."""
    for block in DATA.read_text(encoding="utf-8").strip().split("\n\n"):
        head, *objects = [line for line in block.splitlines() if not line.startswith("#")] or [""]
        if head:
            yield _department(head), [_object(line) for line in objects]


def _department(line: str) -> DemoDepartment:
    code, iban, vat_registered, fee_bearer, legal_name, name_en, name_ar = _columns(line)
    return DemoDepartment(
        code=code,
        name_en=name_en,
        name_ar=name_ar,
        legal_name=legal_name,
        iban=iban,
        vat_registered={"yes": True, "no": False}[vat_registered],
        fee_bearer=FeeBearer(fee_bearer),
    )


def _object(line: str) -> _Object:
    fee, audience, name_en, name_ar = _columns(line)
    return _Object(
        name_en=name_en,
        name_ar=name_ar,
        audience=Audience(audience),
        fee_minor=int(fee.removesuffix("~")) * 100,
        assessed=fee.endswith("~"),
    )


def _columns(line: str) -> list[str]:
    return [column.strip() for column in line.split("|")]
