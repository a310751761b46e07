"""The daily close certificate: a few hundred lines of JSON that anybody can check with the public key alone.

The first line says whose decision it is, the second is the ledger's seal, then a line for every account and every
break that stood; the last line signs all the bytes before it. Every account's line carries the totals the seal signed,
so the day's figures cannot be others than the sealed books'.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Final

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ledger.seal import Seal

VERSION: Final = 1


@dataclass(frozen=True, slots=True)
class AccountDay:
    """One account on the day: debit above zero. `after_minor` moved on later dates before the seal was set."""

    account: str
    currency: str
    opening_minor: int
    debit_minor: int
    credit_minor: int
    closing_minor: int
    after_minor: int
    sealed_debit_minor: int
    sealed_credit_minor: int


@dataclass(frozen=True, slots=True)
class StandingBreak:
    """A difference that stood when the day was closed, with who has it and why."""

    id: str
    type: str
    owner: str
    reason: str
    currency: str | None
    amount_minor: int
    since: str


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    if isinstance(value, date):
        return value.isoformat()
    return value.hex() if isinstance(value, bytes) else value


def _line(record: str, fields: Mapping[str, Any]) -> str:
    return msgspec.json.encode({"record": record, **{name: _plain(fields[name]) for name in fields}}).decode() + "\n"


def write_certificate(
    key: Ed25519PrivateKey, seal: Seal, decision: Mapping[str, Any], accounts: Iterable[AccountDay],
    standing: Iterable[StandingBreak],
) -> str:  # fmt: skip
    """Write and sign the certificate of a sealed day."""
    lines = [
        _line("certificate", {"version": VERSION, "business_date": seal.business_date, **decision}),
        _line("seal", {name: getattr(seal, name) for name in Seal.__dataclass_fields__ if name != "trial_balance"}),
        *(_line("account", _fields(one)) for one in accounts),
        *(_line("break", _fields(one)) for one in standing),
    ]
    signed = "".join(lines).encode()
    signature = {"public_key": key.public_key().public_bytes_raw(), "signature": key.sign(signed)}
    return signed.decode() + _line("signature", signature)


def _fields(one: AccountDay | StandingBreak) -> dict[str, Any]:
    return {name: getattr(one, name) for name in one.__dataclass_fields__}


def read_certificate(text: str) -> dict[str, list[dict[str, Any]]]:
    """Give a certificate's lines by their kind."""
    found: dict[str, list[dict[str, Any]]] = {"account": [], "break": []}
    for line in text.splitlines():
        record = msgspec.json.decode(line, type=dict[str, Any])
        found.setdefault(str(record.pop("record")), []).append(record)
    return found
