"""Tariffs as rows of a file: a column each for what most tariffs say, JSON for bands and concessions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from msgspec.structs import replace

from gateway.deps import Deps
from gateway.domain.errors import FieldFault, InvalidError, MalformedError
from gateway.domain.json_text import read_json
from gateway.domain.tariff import Tariff, Terms
from gateway.domain.tariff_terms import read_terms, terms_document
from gateway.services.catalogue.catalogue_rows import LineFault, Row, flag, read_cells, read_rows, word
from gateway.services.catalogue.change_tariffs import Draft, Proposing, draft_faults, propose_within
from gateway.store.connections import Connection
from gateway.store.tariffs import Proposal

_LEGAL_MAX: Final = 500
_DIGITS_MAX: Final = 18
_COUNTED: Final = ("amount_minor", "unit_minor", "minimum_minor", "maximum_minor", "basis_points")
_TERMS_COLUMNS: Final = ("currency", "vat_basis_points", "round_to_minor", "vat_included", "concessions")
_KIND_COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "fixed": ("amount_minor",),
    "per_unit": ("unit_minor", "unit_en", "unit_ar", "minimum_minor", "maximum_minor"),
    "tiers": ("measure", "whole", "bands"),
    "percentage": ("basis_points", "minimum_minor", "maximum_minor"),
    "open": ("minimum_minor", "maximum_minor"),
}
TARIFF_COLUMNS: Final = (
    "service", "effective_on", "legal_basis", "kind", "amount_minor", "unit_minor", "unit_en", "unit_ar",
    "minimum_minor", "maximum_minor", "basis_points", "measure", "whole", "bands", "currency", "vat_basis_points",
    "vat_included", "round_to_minor", "concessions",
)  # fmt: skip


def column_of(pointer: str) -> str:
    """Return the column of what is told by its place in a draft or its terms."""
    return pointer.removeprefix("/terms").removeprefix("/price").strip("/") or "kind"


@dataclass(frozen=True, slots=True)
class Proposed:
    """What was proposed, or would have been, and what stands in the way."""

    proposals: tuple[Proposal, ...]
    lines: int
    faults: tuple[LineFault, ...] = ()


async def propose_rows(deps: Deps, rows: Iterable[Row], *, by: str, reason: str, dry_run: bool = False) -> Proposed:
    """Propose every row's tariff, or nothing while one of them is faulty."""
    faults: list[LineFault] = []
    drafts = read_rows("tariffs", rows, read_draft, faults, key=None)
    async with deps.transaction() as connection:
        return await propose_numbered(
            deps, connection, Numbered(drafts, faults), Proposing(by, reason), dry_run=dry_run
        )


@dataclass(frozen=True, slots=True)
class Numbered:
    """Drafts with the lines they stand on, and what is wrong with the lines that are none."""

    drafts: Sequence[tuple[int, Draft]]
    faults: Sequence[LineFault] = ()
    named: Callable[[str], str] = column_of
    """How a place in a draft is called where it came from."""


async def propose_numbered(
    deps: Deps, connection: Connection, rows: Numbered, proposing: Proposing, *, dry_run: bool
) -> Proposed:
    """Propose drafts in the caller's transaction, unless something was or is wrong with one."""
    drafts = [draft for _, draft in rows.drafts]
    faults = [*rows.faults, *_twins(rows.drafts)]
    faults += [
        LineFault("tariffs", rows.drafts[one.number][0], rows.named(one.pointer), one.detail)
        for one in await draft_faults(deps, connection, drafts, own=proposing.own)
    ]
    faults.sort(key=lambda fault: fault.line)
    if faults or dry_run:
        return Proposed((), len(drafts), tuple(faults))
    return Proposed(tuple(await propose_within(deps, connection, drafts, proposing)), len(drafts))


def _twins(drafts: Iterable[tuple[int, Draft]]) -> list[LineFault]:
    faults = []
    seen: set[tuple[str, date]] = set()
    for line, draft in drafts:
        if (draft.service, draft.effective_on) in seen:
            faults.append(LineFault("tariffs", line, "effective_on", "two versions would begin on the same day"))
        seen.add((draft.service, draft.effective_on))
    return faults


def read_draft(row: Row) -> Draft:
    return Draft(
        **read_cells(
            row,
            TARIFF_COLUMNS,
            service=lambda row: word(row, "service"),
            effective_on=_day,
            legal_basis=lambda row: word(row, "legal_basis", length_max=_LEGAL_MAX),
            terms=_terms,
        )
    )


def _day(row: Row) -> date:
    try:
        return date.fromisoformat(word(row, "effective_on"))
    except ValueError:
        raise InvalidError("is not a day as in 2026-01-31", pointer="effective_on") from None


def _terms(row: Row) -> Terms:
    kind = word(row, "kind")
    if kind not in _KIND_COLUMNS:
        raise InvalidError(f"out of {', '.join(_KIND_COLUMNS)}", pointer="kind")
    columns = dict.fromkeys(column for columns in _KIND_COLUMNS.values() for column in columns)
    foreign = [column for column in columns if column not in _KIND_COLUMNS[kind] and row.get(column) not in (None, "")]
    faults = [FieldFault(column, "invalid", f"says nothing in a tariff that is {kind}") for column in foreign]
    document: dict[str, Any] = {"price": {"kind": kind}}
    for column in (*_KIND_COLUMNS[kind], *_TERMS_COLUMNS):
        if row.get(column) in (None, ""):
            continue
        try:
            (document if column in _TERMS_COLUMNS else document["price"])[column] = _cell(row, column)
        except InvalidError as error:
            faults += error.faults
    if faults:
        raise InvalidError(faults=faults)
    price = document["price"]
    if kind == "per_unit":
        price["unit"] = {"ar": price.pop("unit_ar", ""), "en": price.pop("unit_en", "")}
    try:
        return read_terms(document)
    except InvalidError as error:
        raise InvalidError(
            faults=[replace(fault, pointer=column_of(fault.pointer)) for fault in error.faults]
        ) from None


def _cell(row: Row, column: str) -> Any:
    """Return a cell's value: numbers, yes or no, and JSON are read; in a JSON file they are that already."""
    value = row[column]
    if column in ("whole", "vat_included"):
        return flag(row, column)
    if not isinstance(value, str):
        return value
    if column in ("bands", "concessions"):
        try:
            return read_json(value.encode())
        except (MalformedError, UnicodeEncodeError):
            raise InvalidError("is not JSON", pointer=column) from None
    if column in (*_COUNTED, "vat_basis_points", "round_to_minor"):
        if not (value.isascii() and value.isdigit() and len(value) <= _DIGITS_MAX):
            raise InvalidError("a whole number", pointer=column)
        return int(value)
    return value


def tariff_row(tariff: Tariff) -> dict[str, Any]:
    """Return a tariff as the row that would propose it again."""
    document = terms_document(tariff.terms)
    price = document.pop("price")
    unit = price.pop("unit", {"ar": "", "en": ""})
    row = {
        "service": tariff.service,
        "effective_on": tariff.effective_on.isoformat(),
        "legal_basis": tariff.legal_basis,
        **price,
        "unit_en": unit["en"],
        "unit_ar": unit["ar"],
        **document,
    }
    return {column: row.get(column, "") for column in TARIFF_COLUMNS}
