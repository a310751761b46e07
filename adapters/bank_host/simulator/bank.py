"""What the simulated bank does with what it gets: judge, book, close days, tell."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from adapters.bank_host.simulator.book import Book, Booking, FileRow, PaymentRow, StatementRow
from adapters.bank_host.simulator.faults import LINE_FAULTS, Fault, Faults
from adapters.bank_host.simulator.orders import read_order
from adapters.bank_host.simulator.papers import fitted, write_notification, write_statement, write_status
from adapters.formats.creditor_reference import is_valid
from adapters.formats.swift_text import from_wire_reference, to_wire_reference
from ledger.money import Money

ZONE: Final = ZoneInfo("Asia/Dubai")
SATURDAY: Final = 5
DAYS_CLOSED_MAX: Final = 3700


class NotOursError(Exception):
    """The bank knows no such file, account or day."""


class ConflictError(Exception):
    """The same identifier came with another content."""


class Bank:
    """One account at one bank."""

    def __init__(
        self,
        *,
        clock: Callable[[], datetime],
        random_bytes: Callable[[int], bytes],
        book_path: str,
        account_iban: str,
        account_owner: str,
        currency: str,
        opening_balance_minor: int,
        booking_delay_days: int,
        business_days_only: bool,
    ) -> None:
        self._clock = clock
        self._random_bytes = random_bytes
        self._iban = account_iban
        self._owner = account_owner
        self._currency = currency
        self._delay_days = booking_delay_days
        self._business_days_only = business_days_only
        self.book = Book(book_path, opened_on=self.today(), opening_balance_minor=opening_balance_minor)
        self.faults = Faults()

    @property
    def currency(self) -> str:
        return self._currency

    def mint(self) -> str:
        """Return an id nothing else has."""
        return self._random_bytes(12).hex()

    def today(self) -> date:
        return self._clock().astimezone(ZONE).date()

    def take_order(self, message_id: str, body: bytes, fault: Fault | None) -> bool:
        """Take a payment file once; return whether it is new. The same id with other bytes is refused."""
        digest = hashlib.sha256(body).hexdigest()
        known = self.book.file(message_id)
        if known is not None:
            if known.sha256 != digest:
                raise ConflictError(f"{message_id} is another file already")
            return False
        order = read_order(body, account_iban=self._iban, currency=self._currency, knows_line=self.book.knows_line)
        if order.message_id != message_id:
            raise ValueError(f"the file's own message id is {order.message_id}")
        kind = fault.kind if fault else ""
        reason, payments = order.reason, list(order.payments)
        if fault is not None and kind == "reject_file":
            reason = fault.text("code", "NARR")
        if fault is not None and kind == "reject_line":
            at = _line_at(fault, payments)
            row = payments[at]
            code = fault.text("code", "AC04")
            payments[at] = PaymentRow(row.end_to_end_id, row.amount_minor, row.creditor, row.creditor_iban, code)
        debit_on = self._debit_day(order.execution_date)
        self.book.keep_file(
            FileRow(
                message_id, digest, self._clock().isoformat(), debit_on, order.one_debit, reason, kind == "never_answer"
            ),
            payments,
        )
        if reason is None:
            paid = [payment for payment in payments if payment.reason is None]
            kind_of_debit = "payout_batch" if order.one_debit else "payout"
            debits = [self._debit(message_id, payment, debit_on, kind_of_debit) for payment in paid]
            if fault is not None and kind == "return_line":
                returned = payments[_line_at(fault, payments)]
                debits.append(self._returned(message_id, returned, debit_on, fault))
            self.book.add(debits)
        return True

    def _debit_day(self, execution_date: date) -> date:
        day = max(execution_date, self.today() + timedelta(days=self._delay_days))
        while self._business_days_only and day.weekday() >= SATURDAY:
            day += timedelta(days=1)
        return day

    def _debit(self, message_id: str, payment: PaymentRow, day: date, kind: str) -> Booking:
        return Booking(
            booked_on=day,
            amount_minor=-payment.amount_minor,
            currency=self._currency,
            kind=kind,
            remittance=f"OUTWARD TRANSFER {payment.end_to_end_id}",
            end_to_end_id=payment.end_to_end_id,
            batch_reference=message_id,
            counterparty=payment.creditor,
            counterparty_iban=payment.creditor_iban,
        )

    def _returned(self, message_id: str, payment: PaymentRow, debit_on: date, fault: Fault) -> Booking:
        return Booking(
            booked_on=debit_on + timedelta(days=fault.number("days", 1)),
            amount_minor=payment.amount_minor,
            currency=self._currency,
            kind="return",
            remittance=f"RETURN OF {payment.end_to_end_id}",
            end_to_end_id=payment.end_to_end_id,
            batch_reference=message_id,
            counterparty=payment.creditor,
            counterparty_iban=payment.creditor_iban,
            return_reason=fault.text("code", "AC04"),
        )

    def is_silent(self, message_id: str) -> bool:
        return (file := self.book.file(message_id)) is not None and file.silent

    def status(self, message_id: str, *, word: str | None) -> bytes:
        file = self.book.file(message_id)
        if file is None:
            raise NotOursError(f"no payment file {message_id}")
        payments = self.book.payments(message_id)
        report_id = f"STS{self._random_bytes(12).hex()}"
        return write_status(file, payments, report_id=report_id, made_at=self._clock(), today=self.today(), word=word)

    def book_credit(self, wish: dict[str, Any]) -> tuple[Booking, bool]:
        """Book somebody else's payment once per `credit_id`; return it and whether it is new."""
        amount_minor = wish["amount_minor"]
        if type(amount_minor) is not int or amount_minor == 0:
            raise ValueError("amount_minor must be a whole number that is not zero")
        if wish.get("currency", self._currency) != self._currency:
            raise ValueError(f"the account is kept in {self._currency}")
        credit_id = str(wish["credit_id"])
        told_at = self._clock() + timedelta(seconds=float(wish.get("delay_s", 0)))
        day = told_at.astimezone(ZONE).date()
        asked = Booking(
            booked_on=date.fromisoformat(str(wish["booked_on"])) if wish.get("booked_on") else day,
            amount_minor=amount_minor,
            currency=self._currency,
            kind="credit",
            remittance=str(wish.get("remittance", "")),
            credit_id=credit_id,
            end_to_end_id=str(wish["end_to_end_id"]) if wish.get("end_to_end_id") else None,
            counterparty=str(wish["debtor"]) if wish.get("debtor") else None,
            counterparty_iban=str(wish["debtor_iban"]) if wish.get("debtor_iban") else None,
            creditor_iban=self._account_of_ours(str(wish["creditor_iban"])) if wish.get("creditor_iban") else None,
            told_at=told_at.isoformat(),
        )
        known = self.book.credit(credit_id)
        if known is not None:
            if (known.amount_minor, known.remittance) != (asked.amount_minor, asked.remittance):
                raise ConflictError(f"credit {credit_id} was booked with another amount or remittance")
            return known, False
        return self.book.add([asked])[0], True

    def _account_of_ours(self, iban: str) -> str:
        """Take the customer's account or a virtual one: any valid number of its bank leads to it."""
        given = iban.replace(" ", "").upper()
        if not is_valid(given) or given[:2] != self._iban[:2] or given[4:7] != self._iban[4:7]:
            raise NotOursError(f"{given} is not an account of this customer")
        return given

    def notification_files(self, iban: str, day: date) -> list[tuple[str, str]]:
        """Return name and digest of a notification for each credit of the day that the bank has told of so far."""
        return [(name, hashlib.sha256(body).hexdigest()) for name, body in self._notifications(iban, day)]

    def notification_file(self, iban: str, day: date, name: str) -> bytes:
        for known, body in self._notifications(iban, day):
            if known == name:
                return body
        raise NotOursError(f"no notification {name}")

    def _notifications(self, iban: str, day: date) -> Iterator[tuple[str, bytes]]:
        if iban != self._iban:
            raise NotOursError(f"{iban} is not an account of this customer")
        now = self._clock().isoformat()
        for booking in self.book.bookings(on=day):
            if booking.kind == "credit" and booking.amount_minor > 0 and (booking.told_at or now) <= now:
                body = write_notification(booking, account_iban=self._iban, currency=self._currency, owner=self._owner)
                yield f"camt054-{day:%Y%m%d}-{booking.bank_reference}.xml", body

    def close_days(self, last: date) -> list[date]:
        """Close every open day up to and including the last, each with its statement in sequence."""
        day = self.book.first_open_day() or self.book.first_day()
        closed: list[date] = []
        while day <= last and len(closed) < DAYS_CLOSED_MAX:
            earlier = self.book.statement(day - timedelta(days=1))
            opening_minor = earlier.closing_minor if earlier else self.book.opening_balance_minor
            faults = [fault for fault in self.faults.of_day(day) if fault.kind in LINE_FAULTS]
            told = fitted(self.book.bookings(on=day), faults, self._currency)
            sequence = earlier.sequence + 1 if earlier else 1
            closing_minor = opening_minor + sum(line.amount_minor for line in told)
            self.book.keep_statement(StatementRow(day, sequence, opening_minor, closing_minor, tuple(told)))
            closed.append(day)
            day += timedelta(days=1)
        return closed

    def statement_files(self, iban: str, day: date) -> list[tuple[str, str]]:
        """Return name and digest of the day's files: none before the day is over, or while it is late."""
        body = self._statement(iban, day)
        if body is None:
            return []
        return [(f"camt053-{day:%Y%m%d}.xml", hashlib.sha256(body).hexdigest())]

    def statement_file(self, iban: str, day: date, name: str) -> bytes:
        body = self._statement(iban, day)
        if body is None or name != f"camt053-{day:%Y%m%d}.xml":
            raise NotOursError(f"no statement {name}")
        return body

    def _statement(self, iban: str, day: date) -> bytes | None:
        if iban != self._iban:
            raise NotOursError(f"{iban} is not an account of this customer")
        faults = self.faults.of_day(day)
        late_days = max((fault.number("days", 1) for fault in faults if fault.kind == "late"), default=0)
        if late_days and self.today() <= day + timedelta(days=late_days):
            return None
        if self.today() > day:
            self.close_days(self.today() - timedelta(days=1))
        row = self.book.statement(day)
        if row is None:
            return None
        made_at = datetime.combine(day + timedelta(days=1), datetime.min.time(), ZONE)
        return write_statement(
            row, faults, account_iban=self._iban, currency=self._currency, owner=self._owner, made_at=made_at
        )

    def everything(self) -> dict[str, Any]:
        """Return the whole book; `reference` is the end-to-end id in the customer's own spelling."""
        bookings = self.book.bookings()
        booked = [booking for booking in bookings if booking.booked_on <= self.today()]
        return {
            "account_iban": self._iban,
            "currency": self._currency,
            "opening_balance_minor": self.book.opening_balance_minor,
            "balance_minor": self.book.opening_balance_minor + sum(b.amount_minor for b in booked),
            "balance": str(
                Money(self.book.opening_balance_minor + sum(b.amount_minor for b in booked), self._currency)
            ),
            "bookings": [
                {
                    "booked_on": b.booked_on.isoformat(),
                    "amount_minor": b.amount_minor,
                    "currency": b.currency,
                    "kind": b.kind,
                    "bank_reference": b.bank_reference,
                    "credit_id": b.credit_id,
                    "end_to_end_id": b.end_to_end_id,
                    "reference": from_wire_reference(b.end_to_end_id) if b.end_to_end_id else None,
                    "message_id": from_wire_reference(b.batch_reference) if b.batch_reference else None,
                    "remittance": b.remittance,
                    "counterparty": b.counterparty,
                    "counterparty_iban": b.counterparty_iban,
                    "creditor_iban": b.creditor_iban,
                    "return_reason": b.return_reason,
                }
                for b in bookings
            ],
            "payment_files": [
                {
                    "message_id": from_wire_reference(file.message_id),
                    "sha256": file.sha256,
                    "received_at": file.received_at,
                    "debit_on": file.debit_on.isoformat(),
                    "reason": file.reason,
                    "lines": [
                        {
                            "reference": from_wire_reference(payment.end_to_end_id),
                            "amount_minor": payment.amount_minor,
                            "creditor_iban": payment.creditor_iban,
                            "reason": file.reason or payment.reason,
                        }
                        for payment in self.book.payments(file.message_id)
                    ],
                }
                for file in self.book.files()
            ],
            "statements": [
                {
                    "day": s.day.isoformat(),
                    "sequence": s.sequence,
                    "opening_minor": s.opening_minor,
                    "closing_minor": s.closing_minor,
                    "entry_count": len(s.told),
                }
                for s in self.book.statements()
            ],
        }


def _line_at(fault: Fault, payments: list[PaymentRow]) -> int:
    """Return the place of the line the fault means: its end-to-end id in either spelling, or its number from 0."""
    wish = fault.details.get("line", 0)
    if isinstance(wish, int):
        return wish % len(payments)
    ids = [payment.end_to_end_id for payment in payments]
    return ids.index(to_wire_reference(str(wish)))
