"""The fields of an MT940 or MT942 message: where each begins, and what the money fields say."""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Final

from adapters.errors import FileRefusedError
from adapters.formats.statement_parts import read_amount
from adapters.formats.text_lines import TextLines

FIELD_LINES_MAX: Final = 200
STRAY_LINES_MAX: Final = 1000
TAGS: Final = frozenset(
    {
        "13", "13D", "20", "21", "25", "25P", "28", "28C", "34F", "60F", "60M", "61", "62F", "62M", "64", "65", "86",
        "90C", "90D", "NS",
    }
)  # fmt: skip
ENDS: Final = frozenset({"-", "-}", "-" + 3 * "X", "{4:"})
CENTURY: Final = 2000
FEBRUARY: Final = 2
HALF_YEAR_MONTHS: Final = 6
_TAG: Final = re.compile(r":(\d\d[A-Z]?|NS):")
_BALANCE: Final = re.compile(r"([CD])(\d{6})([A-Z]{3})\s*([\d,.]+)", re.ASCII)
_TOTAL: Final = re.compile(r"\d{0,6}([A-Z]{3})\s*([\d,.]+)", re.ASCII)
_ENTRY: Final = re.compile(r"(\d{6})(\d{4})?\s?(R[CD]|E[CD]|[CD])([A-Z])?\s?([\d,.]+)([A-Z][A-Z0-9]{3})?(.*)", re.ASCII)
_NO_REFERENCE: Final = frozenset({"NONREF", "NOREF", "NOTPROVIDED", "KREF+", "EREF+", ""})

Field = tuple[int, str, list[str]]


@dataclass(frozen=True, slots=True)
class Balance:
    amount_minor: int
    currency: str
    day: date


@dataclass(frozen=True, slots=True)
class Total:
    amount_minor: int
    currency: str


@dataclass(frozen=True, slots=True)
class EntryLine:
    """What `:61:` says: the money, its days, and the references."""

    line: int
    amount_minor: int
    booked_on: date
    value_on: date
    reversal: bool
    expected: bool
    code: str | None
    customer_reference: str | None
    bank_reference: str | None
    supplement: str


def read_fields(lines: TextLines) -> Iterator[Field]:
    """Yield line number, tag and text of each field; envelopes, trailers and a bank's own words are passed over."""
    current: Field | None = None
    strays = 0
    for text in lines:
        opened, inside = _opening(text, lines.number)
        if opened is not None and current is not None and current[1] == "86" and opened[1] not in TAGS:
            # A time of day that was broken over two lines (`10` and `:26:58`) looks like a field, and is none.
            opened, inside = None, True
        if opened is not None or not inside:
            if current is not None:
                yield current
            current = opened
        elif current is not None:
            current[2].append(text)
            if len(current[2]) > FIELD_LINES_MAX:
                raise FileRefusedError(f"field :{current[1]}: has more than {FIELD_LINES_MAX} lines", line=current[0])
        elif text.strip():
            # Banks put their own words around a message (`ABNANL2A`, `940 00`); what they mean is in the fields.
            strays += 1
            if strays > STRAY_LINES_MAX:
                raise FileRefusedError(f"{text.strip()[:30]!r} stands outside any field", line=lines.number)
    if current is not None:
        yield current


def _opening(text: str, number: int) -> tuple[Field | None, bool]:
    """Return the field this line opens, if any, and whether the line may belong to the field before it."""
    start = 0
    if text.startswith((":940:", ":942:")):
        return None, False
    if text.startswith(("-", "{")):
        if text.rstrip() not in ENDS and not text.startswith(("{1:", "{2:", "{3:", "{4:", "{5:", "-}{")):
            return None, True
        # An envelope may carry the first field on its own line: `{1:…}{2:…}{4::20:REF`.
        start = text.find("{4::") + 3
        if start == 2:  # noqa: PLR2004 - not found
            return None, False
    elif not text.startswith(":"):
        return None, True
    match = _TAG.match(text, start)
    return ((number, match[1], [text[match.end() :]]), False) if match else (None, start == 0)


def read_balance(text: str, line: int) -> Balance:
    match = _BALANCE.match(text.strip())
    if match is None:
        raise FileRefusedError(f"{text.strip()[:40]!r} is not a balance", line=line)
    minor = read_amount(match[4], match[3], line=line)
    return Balance(minor if match[1] == "C" else -minor, match[3], _day(match[2], line))


def read_total(text: str, line: int) -> Total:
    match = _TOTAL.match(text.strip())
    if match is None:
        raise FileRefusedError(f"{text.strip()[:40]!r} is not a total", line=line)
    return Total(read_amount(match[2], match[1], line=line), match[1])


def read_entry_line(texts: list[str], currency: str, line: int) -> EntryLine:
    match = _ENTRY.match(texts[0])
    if match is None:
        raise FileRefusedError(f"{texts[0][:40]!r} is not an entry", line=line)
    value_on = _day(match[1], line)
    mark = match[3]
    # A reversed credit takes money away and a reversed debit brings it back.
    credit = mark in {"C", "RD", "EC"}
    minor = read_amount(match[5], currency, line=line)
    ours, _, theirs = (match[7] or "").partition("//")
    return EntryLine(
        line=line,
        amount_minor=minor if credit else -minor,
        booked_on=_near(value_on, match[2], line) if match[2] else value_on,
        value_on=value_on,
        reversal=mark.startswith("R"),
        expected=mark.startswith("E"),
        code=match[6],
        customer_reference=_reference(ours),
        bank_reference=_reference(theirs),
        supplement=" ".join(text.strip() for text in texts[1:] if text.strip()),
    )


def _reference(text: str) -> str | None:
    text = text.strip()
    return None if text.upper() in _NO_REFERENCE else text


def _day(text: str, line: int) -> date:
    try:
        year, month, day = CENTURY + int(text[:2]), int(text[2:4]), int(text[4:6])
        if month == FEBRUARY and day in {29, 30}:
            # Banks that count every month as thirty days value interest on the 30th of February.
            day = min(day, monthrange(year, month)[1])
        return date(year, month, day)
    except ValueError:
        raise FileRefusedError(f"{text!r} is not a date", line=line) from None


def _near(value_on: date, month_day: str, line: int) -> date:
    """Return the booking day, which the bank writes without its year: the one nearest to the value date."""
    month = int(month_day[:2])
    shift = 0
    if month - value_on.month > HALF_YEAR_MONTHS:
        shift = -1
    elif value_on.month - month > HALF_YEAR_MONTHS:
        shift = 1
    try:
        return date(value_on.year + shift, month, int(month_day[2:]))
    except ValueError:
        raise FileRefusedError(f"{month_day!r} is not a day of a year", line=line) from None
