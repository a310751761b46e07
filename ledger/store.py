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


_VERDICTS: Final = tuple(Verdict)


_POST_BATCH: Final = """
SELECT o_status, o_journal FROM ledger.post_batch(
  $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25)
"""

# What is alike for every item of a collective entry is made where it is wanted: its account, and its place in turn.
_POST_COLLECTIVE: Final = """
SELECT p.o_status, p.o_journal
  FROM (SELECT $22::integer[] AS accounts, cardinality($21::integer[]) AS whole,
               ($23::smallint[])[1] AS first, cardinality($24::bigint[]) AS postings) c
 CROSS JOIN LATERAL ledger.post_batch(
  $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20,
  array_fill(1, ARRAY[c.postings]),
  c.accounts || array_fill(c.accounts[c.whole], ARRAY[c.postings - c.whole]),
  ARRAY(SELECT seq::smallint FROM generate_series(c.first, c.postings) seq), $24, $25) p
"""

_POST_ENTRY: Final = """
SELECT o_status, o_journal FROM ledger.post_entry(
  $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23)
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


_FINGERPRINT: Final = tuple(_Columns.__dataclass_fields__).index("fingerprint")
_RARE: Final = tuple(
    number
    for number, name in enumerate(_Columns.__dataclass_fields__)
    if name in ("file", "line", "corrects", "late_for")
)


def _pack(entries: Sequence[Entry]) -> list[list[Any]]:
    """Return a batch as the arrays the function takes; of a column that is all NULL, as most are, none is sent."""
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
    arrays = [getattr(columns, name) for name in _Columns.__dataclass_fields__]
    for number in _RARE:
        if not any(value is not None for value in arrays[number]):
            arrays[number] = []
    return arrays


def _pack_one(entry: Entry) -> tuple[Any, ...]:
    """Return one entry as the function for a single entry takes it: only its accounts and postings are arrays."""
    source = entry.source
    numbers: dict[tuple[str, str], int] = {}
    accounts = [
        numbers.setdefault((posting.account, posting.amount.currency), len(numbers) + 1) for posting in entry.postings
    ]
    kinds = [check_path(path) for path, _ in numbers]
    return (
        entry.reference, entry.fingerprint(), entry.kind, entry.business_date, entry.effective_at, source.payment,
        source.provider, source.provider_reference, source.file, source.line, entry.corrects, entry.late_for,
        entry.below_floor, entry.description,
        [path for path, _ in numbers], [currency for _, currency in numbers],
        [kind.type.value for kind in kinds], [kind.side.value for kind in kinds],
        [kind.kept is Kept.BY_ITEM for kind in kinds],
        accounts, [posting.amount.amount_minor for posting in entry.postings],
        [posting.item for posting in entry.postings],
    )  # fmt: skip


async def post_one(connection: Connection, entry: Entry, recorded_at: datetime) -> list[tuple[Verdict, int | None]]:
    """Post one entry by the short way, which hands what is not plain to the long one."""
    return _verdicts(await connection.fetchrow(_POST_ENTRY, recorded_at, *_pack_one(entry)))


async def post_many(
    connection: Connection, entries: Sequence[Entry], recorded_at: datetime
) -> list[tuple[Verdict, int | None]]:
    """Post the entries in one statement and answer each, in order, with its verdict and journal."""
    return _verdicts(await connection.fetchrow(_POST_BATCH, recorded_at, *_pack(entries)))


async def post_collective(
    connection: Connection, whole: Entry, fingerprint: bytes, items: Sequence[str], amounts: Sequence[int],
    recorded_at: datetime,
) -> tuple[Verdict, int | None]:  # fmt: skip
    """Post one entry whose last posting is taken apart into one for each item."""
    arrays = _pack([whole])
    arrays[_FINGERPRINT] = [fingerprint]
    *_, amount, item = arrays
    amount[-1:] = amounts
    item[-1:] = items
    (verdict,) = _verdicts(await connection.fetchrow(_POST_COLLECTIVE, recorded_at, *arrays))
    return verdict


async def post_batch(
    connection: Connection, entries: Sequence[Entry], recorded_at: datetime
) -> list[tuple[Verdict, int | None]]:
    """Post the entries, by the way made for their number; either leaves the same books."""
    if len(entries) == 1:
        return await post_one(connection, entries[0], recorded_at)
    return await post_many(connection, entries, recorded_at)


def _verdicts(row: Any) -> list[tuple[Verdict, int | None]]:
    if row is None:  # a function with OUT parameters always answers one row
        raise RuntimeError("the ledger's function gave no answer")
    return [(_VERDICTS[status], journal) for status, journal in zip(row["o_status"], row["o_journal"], strict=True)]
