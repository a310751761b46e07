"""What every statement reader yields, whatever its format: booked entries, then the summary that proves them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Final

from adapters.contract import Statement, StatementEntry
from adapters.errors import FileRefusedError
from ledger.errors import MoneyError
from ledger.money import AMOUNT_MINOR_MAX, Money, exponent_of

WARNINGS_MAX: Final = 100
_AMOUNT: Final = re.compile(r"([+-]?)(\d{1,16})?(?:[.,](\d{0,18}))?", re.ASCII)
_DATES_KEPT_MAX: Final = 4096


class Kind(StrEnum):
    """What the bank means by the message: the final word on a day, a look into it, or a notice of single bookings."""

    STATEMENT = "statement"
    INTERIM = "interim"
    NOTIFICATION = "notification"


class Warnings:
    """Precise remarks on a file that was read all the same; bounded, because one fault can repeat a million times."""

    def __init__(self) -> None:
        self._texts: list[str] = []
        self._left_out = 0

    def add(self, text: str, *, line: int | None = None) -> None:
        if len(self._texts) < WARNINGS_MAX:
            self._texts.append(f"line {line}: {text}" if line else text)
        else:
            self._left_out += 1

    def texts(self) -> tuple[str, ...]:
        return (*self._texts, f"and {self._left_out} more") if self._left_out else tuple(self._texts)


@dataclass(frozen=True, slots=True)
class StatementSummary:
    """What stands around the entries of one statement, given after its last entry.

    `entries_sum` covers every booked entry; `pending_count` those the bank announced but has not booked.
    """

    kind: Kind
    identifier: str
    sequence: int | None
    account: str
    currency: str
    opened_on: date
    closed_on: date
    opening: Money | None
    closing: Money | None
    entry_count: int
    entries_sum: Money
    pending_count: int = 0
    warnings: tuple[str, ...] = field(default=())

    @property
    def proven(self) -> bool:
        """Whether opening + entries = closing was there to be checked, and held."""
        if self.opening is None or self.closing is None:
            return False
        return self.opening + self.entries_sum == self.closing


Part = StatementEntry | StatementSummary


def refuse_unproven(summary: StatementSummary) -> None:
    """Refuse a statement whose own balances contradict its entries."""
    if summary.opening is None or summary.closing is None or summary.proven:
        return
    gap = summary.closing - summary.opening - summary.entries_sum
    raise FileRefusedError(
        f"statement {summary.identifier}: opening {summary.opening.decimal()} + {summary.entry_count} entries "
        f"{summary.entries_sum.decimal()} is not closing {summary.closing.decimal()} {summary.currency}; "
        f"the gap is {gap.decimal()}"
    )


def gather(parts: Iterable[Part], *, file_name: str, sha256: str) -> list[Statement]:
    """Collect a file's final statements; a file with one that proves nothing is refused as a whole."""
    statements: list[Statement] = []
    entries: list[StatementEntry] = []
    for part in parts:
        if isinstance(part, StatementEntry):
            entries.append(part)
            continue
        if part.kind is not Kind.STATEMENT:
            raise FileRefusedError(f"{part.identifier} is an {part.kind} message, not the day's final statement")
        if part.opening is None or part.closing is None:
            which = "opening" if part.opening is None else "closing"
            raise FileRefusedError(f"statement {part.identifier} has no {which} balance and proves nothing")
        statements.append(
            Statement(
                account_iban=part.account,
                identifier=part.identifier,
                sequence=part.sequence,
                currency=part.currency,
                opened_on=part.opened_on,
                closed_on=part.closed_on,
                opening=part.opening,
                closing=part.closing,
                entries=tuple(entries),
                file_name=file_name,
                sha256=sha256,
                warnings=part.warnings,
            )
        )
        entries = []
    return statements


def read_amount(text: str, currency: str, *, line: int | None = None) -> int:
    """Return minor units of decimal text as banks write it: comma or point, zeros beyond the exponent, a sign."""
    match = _AMOUNT.fullmatch(text.strip())
    if match is None or (match[2] is None and not match[3]):
        raise FileRefusedError(f"{text.strip()[:40]!r} is not an amount", line=line)
    exponent = currency_exponent(currency, line=line)
    fraction = match[3] or ""
    if fraction[exponent:].strip("0"):
        raise FileRefusedError(f"{text.strip()} has more decimals than {currency} ({exponent})", line=line)
    minor = int((match[2] or "0") + fraction[:exponent].ljust(exponent, "0"))
    if minor > AMOUNT_MINOR_MAX:
        raise FileRefusedError(f"{text.strip()} is beyond any amount the books keep", line=line)
    return -minor if match[1] == "-" else minor


def currency_exponent(currency: str, *, line: int | None = None) -> int:
    try:
        return exponent_of(currency)
    except MoneyError as error:
        raise FileRefusedError(str(error), line=line) from error


def money(amount_minor: int, currency: str, *, line: int | None = None) -> Money:
    """Return money, or refuse the file where the sum leaves what the books can hold."""
    try:
        return Money(amount_minor, currency)
    except MoneyError as error:
        raise FileRefusedError(str(error), line=line) from error


class Dates:
    """Reads ISO dates and date-times; a statement repeats the same few, so each text is read once."""

    def __init__(self) -> None:
        self._known: dict[str, date] = {}

    def read(self, text: str, *, line: int | None = None) -> date:
        found = self._known.get(text)
        if found is None:
            try:
                # The bank's own day is the one it wrote; its clock and zone, if any, follow the tenth mark.
                found = date.fromisoformat(text.strip()[:10])
            except ValueError:
                raise FileRefusedError(f"{text.strip()[:40]!r} is not a date", line=line) from None
            if len(self._known) < _DATES_KEPT_MAX:
                self._known[text] = found
        return found
