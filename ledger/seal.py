"""Sealing a business day: an Ed25519 signature over the day's head and trial balance, each seal over the one before.

What is signed is plain text, so that anybody can rebuild it from an export and check it with the public key.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from ledger.decisions import close_period, closed_until
from ledger.errors import SealError
from ledger.store import Connection

TRIAL_BALANCE: Final = """
SELECT coalesce(string_agg(format('%s %s %s %s', a.path, a.currency, b.debit_minor, b.credit_minor), E'\\n'
                           ORDER BY a.path, a.currency), '')
  FROM ledger.account a JOIN ledger.balance b ON b.account_id = a.id
"""


@dataclass(frozen=True, slots=True)
class Seal:
    """One sealed day: everything recorded up to `journal_id`, as signed."""

    number: int
    business_date: date
    journal_id: int
    journal_hash: bytes
    decision_id: int
    decision_hash: bytes
    sealed_at: datetime
    trial_balance: str
    previous: bytes
    public_key: bytes
    signature: bytes = b""

    def message(self) -> bytes:
        """Return the text that is signed."""
        return (
            "mizan ledger seal 1\n"
            f"number {self.number}\n"
            f"business_date {self.business_date.isoformat()}\n"
            f"journal {self.journal_id} {self.journal_hash.hex()}\n"
            f"decision {self.decision_id} {self.decision_hash.hex()}\n"
            f"sealed_at {self.sealed_at.astimezone(UTC).isoformat(timespec='microseconds')}\n"
            f"trial_balance {hashlib.sha256(self.trial_balance.encode()).hexdigest()}\n"
            f"previous {self.previous.hex()}\n"
            f"public_key {self.public_key.hex()}\n"
        ).encode()

    def hash(self) -> bytes:
        """Return the SHA-256 of message and signature, which the next seal signs."""
        return hashlib.sha256(self.message() + self.signature).digest()

    def is_authentic(self) -> bool:
        """Tell whether the signature is that of the key the seal names."""
        try:
            Ed25519PublicKey.from_public_bytes(self.public_key).verify(self.signature, self.message())
        except (InvalidSignature, ValueError):
            return False
        return True

    @classmethod
    def from_row(cls, row: Any) -> Seal:
        return cls(**{name: row[name] for name in cls.__dataclass_fields__})


async def seal_day(
    connection: Connection,
    business_date: date,
    *,
    ends_at: datetime,
    key: Ed25519PrivateKey,
    sealed_at: datetime,
    sealed_by: str,
) -> Seal:
    """Close a business day, which ends at `ends_at` in its own time zone, and seal the books as they then stand."""
    async with connection.transaction():
        await connection.execute("SELECT ledger.hold_head()")
        last: date | None = await connection.fetchval("SELECT max(business_date) FROM ledger.seal")
        if last is not None and last >= business_date:
            raise SealError(f"{business_date} cannot be sealed: {last} is sealed already")
        closed = await closed_until(connection)
        if closed is None or closed < business_date:
            await close_period(
                connection,
                until=business_date,
                ends_at=ends_at,
                reason="sealed",
                decided_by=sealed_by,
                recorded_at=sealed_at,
            )
        head = await connection.fetchrow("SELECT * FROM ledger.head")
        if head is None:
            raise SealError("the ledger has no head row")
        unsigned = Seal(
            number=head["seal_number"] + 1,
            business_date=business_date,
            journal_id=head["journal_id"],
            journal_hash=head["hash"],
            decision_id=head["decision_id"],
            decision_hash=head["decision_hash"],
            sealed_at=sealed_at,
            trial_balance=await connection.fetchval(TRIAL_BALANCE),
            previous=head["seal_hash"],
            public_key=key.public_key().public_bytes_raw(),
        )
        seal = replace(unsigned, signature=key.sign(unsigned.message()))
        await connection.execute(
            "SELECT ledger.add_seal($1, $2, $3, $4, $5, $6)",
            business_date,
            sealed_at,
            seal.trial_balance,
            seal.public_key,
            seal.signature,
            seal.hash(),
        )
    return seal


async def seals(connection: Connection) -> list[Seal]:
    """Return every seal, oldest first."""
    return [Seal.from_row(row) for row in await connection.fetch("SELECT * FROM ledger.seal ORDER BY number")]
