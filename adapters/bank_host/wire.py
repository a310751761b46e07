"""The bank's file channel as pure requests and answers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from urllib.parse import quote

from adapters.bank_channel import STATEMENTS, XML, Papers
from adapters.calls import Call
from adapters.contract import PayoutReport, PayoutStatus
from adapters.errors import FileRefusedError
from adapters.formats.pain002 import read_status_report
from adapters.formats.swift_text import to_wire_reference


@dataclass(frozen=True, slots=True)
class Channel(Papers):
    """Where the bank's files are, and where ours go."""

    def put_payment_file(self, message_id: str, body: bytes) -> Call:
        return Call("send payment file", "PUT", self._file(message_id), self._headers(content=XML), body)

    def get_status(self, message_id: str) -> Call:
        return Call("ask payment status", "GET", f"{self._file(message_id)}/status", self._headers())

    def list_statements(self, account_iban: str, day: date) -> Call:
        return self.list_files(STATEMENTS, account_iban, day)

    def get_statement(self, account_iban: str, day: date, name: str) -> Call:
        return self.get_file(STATEMENTS, account_iban, day, name)

    def _file(self, message_id: str) -> str:
        return f"{self.url.rstrip('/')}/payment-files/{quote(to_wire_reference(message_id), safe='')}"


def read_report(body: bytes, message_id: str) -> PayoutReport:
    """Read the bank's word on our file; what cannot be read, or speaks of another file, leaves it unknown."""
    try:
        report = read_status_report(body)
    except FileRefusedError as error:
        return unknown(f"the bank's report cannot be read: {error}")
    if report.message_id != message_id:
        return unknown(f"the bank's report speaks of {report.message_id}")
    if report.words:
        words = ", ".join(repr(word) for word in report.words)
        return PayoutReport(report.report.status, report.report.lines, f"unknown status words: {words}")
    return report.report


def unknown(reason: str) -> PayoutReport:
    return PayoutReport(PayoutStatus.UNKNOWN, {}, reason)
