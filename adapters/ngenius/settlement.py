"""The acquirer's settlement report: one CSV per currency and business date, closed by a line of totals.

The layout is agreed with each acquirer, so columns, formats and words come from a `SettlementProfile`. A report whose
end is missing or whose totals do not prove is refused whole; a line that cannot be read is listed with its reason.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Final
from zoneinfo import ZoneInfo

import msgspec

from adapters.contract import LineKind, SettlementFile, SettlementLine
from adapters.errors import FileRefusedError
from adapters.manifest import SettingsError
from ledger.errors import MoneyError
from ledger.money import Money, exponent_of, total

FILE_BYTES_MAX: Final = 256 << 20
FIELD_CHARS_MAX: Final = 2000

KINDS: Final[dict[str, LineKind]] = {
    "SALE": LineKind.PAYMENT,
    "CAPTURE": LineKind.PAYMENT,
    "PURCHASE": LineKind.PAYMENT,
    "REFUND": LineKind.REFUND,
    "REVERSAL": LineKind.REFUND,
    "CHARGEBACK": LineKind.CHARGEBACK,
    "CHARGEBACK REVERSAL": LineKind.CHARGEBACK_REVERSED,
    "REPRESENTMENT": LineKind.CHARGEBACK_REVERSED,
    "FEE": LineKind.FEE,
    "ADJUSTMENT": LineKind.ADJUSTMENT,
}
"""What the transaction type column says. A word that stands not here is OTHER, an exception for finance."""


class SettlementProfile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where an acquirer's report keeps what we need."""

    delimiter: str = ","
    encoding: str = "utf-8-sig"
    total_word: str = "TOTAL"
    zone: str = "Asia/Dubai"
    time_format: str = "%d/%m/%Y %H:%M:%S"
    date_format: str = "%d/%m/%Y"
    outlet: str = "Outlet ID"
    batch: str = "Batch Reference"
    kind: str = "Transaction Type"
    order: str = "Order Reference"
    merchant_reference: str = "Merchant Order Reference"
    movement: str = "Transaction Reference"
    transaction_at: str = "Transaction Date"
    business_date: str = "Posting Date"
    currency: str = "Currency"
    gross: str = "Gross Amount"
    fee: str = "MDR"
    fee_vat: str = "VAT on MDR"
    net: str = "Net Amount"
    payout_date: str = "Payout Date"

    def columns(self) -> frozenset[str]:
        return frozenset(
            {
                self.outlet, self.batch, self.kind, self.order, self.merchant_reference, self.movement,
                self.transaction_at, self.business_date, self.currency, self.gross, self.fee, self.fee_vat, self.net,
                self.payout_date,
            }
        )  # fmt: skip


def read_profile(text: str) -> SettlementProfile:
    """Read the `settlement_profile` setting."""
    try:
        profile = msgspec.json.decode(text or "{}", type=SettlementProfile)
        ZoneInfo(profile.zone)
        "".encode(profile.encoding)
    except (msgspec.MsgspecError, LookupError, ValueError, OSError) as error:
        raise SettingsError(f"ngenius: setting 'settlement_profile' cannot be read: {error}") from None
    if len(profile.delimiter) != 1:
        raise SettingsError("ngenius: the settlement profile's delimiter must be one character")
    return profile


def read_settlement(name: str, content: bytes, *, outlet: str, profile: SettlementProfile) -> SettlementFile:
    """Read one report and prove its totals."""
    rows = _rows(content, profile)
    number, header = _first(rows)
    places = {title.strip(): place for place, title in enumerate(header)}
    if missing := sorted(profile.columns() - places.keys()):
        raise FileRefusedError(f"columns are missing: {', '.join(missing)}", line=number)
    if len(places) != len(header):
        raise FileRefusedError("a column title stands twice", line=number)
    reader = _Reader(profile, places, outlet)
    trailer: Sequence[str] | None = None
    for number, row in rows:
        if trailer is not None:
            raise FileRefusedError("lines follow the totals", line=number)
        if row[0].strip() == profile.total_word:
            trailer = row
            trailer_number = number
        else:
            reader.take(number, row)
    if trailer is None:
        raise FileRefusedError("the line of totals is missing; the report is cut off")
    return reader.close(name, content, trailer_number, trailer)


class _Reader:
    """Gathers lines, and compares them with the totals at the end."""

    def __init__(self, profile: SettlementProfile, places: Mapping[str, int], outlet: str) -> None:
        self._profile = profile
        self._places = places
        self._width = len(places)
        self._outlet = outlet
        self._zone = ZoneInfo(profile.zone)
        self._lines: list[SettlementLine] = []
        self._refused: list[tuple[int, str]] = []

    def take(self, number: int, row: Sequence[str]) -> None:
        try:
            self._lines.append(self._line(number, row))
        except (MoneyError, ValueError, OverflowError) as error:
            self._refused.append((number, str(error)))

    def close(self, name: str, content: bytes, number: int, row: Sequence[str]) -> SettlementFile:
        """Prove the totals against the lines that could be read; one unreadable line means that they cannot prove."""
        cell = self._cells(row)
        profile = self._profile
        try:
            currency = cell(profile.currency)
            exponent_of(currency)
            business_date = _date(cell(profile.business_date), profile.date_format)
            paid_on = _date(cell(profile.payout_date), profile.date_format) if cell(profile.payout_date) else None
            stated = {title: _money(cell(title), currency) for title in self._amount_titles()}
            stated_count = int(cell(profile.kind))
            batch_reference = cell(profile.batch)
        except (MoneyError, ValueError, OverflowError) as error:
            raise FileRefusedError(f"the totals cannot be read: {error}", line=number) from None
        if not batch_reference:
            raise FileRefusedError("the totals name no batch", line=number)
        if cell(profile.outlet) not in {profile.total_word, self._outlet}:
            raise FileRefusedError("the report is for another outlet", line=number)
        if stated_count != len(self._lines) + len(self._refused):
            found = len(self._lines) + len(self._refused)
            raise FileRefusedError(f"the totals count {stated_count} lines, the report has {found}", line=number)
        self._check_currency(currency)
        if not self._refused:
            self._prove(stated, currency, number)
        return SettlementFile(
            provider="ngenius",
            name=name,
            sha256=hashlib.sha256(content).hexdigest(),
            business_date=business_date,
            batch_reference=batch_reference,
            currency=currency,
            lines=tuple(self._lines),
            total_net=stated[profile.net],
            expected_credit_date=paid_on,
            refused_lines=tuple(self._refused),
        )

    def _amount_titles(self) -> tuple[str, str, str, str]:
        profile = self._profile
        return profile.gross, profile.fee, profile.fee_vat, profile.net

    def _check_currency(self, currency: str) -> None:
        for line in self._lines:
            if line.net.currency != currency:
                raise FileRefusedError(f"a line in {line.net.currency} in a report in {currency}", line=line.number)

    def _prove(self, stated: Mapping[str, Money], currency: str, number: int) -> None:
        sums = (
            total((line.gross for line in self._lines), currency),
            total((line.fee for line in self._lines), currency),
            total((line.fee_vat for line in self._lines), currency),
            total((line.net for line in self._lines), currency),
        )
        for title, summed in zip(self._amount_titles(), sums, strict=True):
            if stated[title] != summed:
                raise FileRefusedError(
                    f"{title}: the totals say {stated[title]}, the lines sum to {summed}", line=number
                )

    def _line(self, number: int, row: Sequence[str]) -> SettlementLine:
        profile = self._profile
        if len(row) != self._width:
            raise ValueError(f"{len(row)} cells where the header has {self._width}")
        cell = self._cells(row)
        if cell(profile.outlet) != self._outlet:
            raise ValueError("the line is for another outlet")
        currency = cell(profile.currency)
        gross, fee, fee_vat, net = (_money(cell(title), currency) for title in self._amount_titles())
        if net != gross - fee - fee_vat:
            raise ValueError(f"net {net} is not gross {gross} less fee {fee} and VAT {fee_vat}")
        raw_kind = cell(profile.kind)
        kind = KINDS.get(raw_kind.upper(), LineKind.OTHER)
        refund = kind is LineKind.REFUND
        return SettlementLine(
            number=number,
            kind=kind,
            # The acquirer knows our reference of the payment, not of its refunds; those are named by its own id.
            reference=None if refund else cell(profile.merchant_reference) or None,
            provider_reference=cell(profile.movement if refund else profile.order) or None,
            gross=gross,
            fee=fee,
            fee_vat=fee_vat,
            net=net,
            transaction_at=self._instant(cell(profile.transaction_at)),
            raw_kind=raw_kind,
        )

    def _cells(self, row: Sequence[str]) -> Callable[[str], str]:
        """Return a reader of cells by title; the line of totals may be shorter than the others."""
        return lambda title: row[self._places[title]].strip() if self._places[title] < len(row) else ""

    def _instant(self, text: str) -> datetime | None:
        if not text:
            return None
        return datetime.strptime(text, self._profile.time_format).replace(tzinfo=self._zone).astimezone(UTC)


def _rows(content: bytes, profile: SettlementProfile) -> _Rows:
    if len(content) > FILE_BYTES_MAX:
        raise FileRefusedError(f"the report is longer than {FILE_BYTES_MAX} bytes")
    if b"\0" in content:
        raise FileRefusedError("the report contains NUL bytes")
    try:
        text = content.decode(profile.encoding)
    except UnicodeDecodeError as error:
        raise FileRefusedError(f"the report is not {profile.encoding}: {error.reason}") from None
    return _Rows(text, profile.delimiter)


class _Rows:
    """Non-empty rows with their line numbers; a row csv cannot read refuses the report."""

    def __init__(self, text: str, delimiter: str) -> None:
        self._reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)

    def __iter__(self) -> _Rows:
        return self

    def __next__(self) -> tuple[int, Sequence[str]]:
        while True:
            try:
                row = next(self._reader)
            except csv.Error as error:
                raise FileRefusedError(str(error), line=self._reader.line_num) from None
            if any(len(cell) > FIELD_CHARS_MAX for cell in row):
                raise FileRefusedError(
                    f"a cell is longer than {FIELD_CHARS_MAX} characters", line=self._reader.line_num
                )
            if any(cell.strip() for cell in row):
                return self._reader.line_num, row


def _first(rows: _Rows) -> tuple[int, Sequence[str]]:
    try:
        return next(rows)
    except StopIteration:
        raise FileRefusedError("the report is empty") from None


def _money(text: str, currency: str) -> Money:
    """Read an amount; an empty fee column is none, thousands may be grouped."""
    return Money.parse(text.replace(",", "") or "0", currency)


def _date(text: str, date_format: str) -> date:
    return datetime.strptime(text, date_format).replace(tzinfo=UTC).date()
