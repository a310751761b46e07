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
from gateway.domain.errors import InvalidError
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
_ITEMS_MAX: Final = 50
_RATE_MAX: Final = 10_000
_TRUE: Final = frozenset({"", "true", "yes", "1"})
_FALSE: Final = frozenset({"false", "no", "0"})


@dataclass(frozen=True, slots=True)
class LineFault:
    """What is wrong with one line of a file; line 1 is the first after the heading."""

    table: str
    line: int
    field: str
    detail: str


def read_csv(text: str) -> list[dict[str, Any]]:
    """Read a CSV file by its heading; a mark of the byte order that spreadsheets write is passed over."""
    return [dict(row) for row in csv.DictReader(io.StringIO(text.removeprefix("\ufeff")))]


def read_json(body: bytes) -> list[dict[str, Any]]:
    return msgspec.json.decode(body, type=list[dict[str, Any]])


def read_rows(
    table: str, rows: Iterable[Row], read: Callable[[Row], Read], faults: list[LineFault], *, key: str | None = "code"
) -> list[tuple[int, Read]]:
    """Read rows with their line numbers, and add to `faults` what is wrong with the others."""
    found: list[tuple[int, Read]] = []
    seen: set[str] = set()
    for number, row in enumerate(rows, 1):
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
    check_columns(row, DEPARTMENT_COLUMNS)
    code = word(row, "code")
    if not _DEPARTMENT_CODE.fullmatch(code):
        raise InvalidError("small letters, digits, - and _", pointer="code")
    try:
        return_origins = tuple(origin_of(origin) for origin in _words(row, "return_origins"))
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
        reminder_minutes=_whole_or_none(row, "reminder_minutes", *_REMINDER_MINUTES),
        refund_limits=_limits(row),
    )


def read_service(row: Row) -> Service:
    check_columns(row, (*SERVICE_COLUMNS, "documents"))
    currency = str(row.get("currency") or "AED")
    try:
        exponent_of(currency)
    except MoneyError as error:
        raise InvalidError(str(error), pointer="currency") from None
    amount = row.get("amount_minor")
    return Service(
        code=_code(row),
        department=word(row, "department"),
        names=_names(row),
        revenue_code=word(row, "revenue_code"),
        currency=currency,
        amount_minor=None if amount in (None, "") else whole(row, "amount_minor", 1, AMOUNT_MINOR_MAX),
        vat_basis_points=whole(row, "vat_basis_points", 0, _RATE_MAX, default=0),
        active=flag(row, "active"),
        descriptions=_descriptions(row),
        audience=_chosen(row, "audience", Audience),
        channels=_chosen(row, "channels", Channel),
        documents=_documents(row),
        depends_on=tuple(_words(row, "depends_on")),
    )


def read_bundle(row: Row) -> Bundle:
    check_columns(row, BUNDLE_COLUMNS)
    items = tuple(_item(each) for each in _listed(row, "services"))
    if not 1 <= len(items) <= _ITEMS_MAX:
        raise InvalidError(f"1 to {_ITEMS_MAX} services", pointer="services")
    if len({item.service for item in items}) < len(items):
        raise InvalidError("a service stands twice: give it a quantity instead", pointer="services")
    return Bundle(
        code=_code(row),
        department=word(row, "department"),
        names=_names(row),
        items=items,
        descriptions=_descriptions(row),
        active=flag(row, "active"),
    )


def check_columns(row: Row, known: Sequence[str]) -> None:
    """Refuse what would otherwise be passed over in silence: a misspelt column, a cell too many."""
    for column in row:
        if column not in known:
            shown = str(column)[:_NAME_MAX] if column is not None else "a cell beyond the heading"
            raise InvalidError("is not a column of this table", pointer=shown)


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
    if isinstance(value, str) and value.isascii() and value.isdigit():
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


def _names(row: Row) -> Names:
    return Names(word(row, "name_ar"), word(row, "name_en"))


def _descriptions(row: Row) -> Names:
    texts = [
        word(row, field, length_max=_DESCRIPTION_MAX) if row.get(field) else ""
        for field in ("description_ar", "description_en")
    ]
    if bool(texts[0]) != bool(texts[1]):
        raise InvalidError("in both languages or in none", pointer="description_en" if texts[0] else "description_ar")
    return Names(*texts)


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
        arabic, english = (
            (row.get(field) or "").split(PARTED) if row.get(field) else [] for field in ("documents_ar", "documents_en")
        )
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
