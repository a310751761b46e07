"""The bank's file channel as pure requests and answers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from urllib.parse import quote

import msgspec

from adapters.calls import Call
from adapters.contract import PayoutReport, PayoutStatus
from adapters.errors import FileRefusedError, OutcomeUnknownError
from adapters.formats.pain002 import read_status_report
from adapters.formats.swift_text import to_wire_reference

XML = "application/xml"


class ListedFile(msgspec.Struct, frozen=True):
    """One statement file the bank offers."""

    name: str
    sha256: str


class Listing(msgspec.Struct, frozen=True):
    files: list[ListedFile]


@dataclass(frozen=True, slots=True)
class Channel:
    """Where the bank's files are, and the key that opens the door."""

    url: str
    api_key: str

    def put_payment_file(self, message_id: str, body: bytes) -> Call:
        return Call("send payment file", "PUT", self._file(message_id), self._headers(content=XML), body)

    def get_status(self, message_id: str) -> Call:
        return Call("ask payment status", "GET", f"{self._file(message_id)}/status", self._headers())

    def list_statements(self, account_iban: str, day: date) -> Call:
        return Call("list statements", "GET", self._day(account_iban, day), self._headers())

    def get_statement(self, account_iban: str, day: date, name: str) -> Call:
        url = f"{self._day(account_iban, day)}/{quote(name, safe='')}"
        return Call("fetch statement", "GET", url, self._headers())

    def _file(self, message_id: str) -> str:
        return f"{self.url.rstrip('/')}/payment-files/{quote(to_wire_reference(message_id), safe='')}"

    def _day(self, account_iban: str, day: date) -> str:
        return f"{self.url.rstrip('/')}/statements/{quote(account_iban, safe='')}/{day.isoformat()}"

    def _headers(self, *, content: str | None = None) -> dict[str, str]:
        headers = {"Authorization": f"Bearer {self.api_key}", "Accept": f"{XML}, application/json"}
        return headers | {"Content-Type": content} if content else headers


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


def read_listing(body: bytes) -> list[ListedFile]:
    try:
        return msgspec.json.decode(body, type=Listing).files
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise OutcomeUnknownError(f"the list of statements cannot be read: {error}") from error


def unknown(reason: str) -> PayoutReport:
    return PayoutReport(PayoutStatus.UNKNOWN, {}, reason)
