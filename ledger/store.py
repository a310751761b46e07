"""The one door through which entries become rows: packs a batch into arrays and calls the database's function."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import IntEnum
from typing import Any, Final, TypeAlias

import asyncpg
from asyncpg.pool import PoolConnectionProxy

from ledger.accounts import Kept, check_path
from ledger.entry import Entry

Connection: TypeAlias = "asyncpg.Connection[Any] | PoolConnectionProxy[Any]"
Pool: TypeAlias = "asyncpg.Pool[Any]"


class Verdict(IntEnum):
    """What `ledger.post_batch` answers for one entry."""

    POSTED = 0
    REPEATED = 1
    REFERENCE_REUSED = 2
    BELOW_FLOOR = 3
    PERIOD_CLOSED = 4
    CORRECTS_UNKNOWN = 5
    BEYOND_TOTALS = 6


_POST_BATCH: Final = """
SELECT o_status, o_journal FROM ledger.post_batch(
  $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25)
"""


@dataclass(slots=True)
class _Columns:
    """A batch as the parallel arrays the function takes, in its order."""

    reference: list[str] = field(default_factory=list)
    fingerprint: list[bytes] = field(default_factory=list)
    kind: list[str] = field(default_factory=list)
    business_date: list[date] = field(default_factory=list)
    effective_at: list[datetime] = field(default_factory=list)
    payment: list[str | None] = field(default_factory=list)
    provider: list[str | None] = field(default_factory=list)
    provider_reference: list[str | None] = field(default_factory=list)
    file: list[str | None] = field(default_factory=list)
    line: list[int | None] = field(default_factory=list)
    corrects: list[int | None] = field(default_factory=list)
    late_for: list[date | None] = field(default_factory=list)
    below_floor: list[bool] = field(default_factory=list)
    description: list[str] = field(default_factory=list)
    path: list[str] = field(default_factory=list)
    currency: list[str] = field(default_factory=list)
    type: list[str] = field(default_factory=list)
    side: list[str] = field(default_factory=list)
    by_item: list[bool] = field(default_factory=list)
    entry: list[int] = field(default_factory=list)
    account: list[int] = field(default_factory=list)
    seq: list[int] = field(default_factory=list)
    amount: list[int] = field(default_factory=list)
    item: list[str | None] = field(default_factory=list)


def _pack(entries: Sequence[Entry]) -> _Columns:
    columns = _Columns()
    accounts: dict[tuple[str, str], int] = {}
    for number, entry in enumerate(entries, 1):
        source = entry.source
        columns.reference.append(entry.reference)
        columns.fingerprint.append(entry.fingerprint())
        columns.kind.append(entry.kind)
        columns.business_date.append(entry.business_date)
        columns.effective_at.append(entry.effective_at)
        columns.payment.append(source.payment)
        columns.provider.append(source.provider)
        columns.provider_reference.append(source.provider_reference)
        columns.file.append(source.file)
        columns.line.append(source.line)
        columns.corrects.append(entry.corrects)
        columns.late_for.append(entry.late_for)
        columns.below_floor.append(entry.below_floor)
        columns.description.append(entry.description)
        for seq, posting in enumerate(entry.postings, 1):
            amount = posting.amount
            key = (posting.account, amount.currency)
            columns.entry.append(number)
            columns.account.append(accounts.get(key) or accounts.setdefault(key, len(accounts) + 1))
            columns.seq.append(seq)
            columns.amount.append(amount.amount_minor)
            columns.item.append(posting.item)
    for path, currency in accounts:
        kind = check_path(path)
        columns.path.append(path)
        columns.currency.append(currency)
        columns.type.append(kind.type.value)
        columns.side.append(kind.side.value)
        columns.by_item.append(kind.kept is Kept.BY_ITEM)
    return columns


async def post_batch(
    connection: Connection, entries: Sequence[Entry], recorded_at: datetime
) -> list[tuple[Verdict, int | None]]:
    """Post the entries in one statement and answer each, in order, with its verdict and journal."""
    columns = _pack(entries)
    row = await connection.fetchrow(
        _POST_BATCH, recorded_at, *(getattr(columns, name) for name in _Columns.__dataclass_fields__)
    )
    if row is None:  # a function with OUT parameters always answers one row
        raise RuntimeError("ledger.post_batch gave no answer")
    return [(Verdict(status), journal) for status, journal in zip(row["o_status"], row["o_journal"], strict=True)]
