"""Read SWIFT MT940 statements and MT942 interim reports: several in a file, several pages to a statement.

The file is read line by line as it streams. A statement's pages (`:62M:` followed by `:60M:`) are joined again, and a
file that breaks off before its closing balance is refused.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import BinaryIO, Final

from adapters.contract import Statement, StatementEntry
from adapters.errors import FileRefusedError
from adapters.formats.creditor_reference import references_in
from adapters.formats.mt940_fields import Balance, EntryLine, read_balance, read_entry_line, read_fields, read_total
from adapters.formats.mt940_text import Narrative, read_narrative
from adapters.formats.statement_parts import Kind, Part, StatementSummary, Warnings, gather, money, refuse_unproven
from adapters.formats.swift_text import from_wire_reference
from adapters.formats.text_lines import TextLines
from ledger.money import Money

HEADER_TAGS: Final = frozenset({"21", "25", "25P", "28", "28C", "13", "13D", "NS"})
SILENT_TAGS: Final = frozenset({"64", "65", "13", "13D", "NS"})


def read_mt940(stream: BinaryIO) -> Iterator[Part]:
    """Yield each statement's entries, then its summary; the memory used does not grow with the file."""
    lines = TextLines(stream)
    reader = _Reader(lines)
    for line, tag, texts in read_fields(lines):
        yield from reader.feed(line, tag, texts)
    yield from reader.finish()


def read_mt940_statements(data: bytes, *, name: str) -> list[Statement]:
    """Return the file's final statements, each proven; `FileRefusedError` says what does not stand."""
    return gather(read_mt940(io.BytesIO(data)), file_name=name, sha256=hashlib.sha256(data).hexdigest())


@dataclass(slots=True)
class _Header:
    """What stands before the first balance or entry of a message."""

    line: int
    reference: str
    account: str = ""
    number: int | None = None
    made_on: date | None = None

    def take(self, tag: str, text: str) -> None:
        if tag in {"25", "25P"}:
            self.account = text.split("\n", maxsplit=1)[0].replace(" ", "")
        elif tag in {"28", "28C"}:
            digits = text.partition("/")[0].strip()
            self.number = int(digits) if digits.isascii() and digits.isdigit() and len(digits) <= 9 else None  # noqa: PLR2004 - five in the standard, more in the wild


class _Reader:
    """Takes the fields one by one and gives back what they complete."""

    def __init__(self, lines: TextLines) -> None:
        self._lines = lines
        self._header: _Header | None = None
        self._in_header = False
        self._reading: _Reading | None = None

    def feed(self, line: int, tag: str, texts: list[str]) -> Iterator[Part]:
        text = texts[0]
        if tag == "20":
            if self._reading is not None:
                yield from self._reading.flush()
                self._reading.refuse_broken_off()
            self._header, self._in_header = _Header(line, text.strip()), True
            return
        if self._header is None:
            raise FileRefusedError(f"field :{tag}: stands before any :20:", line=line)
        if self._in_header and tag in HEADER_TAGS:
            self._header.take(tag, text)
            return
        if self._in_header:
            self._in_header = False
            if tag in {"60F", "60M"}:
                yield from self._open(self._header, read_balance(text, line), is_page=tag == "60M")
                return
            yield from self._open(self._header, None, is_page=False)
        if self._reading is not None:
            yield from self._reading.take(line, tag, texts)

    def _open(self, header: _Header, opening: Balance | None, *, is_page: bool) -> Iterator[Part]:
        if is_page and opening and self._reading is not None and self._reading.goes_on(header, opening):
            return
        if self._reading is not None:
            yield self._reading.summary(self._lines.oddities)
        self._reading = _Reading(header, opening)

    def finish(self) -> Iterator[Part]:
        if self._header is None:
            raise FileRefusedError("the file holds no field :20: and is no statement of SWIFT's")
        if self._reading is None or self._in_header:
            raise FileRefusedError("the file breaks off inside a header", line=self._header.line)
        yield from self._reading.flush()
        self._reading.refuse_broken_off()
        yield self._reading.summary(self._lines.oddities)


class _Reading:
    """One statement under way, over all its pages."""

    def __init__(self, header: _Header, opening: Balance | None) -> None:
        self._header = header
        self._opening = opening
        self._closing: Balance | None = None
        self._is_page = False
        self._currency = opening.currency if opening else ""
        self._entry: EntryLine | None = None
        self._narrative: Narrative | None = None
        self._warnings = Warnings()
        self._count = 0
        self._pending = 0
        self._sum_minor = 0
        self._totals_minor: dict[bool, int] = {}
        self._sums_minor = {True: 0, False: 0}
        self._first_day: date | None = None
        self._last_day: date | None = None

    def goes_on(self, header: _Header, opening: Balance) -> bool:
        """Whether this page continues the statement; its balance must then be where the last page stopped."""
        if not self._is_page or (self._header.account, self._header.number) != (header.account, header.number):
            return False
        if self._closing is None or (self._closing.amount_minor, self._closing.currency) != (
            opening.amount_minor, opening.currency,
        ):  # fmt: skip
            raise FileRefusedError("a page does not open where the one before it stopped", line=header.line)
        self._closing, self._is_page = None, False
        return True

    def take(self, line: int, tag: str, texts: list[str]) -> Iterator[Part]:
        text = texts[0]
        if tag == "86":
            # After the last balance the text speaks of the whole statement, and there is no entry to give it to.
            if self._entry is not None and self._narrative is None:
                self._narrative = read_narrative(texts)
            return
        yield from self.flush()
        if tag == "61":
            if not self._currency:
                raise FileRefusedError("an entry stands before anything names its currency", line=line)
            if self._closing is not None:
                raise FileRefusedError("an entry stands behind the closing balance", line=line)
            self._entry = read_entry_line(texts, self._currency, line)
        elif tag in {"62F", "62M"}:
            self._close(read_balance(text, line), line, is_page=tag == "62M")
        elif tag in {"34F", "90C", "90D"}:
            self._take_total(line, tag, text)
        elif tag in {"60F", "60M"}:
            raise FileRefusedError("a second opening balance stands in one statement", line=line)
        elif tag not in SILENT_TAGS:
            self._warnings.add(f"field :{tag}: is not one of a statement; it is left out", line=line)

    def _close(self, balance: Balance, line: int, *, is_page: bool) -> None:
        if balance.currency != (self._currency or balance.currency):
            raise FileRefusedError(f"a balance in {balance.currency} on an account in {self._currency}", line=line)
        self._closing, self._is_page, self._currency = balance, is_page, balance.currency

    def _take_total(self, line: int, tag: str, text: str) -> None:
        """Take what an interim report says of itself: the currency of its floor limit, the sums of both sides."""
        if tag == "34F":
            self._currency = self._currency or text.strip()[:3]
            return
        total = read_total(text, line)
        self._currency = self._currency or total.currency
        self._totals_minor[tag == "90C"] = total.amount_minor

    def flush(self) -> Iterator[StatementEntry]:
        """Give the entry that waited for its free text."""
        entry, narrative = self._entry, self._narrative or Narrative("")
        self._entry, self._narrative = None, None
        if entry is None:
            return
        if entry.expected:
            self._pending += 1
            return
        self._count += 1
        self._sum_minor += entry.amount_minor
        self._sums_minor[entry.amount_minor >= 0] += abs(entry.amount_minor)
        self._first_day = min(self._first_day or entry.booked_on, entry.booked_on)
        self._last_day = max(self._last_day or entry.booked_on, entry.booked_on)
        reference = narrative.end_to_end_id or entry.customer_reference
        yield StatementEntry(
            number=self._count,
            amount=money(entry.amount_minor, self._currency, line=entry.line),
            booked_on=entry.booked_on,
            value_on=entry.value_on,
            bank_reference=entry.bank_reference,
            end_to_end_id=from_wire_reference(reference) if reference else None,
            batch_reference=None,
            remittance=narrative.remittance or entry.supplement,
            counterparty=narrative.counterparty,
            counterparty_iban=narrative.counterparty_iban,
            code="+".join(code for code in (entry.code, narrative.code) if code) or None,
            returned=entry.reversal or narrative.returned,
            references=references_in(" ".join((reference or "", narrative.remittance, entry.supplement)))
            if entry.amount_minor > 0
            else (),
        )

    def refuse_broken_off(self) -> None:
        if self._opening is not None and self._closing is None:
            line = self._header.line
            raise FileRefusedError(
                f"statement {self._header.reference} breaks off before its closing balance", line=line
            )

    def summary(self, oddities: list[str]) -> StatementSummary:
        header = self._header
        if not header.account:
            raise FileRefusedError(f"statement {header.reference} names no account", line=header.line)
        if not self._currency:
            raise FileRefusedError(f"statement {header.reference} names no currency", line=header.line)
        last = self._closing.day if self._closing else self._last_day
        if last is None:
            raise FileRefusedError(f"statement {header.reference} says nothing of its day", line=header.line)
        self._refuse_wrong_totals()
        if self._is_page:
            self._warnings.add("the last page is missing: the closing balance is an interim one")
        for oddity in oddities:
            self._warnings.add(oddity)
        if self._pending:
            self._warnings.add(f"{self._pending} entries are expected and not booked; they are left out")
        account = header.account
        if account[-3:] == self._currency and account[-4:-3].isdigit():
            account = account[:-3]
        final = self._opening is not None or self._closing is not None
        summary = StatementSummary(
            kind=Kind.STATEMENT if final else Kind.INTERIM,
            # The bank's reference is often the same every day, so the number and the day complete it.
            identifier=f"{header.reference}-{last:%Y%m%d}-{header.number if header.number is not None else 0}",
            sequence=header.number,
            account=account,
            currency=self._currency,
            opened_on=min(self._first_day or last, last),
            closed_on=last,
            opening=self._money(self._opening),
            closing=self._money(self._closing),
            entry_count=self._count,
            entries_sum=money(self._sum_minor, self._currency, line=header.line),
            pending_count=self._pending,
            warnings=self._warnings.texts(),
        )
        refuse_unproven(summary)
        return summary

    def _money(self, balance: Balance | None) -> Money | None:
        return money(balance.amount_minor, self._currency, line=self._header.line) if balance else None

    def _refuse_wrong_totals(self) -> None:
        for credit, total_minor in self._totals_minor.items():
            if total_minor != self._sums_minor[credit]:
                side = "credits" if credit else "debits"
                found = money(self._sums_minor[credit], self._currency)
                stated = money(total_minor, self._currency)
                raise FileRefusedError(
                    f"the {side} sum to {found} and not to the stated {stated}", line=self._header.line
                )
