"""Our bank's papers over its file channel, as pure requests: what two adapters fetch from the same door."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final
from urllib.parse import quote

import msgspec

from adapters.calls import Call
from adapters.errors import OutcomeUnknownError

XML: Final = "application/xml"
STATEMENTS: Final = "statements"
NOTIFICATIONS: Final = "notifications"


class ListedFile(msgspec.Struct, frozen=True):
    """One file the bank offers."""

    name: str
    sha256: str


class Listing(msgspec.Struct, frozen=True):
    files: list[ListedFile]


@dataclass(frozen=True, slots=True)
class Papers:
    """Where the bank's papers are, and the key that opens the door. `kind` is statements or notifications."""

    url: str
    api_key: str

    def list_files(self, kind: str, account_iban: str, day: date) -> Call:
        return Call(f"list {kind}", "GET", self._day(kind, account_iban, day), self._headers())

    def get_file(self, kind: str, account_iban: str, day: date, name: str) -> Call:
        url = f"{self._day(kind, account_iban, day)}/{quote(name, safe='')}"
        return Call(f"fetch {kind}", "GET", url, self._headers())

    def _day(self, kind: str, account_iban: str, day: date) -> str:
        return f"{self.url.rstrip('/')}/{kind}/{quote(account_iban, safe='')}/{day.isoformat()}"

    def _headers(self, *, content: str | None = None) -> dict[str, str]:
        headers = {"Authorization": f"Bearer {self.api_key}", "Accept": f"{XML}, application/json"}
        return headers | {"Content-Type": content} if content else headers


def read_listing(body: bytes) -> list[ListedFile]:
    try:
        return msgspec.json.decode(body, type=Listing).files
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise OutcomeUnknownError(f"the list of files cannot be read: {error}") from error
