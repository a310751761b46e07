"""The catalogue as files that would import it again: CSV for spreadsheets, JSON for programs."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from gateway.deps import Deps
from gateway.domain.department import Bundle, Department, Service
from gateway.domain.tariff_terms import terms_document
from gateway.services.catalogue.catalogue_rows import BUNDLE_COLUMNS, DEPARTMENT_COLUMNS, PARTED, SERVICE_COLUMNS, Row
from gateway.services.catalogue.tariff_rows import TARIFF_COLUMNS, tariff_row
from gateway.services.documents import Document
from gateway.store import tariffs
from ledger.money import Money

Table = tuple[tuple[str, ...], list[dict[str, Any]]]

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


async def export_catalogue(deps: Deps, own: str | None = None) -> Mapping[str, Table]:
    """Return every table by name: its columns and its rows, as an import reads them; with `own`, one department's."""
    catalogue = await deps.catalogue.get()
    async with deps.connection() as connection:
        approved = await tariffs.approved(connection, own)
    departments = [one for one in catalogue.departments.values() if own in (None, one.code)]
    services = [one for one in catalogue.services.values() if own in (None, one.department)]
    bundles = [one for one in catalogue.bundles.values() if own in (None, one.department)]
    return {
        "departments": (DEPARTMENT_COLUMNS, [_department_row(one) for one in departments]),
        "services": (SERVICE_COLUMNS, [_service_row(one) for one in services]),
        "bundles": (BUNDLE_COLUMNS, [_bundle_row(one) for one in bundles]),
        "tariffs": (TARIFF_COLUMNS, [tariff_row(one.tariff) for one in approved]),
    }


async def export_own(deps: Deps, department: str) -> Document:
    """Return a department's catalogue as one document, whose parts are what an import and a proposal take."""
    catalogue = await deps.catalogue.get()
    async with deps.connection() as connection:
        approved = await tariffs.approved(connection, department)
    return {
        "object": "catalogue",
        "department": department,
        "services": [_service_object(one) for one in catalogue.services.values() if one.department == department],
        "bundles": [_bundle_object(one) for one in catalogue.bundles.values() if one.department == department],
        "tariffs": [
            {
                "service": one.tariff.service,
                "effective_on": one.tariff.effective_on.isoformat(),
                "legal_basis": one.tariff.legal_basis,
                "terms": terms_document(one.tariff.terms),
            }
            for one in approved
        ],
    }


def as_json(rows: Sequence[Row]) -> bytes:
    """Write rows as JSON; lists stay lists."""
    return msgspec.json.format(msgspec.json.encode(rows), indent=1) + b"\n"


def as_csv(columns: Sequence[str], rows: Sequence[Row]) -> str:
    """Write rows as CSV; a text that a spreadsheet would run as a formula gets a quote in front of it."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow([_cell(row[column]) for column in columns])
    return out.getvalue()


def _cell(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (list, tuple)):
        if all(isinstance(each, str) for each in value):
            return " ".join(value)
        return msgspec.json.encode(value).decode()
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text


def _department_row(one: Department) -> dict[str, Any]:
    return {
        "code": one.code,
        "name_en": one.names.en,
        "name_ar": one.names.ar,
        "return_origins": list(one.return_origins),
        "vat_registration": one.vat_registration,
        "fee_bearer": one.fee_bearer.value,
        "reminder_minutes": one.reminder_minutes,
        "refund_limits": " ".join(
            f"{currency} {Money(minor, currency).decimal()}" for currency, minor in sorted(one.refund_limits.items())
        ),
    }


def _service_row(one: Service) -> dict[str, Any]:
    return {
        "code": one.code,
        "department": one.department,
        "name_en": one.names.en,
        "name_ar": one.names.ar,
        "revenue_code": one.revenue_code,
        "currency": one.currency,
        "amount_minor": one.amount_minor,
        "vat_basis_points": one.vat_basis_points,
        "active": one.active,
        "description_en": one.descriptions.en,
        "description_ar": one.descriptions.ar,
        "audience": [each.value for each in one.audience],
        "channels": [each.value for each in one.channels],
        "documents_en": PARTED.join(each.en for each in one.documents),
        "documents_ar": PARTED.join(each.ar for each in one.documents),
        "depends_on": list(one.depends_on),
    }


def _service_object(one: Service) -> Document:
    row = _service_row(one)
    for column in ("documents_en", "documents_ar"):
        row.pop(column)
    return {**row, "documents": [{"ar": each.ar, "en": each.en} for each in one.documents]}


def _bundle_object(one: Bundle) -> Document:
    return {
        **_bundle_row(one),
        "services": [{"service": each.service, "quantity": each.quantity} for each in one.items],
    }


def _bundle_row(one: Bundle) -> dict[str, Any]:
    return {
        "code": one.code,
        "department": one.department,
        "name_en": one.names.en,
        "name_ar": one.names.ar,
        "description_en": one.descriptions.en,
        "description_ar": one.descriptions.ar,
        "services": [f"{each.service}*{each.quantity}" if each.quantity > 1 else each.service for each in one.items],
        "active": one.active,
    }
