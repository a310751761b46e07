"""A department's system changes its catalogue by itself: its own services and bundles, all rows or none."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any, Final

from gateway.deps import Deps
from gateway.domain.caller import Caller
from gateway.domain.errors import FieldFault, InvalidError
from gateway.domain.idempotency import Claim, StoredAnswer
from gateway.domain.ids import Prefix
from gateway.domain.text import holds_card_number
from gateway.services.catalogue.catalogue_rows import CsvRow, LineFault, Row
from gateway.services.catalogue.import_catalogue import Imported, Tables, import_within
from gateway.services.documents import Document
from gateway.services.once import Made, once
from gateway.store import audits
from gateway.store.audits import Deed
from gateway.store.connections import Connection

Place = Callable[[LineFault], str]
"""Where in a request a line's fault stands, as a pointer."""

_FIELD: Final = re.compile(r"[A-Za-z0-9_./ -]{1,200}")


async def import_own(
    deps: Deps, caller: Caller, services: Iterable[Row], bundles: Iterable[Row], claim: Claim, *,
    dry_run: bool, place: Place,
) -> StoredAnswer:  # fmt: skip
    """Import, or say what that would do; faults are told by a dry run, and refuse everything in earnest."""
    department = caller.department
    tables = Tables(services=_of(department, services), bundles=_of(department, bundles))

    async def work(connection: Connection) -> Made:
        found = await import_within(deps, connection, tables, dry_run=dry_run, own=department)
        if not dry_run:
            refuse_faults(found.faults, place)
            await audits.record(connection, [_deed(deps, caller, found)])
        return department, _document(found, dry_run=dry_run)

    stored = await once(deps, claim, 200, work)
    deps.catalogue.forget()
    return stored


def refuse_faults(faults: Iterable[LineFault], place: Place) -> None:
    """Refuse a request for every line that is wrong."""
    refused = [FieldFault(place(fault), "invalid", fault.detail) for fault in map(shown, faults)]
    if refused:
        raise InvalidError("lines are wrong, and nothing was changed; a dry run tells the same", faults=refused)


def shown(fault: LineFault) -> LineFault:
    """Return a fault as it may be answered and kept: what was misspelt may have been somebody's card."""
    field = fault.field if _FIELD.fullmatch(fault.field) and not holds_card_number(fault.field) else "a column"
    detail = "is not valid" if holds_card_number(fault.detail) else fault.detail
    return LineFault(fault.table, fault.line, field, detail)


def fault_documents(faults: Iterable[LineFault]) -> list[Document]:
    return [
        {"table": fault.table, "line": fault.line, "field": fault.field, "detail": fault.detail}
        for fault in map(shown, faults)
    ]


def _of(department: str, rows: Iterable[Row]) -> list[Row]:
    """Return rows that name their department: the caller's own, where they do not."""
    return [row if row.get("department") not in (None, "") else _named(row, department) for row in rows]


def _named(row: Row, department: str) -> Row:
    cells: dict[str, Any] = {**row, "department": department}
    return CsvRow(cells, row.line) if isinstance(row, CsvRow) else cells


def _document(found: Imported, *, dry_run: bool) -> Document:
    return {
        "object": "catalogue_import",
        "dry_run": dry_run,
        "services": found.services,
        "bundles": found.bundles,
        "faults": fault_documents(found.faults),
        "notes": fault_documents(found.notes),
    }


def _deed(deps: Deps, caller: Caller, found: Imported) -> Deed:
    counted = {"services": found.services, "bundles": found.bundles}
    return Deed(
        deps.mint(Prefix.AUDIT), deps.clock(), caller.id, "catalogue_imported", caller.department, after=counted
    )
