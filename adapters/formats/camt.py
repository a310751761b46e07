"""Read a bank's camt.053 statement, camt.052 interim report or camt.054 notification, of any version, as it streams.

Leniently by local name, strictly in money: a statement whose opening balance and entries do not make its closing
balance is refused, and so is whatever is not whole, not XML, or names entities.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from datetime import date
from typing import BinaryIO, Final

from adapters.contract import Statement, StatementEntry
from adapters.errors import FileRefusedError
from adapters.formats.camt_entry import (
    LOCAL,
    Detail,
    Element,
    children,
    explode,
    line_of,
    read_detail,
    read_head,
    read_sign,
    text_at,
)
from adapters.formats.statement_parts import (
    Dates,
    Kind,
    Part,
    StatementSummary,
    Warnings,
    gather,
    money,
    read_amount,
    refuse_unproven,
)
from adapters.formats.xml_source import XmlSource, walk
from ledger.money import Money

KINDS: Final = {"Stmt": Kind.STATEMENT, "Rpt": Kind.INTERIM, "Ntfctn": Kind.NOTIFICATION}
NOT_BOOKED: Final = frozenset({"PDNG", "INFO", "FUTR"})
OPENING_CODES: Final = ("OPBD", "PRCD")
CLOSING_CODES: Final = ("CLBD",)
INTERIM_CODE: Final = "ITBD"


def read_camt(stream: BinaryIO) -> Iterator[Part]:
    """Yield each statement's booked entries, then its summary; the memory used does not grow with the file."""
    source = XmlSource(stream)
    reading: _Reading | None = None
    found = False
    for event, element in walk(source, tags=(*KINDS, "Ntry", "TxDtls")):
        name = LOCAL[element.tag]
        if event == "start":
            if name in KINDS and reading is None:
                reading, found = _Reading(KINDS[name], element), True
        elif reading is None:
            continue
        elif name == "TxDtls":
            reading.keep_detail(element)
        elif name == "Ntry":
            yield from reading.entries(element)
        elif element is reading.element:
            summary = reading.summary(source.oddities)
            refuse_unproven(summary)
            yield summary
            reading = None
            _let_go(element)
    if not found:
        raise FileRefusedError("the file holds no statement, report or notification of ISO 20022")


def read_camt_statements(data: bytes, *, name: str) -> list[Statement]:
    """Return the file's final statements, each proven; `FileRefusedError` says what does not stand."""
    return gather(read_camt(io.BytesIO(data)), file_name=name, sha256=hashlib.sha256(data).hexdigest())


def _let_go(element: Element) -> None:
    """Free what was read.

    The element stays, empty, until its next sibling ends: the parser may still be writing the text after it, and
    taking that away under its hands corrupts memory.
    """
    element.clear(keep_tail=True)  # type: ignore[call-arg] # the stubs are older than the argument
    before, parent = element.getprevious(), element.getparent()
    if before is not None and parent is not None and before.tag == element.tag:
        parent.remove(before)


class _Reading:
    """One statement under way."""

    def __init__(self, kind: Kind, element: Element) -> None:
        self.kind = kind
        self.element = element
        self._dates = Dates()
        self._warnings = Warnings()
        self._details: list[Detail] = []
        self._count = 0
        self._pending = 0
        self._sum_minor = 0
        self._currency = ""
        self._first_day: date | None = None
        self._last_day: date | None = None

    def keep_detail(self, element: Element) -> None:
        self._details.append(read_detail(element))
        _let_go(element)

    def entries(self, element: Element) -> Iterator[StatementEntry]:
        head = read_head(element, self._dates, self._warnings, day=self._day)
        details, self._details = self._details, []
        _let_go(element)
        if head.status in NOT_BOOKED:
            self._pending += 1
            return
        if head.status != "BOOK":
            word = repr(head.status) if head.status else "missing"
            self._warnings.add(f"an entry's status is {word}; it is taken as booked", line=head.line)
        if not self._currency:
            self._currency = self._account_currency() or head.currency
        if head.currency != self._currency:
            raise FileRefusedError(f"an entry in {head.currency} on an account in {self._currency}", line=head.line)
        self._first_day = min(self._first_day or head.booked_on, head.booked_on)
        self._last_day = max(self._last_day or head.booked_on, head.booked_on)
        self._sum_minor += head.amount_minor
        for entry in explode(head, details, self._count + 1, self._warnings):
            self._count += 1
            yield entry

    def summary(self, oddities: list[str]) -> StatementSummary:
        parts = children(self.element)
        line = line_of(self.element)
        identifier = text_at(parts.get("Id"))
        account = self._account()
        if not identifier or not account:
            raise FileRefusedError("a statement has no identifier or names no account", line=line)
        balances = self._balances()
        self._currency = self._currency or self._account_currency() or next((b[1] for b in balances), "")
        if not self._currency:
            raise FileRefusedError(f"statement {identifier} names no currency", line=line)
        opening, opened_on = self._balance(balances, OPENING_CODES, last=False)
        closing, closed_on = self._balance(balances, CLOSING_CODES, last=True)
        if self.kind is Kind.STATEMENT and (opening is None or closing is None):
            missing = "opening" if opening is None else "closing"
            self._warnings.add(f"statement {identifier} has no {missing} balance; its entries are not proven")
        start, end = self._period(parts, opened_on, closed_on)
        for oddity in oddities:
            self._warnings.add(oddity)
        if self._pending:
            self._warnings.add(f"{self._pending} entries are announced and not booked; they are left out")
        sequence = text_at(parts.get("ElctrncSeqNb")) or text_at(parts.get("LglSeqNb"))
        return StatementSummary(
            kind=self.kind,
            identifier=identifier,
            sequence=int(sequence) if sequence.isascii() and sequence.isdigit() and len(sequence) <= 18 else None,  # noqa: PLR2004 - xs:decimal of the schema
            account=account,
            currency=self._currency,
            opened_on=start,
            closed_on=end,
            opening=opening,
            closing=closing,
            entry_count=self._count,
            entries_sum=money(self._sum_minor, self._currency, line=line),
            pending_count=self._pending,
            warnings=self._warnings.texts(),
        )

    def _account(self) -> str:
        account = children(self.element).get("Acct")
        # The last three are what the first version of the message knew.
        paths = (("IBAN",), ("Othr", "Id"), ("BBAN",), ("PrtryAcct", "Id"), ("UPIC",))
        return next((found for path in paths if (found := text_at(account, "Id", *path))), "").replace(" ", "")

    def _account_currency(self) -> str:
        return text_at(children(self.element).get("Acct"), "Ccy")

    def _day(self) -> date | None:
        """Return the day the statement was made: all it says about an entry without dates."""
        made = text_at(self.element, "FrToDt", "ToDtTm") or text_at(self.element, "CreDtTm")
        return self._dates.read(made) if made else None

    def _balances(self) -> list[tuple[str, str, int, date | None]]:
        found = []
        for element in self.element:
            if LOCAL[element.tag] != "Bal":
                continue
            line = line_of(element)
            parts = children(element)
            code = text_at(parts.get("Tp"), "CdOrPrtry", "Cd") or text_at(parts.get("Tp"), "CdOrPrtry", "Prtry")
            if "Amt" not in parts:
                raise FileRefusedError("a balance has no amount", line=line)
            currency = parts["Amt"].get("Ccy", "")
            minor = read_amount(parts["Amt"].text or "", currency, line=line)
            credit = read_sign(parts.get("CdtDbtInd"), line=line)
            day = text_at(parts.get("Dt"), "Dt") or text_at(parts.get("Dt"), "DtTm") or text_at(parts.get("Dt"))
            found.append(
                (code, currency, minor if credit else -minor, self._dates.read(day, line=line) if day else None)
            )
        return found

    def _balance(
        self, balances: list[tuple[str, str, int, date | None]], codes: tuple[str, ...], *, last: bool
    ) -> tuple[Money | None, date | None]:
        """Return the balance of the first code present; pages of one statement carry interim balances instead."""
        for code in (*codes, INTERIM_CODE):
            fitting = [balance for balance in balances if balance[0] == code and balance[1] == self._currency]
            # One interim balance alone cannot be both ends.
            if fitting and not (code == INTERIM_CODE and self._interim_is_other_end(balances, fitting, last=last)):
                _, currency, minor, day = fitting[-1 if last else 0]
                return money(minor, currency), day
        return None, None

    def _interim_is_other_end(
        self,
        balances: list[tuple[str, str, int, date | None]],
        fitting: list[tuple[str, str, int, date | None]],
        *,
        last: bool,
    ) -> bool:
        others = OPENING_CODES if last else CLOSING_CODES
        return len(fitting) == 1 and not any(balance[0] in others for balance in balances)

    def _period(self, parts: dict[str, Element], opened_on: date | None, closed_on: date | None) -> tuple[date, date]:
        """Return the days covered: the bank's own words, else the balances' dates, else the entries'."""
        start, end = (text_at(parts.get("FrToDt"), name) for name in ("FrDtTm", "ToDtTm"))
        made = text_at(parts.get("CreDtTm"))
        last = closed_on or (self._dates.read(end) if end else None) or self._last_day or opened_on
        if last is None and made:
            last = self._dates.read(made)
        if last is None:
            raise FileRefusedError("a statement says nothing of its day", line=line_of(self.element))
        first = (self._dates.read(start) if start else None) or self._first_day or last
        return min(first, last), last
