"""What providers told us: stored once, applied once, each together with its effect."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec

from adapters.contract import CallbackNotice, DeclineReason, Outcome, PaymentReport, RefundReport
from gateway.store.connections import Connection
from ledger.money import Money


class _Proof(msgspec.Struct):
    """A report as it is kept: all of `PaymentReport` but its next step.

    No callback sends the payer anywhere, and msgspec reads no union of dataclasses back.
    """

    outcome: Outcome
    provider_reference: str | None = None
    reference: str | None = None
    captured: Money | None = None
    authorised: Money | None = None
    refunded: Money | None = None
    word: str = ""
    decline: DeclineReason | None = None
    occurred_at: datetime | None = None
    reversed: bool = False
    facts: dict[str, str] = {}
    unrecognised: bool = False


@dataclass(frozen=True, slots=True)
class Received:
    """One notice waiting to be applied. `proven`, or `refund`, is its report where the callback itself is proof."""

    provider: str
    event: str
    reference: str | None
    provider_reference: str | None
    word: str
    proven: PaymentReport | None
    tries: int
    continuation: str | None = None
    refund: RefundReport | None = None


def _write_proof(report: PaymentReport) -> bytes:
    return msgspec.msgpack.encode({name: getattr(report, name) for name in _Proof.__struct_fields__})


def _read_proof(kept: bytes) -> PaymentReport:
    return PaymentReport(**msgspec.structs.asdict(msgspec.msgpack.decode(kept, type=_Proof)))


async def store(
    connection: Connection, provider: str, notices: Sequence[CallbackNotice], at: datetime, try_at: datetime
) -> int:
    """Store notices not seen before; return how many were new."""
    rows = await connection.fetch(
        """INSERT INTO gateway.inbox
                  (provider, event, reference, provider_reference, word, proven, status, tries, next_try_at,
                   received_at, continuation, refund)
           SELECT $1, n.event, n.reference, n.provider_reference, n.word, n.proven, 'waiting', 0, $8, $7,
                  n.continuation, n.refund
             FROM unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::bytea[], $9::text[],
                         $10::bytea[])
               AS n (event, reference, provider_reference, word, proven, continuation, refund)
            ORDER BY n.event
               ON CONFLICT DO NOTHING RETURNING 1""",
        provider,
        [notice.event_id for notice in notices],
        [notice.reference for notice in notices],
        [notice.provider_reference for notice in notices],
        [notice.word for notice in notices],
        [_write_proof(notice.report) if notice.proven and notice.report is not None else None for notice in notices],
        at,
        try_at,
        [notice.continuation for notice in notices],
        [None if notice.refund is None else msgspec.msgpack.encode(notice.refund) for notice in notices],
    )
    return len(rows)


async def claim(connection: Connection, at: datetime, again_at: datetime, limit: int) -> list[Received]:
    """Take waiting notices, and put them aside for other workers until `again_at`."""
    rows = await connection.fetch(
        """UPDATE gateway.inbox i SET tries = i.tries + 1, next_try_at = $2
             FROM (SELECT provider, event FROM gateway.inbox
                    WHERE status = 'waiting' AND next_try_at <= $1
                    ORDER BY next_try_at LIMIT $3 FOR UPDATE SKIP LOCKED) due
            WHERE i.provider = due.provider AND i.event = due.event
           RETURNING i.provider, i.event, i.reference, i.provider_reference, i.word, i.proven, i.tries,
                     i.continuation, i.refund""",
        at,
        again_at,
        limit,
    )
    return [
        Received(
            provider=row["provider"],
            event=row["event"],
            reference=row["reference"],
            provider_reference=row["provider_reference"],
            word=row["word"],
            proven=_read_proof(row["proven"]) if row["proven"] else None,
            tries=row["tries"],
            continuation=row["continuation"],
            refund=msgspec.msgpack.decode(row["refund"], type=RefundReport) if row["refund"] else None,
        )
        for row in rows
    ]


async def settle(connection: Connection, keys: Sequence[tuple[str, str]], status: str) -> None:
    """Mark notices applied, unmatched when they name no attempt of ours, or given up to the sweep.

    What a payer brought back is of no further use then, and forgotten.
    """
    if not keys:
        return
    await connection.execute(
        """UPDATE gateway.inbox i SET status = $3, continuation = NULL
             FROM unnest($1::text[], $2::text[]) AS k (provider, event)
            WHERE i.provider = k.provider AND i.event = k.event""",
        [provider for provider, _ in sorted(keys)],
        [event for _, event in sorted(keys)],
        status,
    )


async def postpone(connection: Connection, key: tuple[str, str], at: datetime) -> None:
    await connection.execute(
        "UPDATE gateway.inbox SET next_try_at = $3 WHERE provider = $1 AND event = $2", key[0], key[1], at
    )
