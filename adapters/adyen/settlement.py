"""The Settlement Details Report: debits and credits in columns of their own, and the payout they add up to."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from adapters.contract import LineKind, SettlementFile, SettlementLine
from adapters.errors import FileRefusedError
from adapters.formats.profiles import ADYEN
from ledger.errors import MoneyError
from ledger.money import Money, total

FILE_BYTES_MAX: Final = 256 << 20
FIELD_CHARS_MAX: Final = 2000

KINDS: Final = ADYEN.kinds
"""What the Type column says. A word that stands not here is OTHER, an exception for finance."""

ZONES: Final = ADYEN.zone_names
"""Abbreviations the TimeZone column uses; anything else must be a zone's own name."""

CARRIED: Final = "Balancetransfer"
FEES: Final = ("Commission (NC)", "Markup (NC)", "Scheme Fees (NC)", "Interchange (NC)")
NEEDED: Final = frozenset(
    {
        "Merchant Account", "Psp Reference", "Merchant Reference", "Creation Date", "TimeZone", "Type",
        "Modification Reference", "Gross Currency", "Gross Debit (GC)", "Gross Credit (GC)", "Net Currency",
        "Net Debit (NC)", "Net Credit (NC)", "Modification Merchant Reference", *FEES,
    }
)  # fmt: skip
"""Columns this reader uses. Reports have more, in any order, and newer ones keep appearing."""


def read_settlement(name: str, content: bytes, *, merchant_account: str, business_date: date) -> SettlementFile:
    """Read one report and prove that its lines add up to its payout."""
    rows = _rows(content)
    lines, refused = _sorted_out(rows, merchant_account)
    payouts = [line for line in lines if line.kind is LineKind.PAYOUT]
    lines = [line for line in lines if line.kind is not LineKind.PAYOUT]
    if len(payouts) > 1:
        raise FileRefusedError("the report has a second payout", line=payouts[1].number)
    if not payouts:
        return _carried(name, content, rows, lines, refused, business_date)
    payout = payouts[0]
    batch_reference = dict(rows)[payout.number]["Modification Reference"]
    if not batch_reference:
        raise FileRefusedError("the payout names no batch", line=payout.number)
    currency = payout.net.currency
    for line in lines:
        if line.net.currency != currency:
            raise FileRefusedError(f"a line in {line.net.currency} in a report in {currency}", line=line.number)
    paid_out = -payout.net
    if not refused and total((line.net for line in lines), currency) != paid_out:
        summed = total((line.net for line in lines), currency)
        raise FileRefusedError(
            f"the payout is {paid_out}, the lines sum to {summed}", line=payout.number, cause="total_not_lines",
            stated=paid_out, found=summed,
        )  # fmt: skip
    return _file(name, content, business_date, batch_reference, lines, refused, paid_out)


def _carried(
    name: str,
    content: bytes,
    rows: Sequence[tuple[int, Mapping[str, str]]],
    lines: list[SettlementLine],
    refused: list[tuple[int, str]],
    business_date: date,
) -> SettlementFile:
    """Read a batch that pays nothing: what it owes or leaves is carried to the next one, and so it adds up to zero."""
    carried = [line for line in lines if line.raw_kind == CARRIED]
    if not carried or refused or sum(line.net.amount_minor for line in lines):
        raise FileRefusedError("the payout that closes the report is missing; the report is cut off", cause="cut_off")
    currency = carried[-1].net.currency
    if any(line.net.currency != currency for line in lines):
        raise FileRefusedError("a report of several currencies has no payout")
    batch = dict(rows)[carried[-1].number].get("Batch Number", "")
    if not batch:
        raise FileRefusedError("the report names no batch", line=carried[-1].number)
    return _file(name, content, business_date, f"batch {batch}", lines, refused, Money(0, currency))


def _file(
    name: str,
    content: bytes,
    business_date: date,
    batch_reference: str,
    lines: list[SettlementLine],
    refused: list[tuple[int, str]],
    total_net: Money,
) -> SettlementFile:
    return SettlementFile(
        provider="adyen",
        name=name,
        sha256=hashlib.sha256(content).hexdigest(),
        business_date=business_date,
        batch_reference=batch_reference,
        currency=total_net.currency,
        lines=tuple(lines),
        total_net=total_net,
        refused_lines=tuple(refused),
    )


def _sorted_out(
    rows: Sequence[tuple[int, Mapping[str, str]]], merchant_account: str
) -> tuple[list[SettlementLine], list[tuple[int, str]]]:
    """Return the lines that can be read, and the others with their reasons."""
    lines: list[SettlementLine] = []
    refused: list[tuple[int, str]] = []
    for number, row in rows:
        if row["Merchant Account"] != merchant_account:
            refused.append((number, "the line is for another merchant account"))
            continue
        try:
            lines.append(_line(number, row))
        except (MoneyError, ValueError, OverflowError, ZoneInfoNotFoundError) as error:
            refused.append((number, str(error)))
    return lines, refused


def _line(number: int, row: Mapping[str, str]) -> SettlementLine:
    currency = row["Net Currency"] or row["Gross Currency"]
    net = _money(row["Net Credit (NC)"], currency) - _money(row["Net Debit (NC)"], currency)
    kind = KINDS.get(row["Type"], LineKind.OTHER)
    fee = total((_money(row[title], currency) for title in FEES), currency)
    if row["Gross Currency"]:
        if row["Gross Currency"] != currency:
            raise ValueError(f"gross in {row['Gross Currency']} and net in {currency}: converted lines are not booked")
        gross = _money(row["Gross Credit (GC)"], currency) - _money(row["Gross Debit (GC)"], currency)
    else:
        gross = net + fee
    if kind is not LineKind.PAYOUT and net != gross - fee:
        raise ValueError(f"net {net} is not gross {gross} less fees {fee}")
    refund = kind is LineKind.REFUND
    return SettlementLine(
        number=number,
        kind=kind,
        reference=row["Modification Merchant Reference" if refund else "Merchant Reference"] or None,
        provider_reference=row["Modification Reference" if refund else "Psp Reference"] or None,
        gross=gross,
        fee=fee,
        fee_vat=Money(0, currency),
        net=net,
        transaction_at=_instant(row["Creation Date"], row["TimeZone"]),
        raw_kind=row["Type"],
    )


def _rows(content: bytes) -> list[tuple[int, dict[str, str]]]:
    """Read the CSV as dictionaries with line numbers; the header is found by its columns."""
    if len(content) > FILE_BYTES_MAX:
        raise FileRefusedError(f"the report is longer than {FILE_BYTES_MAX} bytes")
    if b"\0" in content:
        raise FileRefusedError("the report contains NUL bytes")
    try:
        reader = csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), strict=True)
        rows = [(reader.line_num, row) for row in reader if any(cell.strip() for cell in row)]
    except UnicodeDecodeError as error:
        raise FileRefusedError(f"the report is not UTF-8: {error.reason}") from None
    except csv.Error as error:
        raise FileRefusedError(str(error)) from None
    if not rows:
        raise FileRefusedError("the report is empty", cause="empty")
    number, header = rows[0]
    titles = [title.strip() for title in header]
    if missing := sorted(NEEDED - set(titles)):
        raise FileRefusedError(f"columns are missing: {', '.join(missing)}", line=number)
    if len(set(titles)) != len(titles):
        raise FileRefusedError("a column title stands twice", line=number)
    return [(number, _cells(number, titles, row)) for number, row in rows[1:]]


def _cells(number: int, titles: Sequence[str], row: Sequence[str]) -> dict[str, str]:
    if len(row) != len(titles):
        raise FileRefusedError(f"{len(row)} cells where the header has {len(titles)}", line=number)
    if any(len(cell) > FIELD_CHARS_MAX for cell in row):
        raise FileRefusedError(f"a cell is longer than {FIELD_CHARS_MAX} characters", line=number)
    return dict(zip(titles, (cell.strip() for cell in row), strict=True))


def _money(text: str, currency: str) -> Money:
    return Money.parse(text.replace(",", "") or "0", currency)


def _instant(text: str, zone: str) -> datetime | None:
    """Read local time with the zone its own column names."""
    if not text:
        return None
    known = ZoneInfo(ZONES.get(zone, zone or "UTC"))
    return datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=known).astimezone(UTC)
