"""Reading the catalogue's rows, as they come out of a CSV or a JSON file; a fault names its field."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, TypeVar

import msgspec

from gateway.domain.department import (
    Audience,
    Bundle,
    BundleItem,
    Channel,
    Department,
    FeeBearer,
    Names,
    Service,
    origin_of,
)
from gateway.domain.errors import FieldFault, InvalidError
from gateway.domain.tariff import AMOUNT_MINOR_MAX
from gateway.domain.tariff_terms import QUANTITY_MAX
from gateway.domain.text import check_text
from ledger.errors import MoneyError
from ledger.money import Money, exponent_of

Row = Mapping[str, Any]
Read = TypeVar("Read")
Word = TypeVar("Word", bound=StrEnum)

_REMINDER_MINUTES: Final = (5, 43_200)
DEPARTMENT_COLUMNS: Final = (
    "code", "name_en", "name_ar", "return_origins", "vat_registration", "fee_bearer", "reminder_minutes",
    "refund_limits",
)  # fmt: skip
SERVICE_COLUMNS: Final = (
    "code", "department", "name_en", "name_ar", "revenue_code", "currency", "amount_minor", "vat_basis_points",
    "active", "description_en", "description_ar", "audience", "channels", "documents_en", "documents_ar", "depends_on",
)  # fmt: skip
BUNDLE_COLUMNS: Final = (
    "code", "department", "name_en", "name_ar", "description_en", "description_ar", "services", "active",
)  # fmt: skip
PARTED: Final = " | "
"""Between the texts of one cell, where a column holds several."""

_CODE: Final = re.compile(r"[a-z0-9][a-z0-9_.-]{0,62}")
_DEPARTMENT_CODE: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
_NAME_MAX: Final = 200
_DESCRIPTION_MAX: Final = 2_000
_DOCUMENTS_MAX: Final = 30
_DIGITS_MAX: Final = 18
_ITEMS_MAX: Final = 50
_RATE_MAX: Final = 10_000
_UNKNOWN: Final = "is not a column of this table"
_TRUE: Final = frozenset({"", "true", "yes", "1"})
_FALSE: Final = frozenset({"false", "no", "0"})


@dataclass(frozen=True, slots=True)
class LineFault:
    """What is wrong with one line of a file, counted as an editor does; in JSON, with the row of that number."""

    table: str
    line: int
    field: str
    detail: str


class CsvRow(dict[str, Any]):
    """A row of a CSV file that knows the line it begins on."""

    def __init__(self, cells: Row, line: int) -> None:
        super().__init__(cells)
        self.line = line


def read_csv(text: str) -> list[dict[str, Any]]:
    """Read a CSV file by its heading; a mark of the byte order that spreadsheets write is passed over."""
    reader = csv.DictReader(io.StringIO(text.removeprefix("\ufeff")))
    return [CsvRow(row, reader.line_num - _breaks(row)) for row in reader]


def _breaks(row: Row) -> int:
    """Count the lines a row's cells are broken into, beyond the first."""
    cells = [cell for value in row.values() for cell in (value if isinstance(value, list) else [value or ""])]
    return sum(cell.count("\n") for cell in cells)


def line_of(row: Row, number: int) -> int:
    """Return the line a row begins on in its file, the heading counted, or its number where there are no lines."""
    return row.line if isinstance(row, CsvRow) else number


def read_json(body: bytes) -> list[dict[str, Any]]:
    return msgspec.json.decode(body, type=list[dict[str, Any]])


def read_rows(
    table: str, rows: Iterable[Row], read: Callable[[Row], Read], faults: list[LineFault], *, key: str | None = "code"
) -> list[tuple[int, Read]]:
    """Read rows with their line numbers, and add to `faults` what is wrong with the others."""
    found: list[tuple[int, Read]] = []
    seen: set[str] = set()
    for place, row in enumerate(rows, 1):
        number = line_of(row, place)
        try:
            found.append((number, read(row)))
        except InvalidError as error:
            faults += [LineFault(table, number, fault.pointer.lstrip("/"), fault.detail) for fault in error.faults]
            continue
        if key is None:
            continue
        code = str(row[key])
        if code in seen:
            faults.append(LineFault(table, number, key, f"{code} stands in the file twice"))
        seen.add(code)
    return found


def read_department(row: Row) -> Department:
    return Department(
        **read_cells(
            row,
            DEPARTMENT_COLUMNS,
            code=_department_code,
            names=_names,
            return_origins=_origins,
            vat_registration=lambda row: row.get("vat_registration") or None,
            fee_bearer=_bearer,
            reminder_minutes=lambda row: _whole_or_none(row, "reminder_minutes", *_REMINDER_MINUTES),
            refund_limits=_limits,
        )
    )


def read_service(row: Row) -> Service:
    return Service(
        **read_cells(
            row,
            (*SERVICE_COLUMNS, "documents"),
            code=_code,
            department=lambda row: word(row, "department"),
            names=_names,
            revenue_code=lambda row: word(row, "revenue_code"),
            currency=_currency,
            amount_minor=lambda row: _whole_or_none(row, "amount_minor", 1, AMOUNT_MINOR_MAX),
            vat_basis_points=lambda row: whole(row, "vat_basis_points", 0, _RATE_MAX, default=0),
            active=lambda row: flag(row, "active"),
            descriptions=_descriptions,
            audience=lambda row: _chosen(row, "audience", Audience),
            channels=lambda row: _chosen(row, "channels", Channel),
            documents=_documents,
            depends_on=lambda row: tuple(
                word({"depends_on": code}, "depends_on") for code in _words(row, "depends_on")
            ),
        )
    )


def read_bundle(row: Row) -> Bundle:
    return Bundle(
        **read_cells(
            row,
            BUNDLE_COLUMNS,
            code=_code,
            department=lambda row: word(row, "department"),
            names=_names,
            items=_items,
            descriptions=_descriptions,
            active=lambda row: flag(row, "active"),
        )
    )


def read_cells(row: Row, known: Sequence[str], **readers: Callable[[Row], Any]) -> dict[str, Any]:
    """Read a row's cells by their readers; all that is wrong with the row is told at once.

    A column that is not known is a fault too: a misspelt one, a cell too many, would be passed over in silence.
    """
    faults = [
        FieldFault(str(column)[:_NAME_MAX] if column is not None else "a cell beyond the heading", "invalid", _UNKNOWN)
        for column in row
        if column not in known
    ]
    values: dict[str, Any] = {}
    for name, read in readers.items():
        try:
            values[name] = read(row)
        except InvalidError as error:
            faults += error.faults
    if faults:
        raise InvalidError(faults=faults)
    return values


def word(row: Row, field: str, *, length_max: int = _NAME_MAX) -> str:
    value = row.get(field)
    if not isinstance(value, str):
        raise InvalidError("is missing", pointer=field)
    return check_text(value, length_max=length_max, pointer=field)


def whole(row: Row, field: str, least: int, most: int, *, default: int | None = None) -> int:
    """Return a whole number; an empty cell is the default, where there is one."""
    value = row.get(field)
    if value in (None, "") and default is not None:
        return default
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= _DIGITS_MAX:
        value = int(value)
    if type(value) is not int or not least <= value <= most:
        raise InvalidError(f"a whole number from {least} to {most}", pointer=field)
    return value


def _limits(row: Row) -> dict[str, int]:
    """Read what one person may give back, as in `AED 500.00 KWD 40.000`."""
    words = str(row.get("refund_limits") or "").split()
    try:
        amounts = [Money.parse(text, code) for code, text in zip(words[::2], words[1::2], strict=True)]
    except (MoneyError, ValueError):
        raise InvalidError("currencies and amounts, as in AED 500.00 KWD 40.000", pointer="refund_limits") from None
    limits = {amount.currency: amount.amount_minor for amount in amounts}
    if any(minor < 0 for minor in limits.values()) or len(limits) != len(amounts):
        raise InvalidError("each currency once, with no amount below zero", pointer="refund_limits")
    return limits


def _whole_or_none(row: Row, field: str, least: int, most: int) -> int | None:
    return None if row.get(field) in (None, "") else whole(row, field, least, most)


def flag(row: Row, field: str) -> bool:
    """Return yes or no; what is not said is yes."""
    value = str(row.get(field, "")).strip().lower()
    if value not in _TRUE | _FALSE:
        raise InvalidError("yes or no", pointer=field)
    return value in _TRUE


def _code(row: Row) -> str:
    code = word(row, "code")
    if not _CODE.fullmatch(code):
        raise InvalidError("small letters, digits, - . and _", pointer="code")
    return code


def _department_code(row: Row) -> str:
    code = word(row, "code")
    if not _DEPARTMENT_CODE.fullmatch(code):
        raise InvalidError("small letters, digits, - and _", pointer="code")
    return code


def _origins(row: Row) -> tuple[str, ...]:
    try:
        return tuple(origin_of(origin) for origin in _words(row, "return_origins"))
    except InvalidError as error:
        raise InvalidError(error.detail, pointer="return_origins") from None


def _bearer(row: Row) -> FeeBearer:
    try:
        return FeeBearer(row.get("fee_bearer") or FeeBearer.TREASURY)
    except ValueError:
        raise InvalidError("treasury, department or payer", pointer="fee_bearer") from None


def _currency(row: Row) -> str:
    currency = str(row.get("currency") or "AED")
    try:
        exponent_of(currency)
    except MoneyError as error:
        raise InvalidError(str(error), pointer="currency") from None
    return currency


def _items(row: Row) -> tuple[BundleItem, ...]:
    items = tuple(_item(each) for each in _listed(row, "services"))
    if not 1 <= len(items) <= _ITEMS_MAX:
        raise InvalidError(f"1 to {_ITEMS_MAX} services", pointer="services")
    if len({item.service for item in items}) < len(items):
        raise InvalidError("a service stands twice: give it a quantity instead", pointer="services")
    return items


def _names(row: Row) -> Names:
    return Names(**read_cells({}, (), ar=lambda _: word(row, "name_ar"), en=lambda _: word(row, "name_en")))


def _descriptions(row: Row) -> Names:
    def text(field: str) -> str:
        return word(row, field, length_max=_DESCRIPTION_MAX) if row.get(field) else ""

    texts = Names(**read_cells({}, (), ar=lambda _: text("description_ar"), en=lambda _: text("description_en")))
    if bool(texts.ar) != bool(texts.en):
        raise InvalidError("in both languages or in none", pointer="description_en" if texts.ar else "description_ar")
    return texts


def _listed(row: Row, field: str) -> list[Any]:
    """Return what a column lists: a JSON list, or the words of a cell."""
    value = row.get(field) or ()
    if isinstance(value, str):
        return list(value.split())
    if not isinstance(value, (list, tuple)):
        raise InvalidError("a list, or words parted by spaces", pointer=field)
    return list(value)


def _words(row: Row, field: str) -> list[str]:
    found = _listed(row, field)
    if not all(isinstance(each, str) for each in found):
        raise InvalidError("a list of words", pointer=field)
    return found


def _chosen(row: Row, field: str, kind: type[Word]) -> tuple[Word, ...]:
    try:
        return tuple(dict.fromkeys(kind(each) for each in _words(row, field)))
    except ValueError:
        raise InvalidError(f"out of {', '.join(kind)}", pointer=field) from None


def _documents(row: Row) -> tuple[Names, ...]:
    """Read what an applicant brings: objects in JSON, two columns of parted texts in CSV."""
    if "documents" in row:
        listed = _listed(row, "documents")
        if not all(isinstance(each, dict) and each.keys() == {"ar", "en"} for each in listed):
            raise InvalidError('objects as {"ar": …, "en": …}', pointer="documents")
        arabic, english = [each["ar"] for each in listed], [each["en"] for each in listed]
    else:
        arabic, english = (_parted(row, field) for field in ("documents_ar", "documents_en"))
    if len(arabic) != len(english) or len(arabic) > _DOCUMENTS_MAX:
        raise InvalidError(f"as many in Arabic as in English, at most {_DOCUMENTS_MAX}", pointer="documents_en")
    if any(PARTED in text for text in (*arabic, *english) if isinstance(text, str)):
        raise InvalidError("a text may not hold what parts the texts of a cell", pointer="documents_en")
    return tuple(
        Names(
            word({"documents_ar": ar}, "documents_ar"),
            word({"documents_en": en}, "documents_en"),
        )
        for ar, en in zip(arabic, english, strict=True)
    )


def _parted(row: Row, field: str) -> list[str]:
    value = row.get(field) or ""
    if not isinstance(value, str):
        raise InvalidError("texts of one cell", pointer=field)
    return value.split(PARTED) if value else []


def _item(each: Any) -> BundleItem:
    """Read one service of a bundle: `code`, `code*3`, or {"service": "code", "quantity": 3}."""
    if isinstance(each, str):
        code, _, quantity = each.partition("*")
        each = {"service": code, "quantity": quantity or "1"}
    if not isinstance(each, dict) or not each.keys() <= {"service", "quantity"}:
        raise InvalidError("services as code or code*3", pointer="services")
    try:
        return BundleItem(word(each, "service"), whole(each, "quantity", 1, QUANTITY_MAX, default=1))
    except InvalidError as error:
        raise InvalidError(f"services as code or code*3: {error.detail}", pointer="services") from None
