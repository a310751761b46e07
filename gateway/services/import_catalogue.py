"""Departments and services from a file: every bad line is reported, and nothing is imported while there is one."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import msgspec

from gateway.deps import Deps
from gateway.domain.department import Department, FeeBearer, Names, Service, origin_of
from gateway.domain.errors import InvalidError
from gateway.domain.text import check_text
from gateway.store import catalogue
from ledger.errors import MoneyError
from ledger.money import exponent_of

_CODE: Final = re.compile(r"[a-z0-9][a-z0-9_.-]{0,62}")
_DEPARTMENT_CODE: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
_NAME_MAX: Final = 200
_AMOUNT_MINOR_MAX: Final = 10**12
_RATE_MAX: Final = 10_000
_REMINDER_MINUTES: Final = (5, 43_200)
_TRUE: Final = {"", "true", "yes", "1"}

Row = TypeVar("Row", Department, Service)


@dataclass(frozen=True, slots=True)
class LineFault:
    """What is wrong with one line of a file; line 1 is the first after the heading."""

    table: str
    line: int
    field: str
    detail: str


@dataclass(frozen=True, slots=True)
class Imported:
    """What was imported, or would have been, and what stands in the way."""

    departments: int
    services: int
    faults: tuple[LineFault, ...] = ()


def read_csv(text: str) -> list[dict[str, Any]]:
    return [dict(row) for row in csv.DictReader(io.StringIO(text))]


def read_json(body: bytes) -> list[dict[str, Any]]:
    return msgspec.json.decode(body, type=list[dict[str, Any]])


async def import_catalogue(
    deps: Deps,
    departments: Iterable[Mapping[str, Any]],
    services: Iterable[Mapping[str, Any]],
    *,
    dry_run: bool = False,
) -> Imported:
    """Import departments and services, in one transaction. What the file does not name stays as it is."""
    faults: list[LineFault] = []
    new_departments = _read("departments", departments, read_department, faults)
    new_services = _read("services", services, read_service, faults)
    known = {department.code for department in new_departments} | set((await deps.catalogue.get()).departments)
    faults += [
        LineFault("services", number, "department", f"there is no department {service.department}")
        for number, service in enumerate(new_services, 1)
        if service.department not in known
    ]
    result = Imported(len(new_departments), len(new_services), tuple(faults))
    if faults or dry_run:
        return result
    now = deps.clock()
    async with deps.transaction() as connection:
        await catalogue.save_departments(connection, new_departments, now)
        await catalogue.save_services(connection, new_services, now)
    deps.catalogue.forget()
    return result


def read_department(row: Mapping[str, Any]) -> Department:
    code = _word(row, "code")
    if not _DEPARTMENT_CODE.fullmatch(code):
        raise InvalidError("small letters, digits, - and _", pointer="code")
    origins = row.get("return_origins") or ()
    listed: Sequence[str] = origins.split() if isinstance(origins, str) else list(origins)
    try:
        return_origins = tuple(origin_of(origin) for origin in listed)
        bearer = FeeBearer(row.get("fee_bearer") or FeeBearer.TREASURY)
    except InvalidError as error:
        raise InvalidError(error.detail, pointer="return_origins") from None
    except ValueError:
        raise InvalidError("treasury, department or payer", pointer="fee_bearer") from None
    return Department(
        code=code,
        names=_names(row),
        return_origins=return_origins,
        vat_registration=row.get("vat_registration") or None,
        fee_bearer=bearer,
        reminder_minutes=_optional_number(row, "reminder_minutes", *_REMINDER_MINUTES),
    )


def read_service(row: Mapping[str, Any]) -> Service:
    code = _word(row, "code")
    if not _CODE.fullmatch(code):
        raise InvalidError("small letters, digits, - . and _", pointer="code")
    currency = str(row.get("currency") or "AED")
    try:
        exponent_of(currency)
    except MoneyError as error:
        raise InvalidError(str(error), pointer="currency") from None
    amount = row.get("amount_minor")
    return Service(
        code=code,
        department=_word(row, "department"),
        names=_names(row),
        revenue_code=_word(row, "revenue_code"),
        currency=currency,
        amount_minor=None if amount in (None, "") else _number(row, "amount_minor", 1, _AMOUNT_MINOR_MAX),
        vat_basis_points=_number(row, "vat_basis_points", 0, _RATE_MAX, default=0),
        active=str(row.get("active", "")).lower() in _TRUE,
    )


def _read(
    table: str, rows: Iterable[Mapping[str, Any]], read: Callable[[Mapping[str, Any]], Row], faults: list[LineFault]
) -> list[Row]:
    found: list[Row] = []
    seen: set[str] = set()
    for number, row in enumerate(rows, 1):
        try:
            found.append(read(row))
        except InvalidError as error:
            faults += [LineFault(table, number, fault.pointer, fault.detail) for fault in error.faults]
            continue
        code = str(row["code"])
        if code in seen:
            faults.append(LineFault(table, number, "code", f"{code} stands in the file twice"))
        seen.add(code)
    return found


def _names(row: Mapping[str, Any]) -> Names:
    return Names(_word(row, "name_ar"), _word(row, "name_en"))


def _word(row: Mapping[str, Any], field: str) -> str:
    value = row.get(field)
    if not isinstance(value, str):
        raise InvalidError("is missing", pointer=field)
    return check_text(value, length_max=_NAME_MAX, pointer=field)


def _optional_number(row: Mapping[str, Any], field: str, least: int, most: int) -> int | None:
    return None if row.get(field) in (None, "") else _number(row, field, least, most)


def _number(row: Mapping[str, Any], field: str, least: int, most: int, *, default: int | None = None) -> int:
    value = row.get(field)
    if value in (None, "") and default is not None:
        return default
    if isinstance(value, str) and value.isascii() and value.isdigit():
        value = int(value)
    if type(value) is not int or not least <= value <= most:
        raise InvalidError(f"a whole number from {least} to {most}", pointer=field)
    return value
