"""Messages to payers: queued with the change they tell of, one of a kind per subject and channel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from gateway.store.connections import Connection


@dataclass(frozen=True, slots=True)
class Message:
    """One message to one payer. What it says is written when it is sent, from what its subject is then.

    `recipient` is sealed; in clear where it was queued before that was so. `due_at` is when it is to go out; None is
    at once.
    """

    id: str
    subject: str
    kind: str
    channel: str
    recipient: bytes | str
    language: str
    tries: int = 0
    copy_number: int = 0
    due_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of a message, for operators; the recipient is left out, because it is a person's."""

    id: str
    subject: str
    kind: str
    channel: str
    status: str
    tries: int
    created_at: datetime
    delivery: str | None


async def queue(connection: Connection, messages: Sequence[Message], at: datetime) -> None:
    if not messages:
        return
    await connection.execute(
        """INSERT INTO gateway.message
                  (id, subject, kind, channel, sealed_recipient, language, status, tries, next_try_at, created_at)
           SELECT m.id, m.subject, m.kind, m.channel, m.recipient, m.language, 'waiting', 0,
                  coalesce(m.due_at, $8), $8
             FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bytea[], $6::text[], $7::timestamptz[])
               AS m (id, subject, kind, channel, recipient, language, due_at)
               ON CONFLICT DO NOTHING""",
        [message.id for message in messages],
        [message.subject for message in messages],
        [message.kind for message in messages],
        [message.channel for message in messages],
        [message.recipient for message in messages],
        [message.language for message in messages],
        [message.due_at for message in messages],
        at,
    )


async def claim(connection: Connection, channel: str, at: datetime, again_at: datetime, limit: int) -> list[Message]:
    rows = await connection.fetch(
        """UPDATE gateway.message SET tries = tries + 1, next_try_at = $3
            WHERE id = ANY (ARRAY(
              SELECT id FROM gateway.message WHERE channel = $1 AND status = 'waiting' AND next_try_at <= $2
               ORDER BY next_try_at LIMIT $4 FOR UPDATE SKIP LOCKED))
           RETURNING id, subject, kind, channel, recipient, sealed_recipient, language, tries, copy_number""",
        channel,
        at,
        again_at,
        limit,
    )
    return [
        Message(
            id=row["id"],
            subject=row["subject"],
            kind=row["kind"],
            channel=row["channel"],
            recipient=row["sealed_recipient"] or row["recipient"],
            language=row["language"],
            tries=row["tries"],
            copy_number=row["copy_number"],
        )
        for row in rows
    ]


async def settle(
    connection: Connection, message_id: str, status: str, at: datetime, carrier_reference: str | None = None
) -> None:
    """Mark a message sent, dead or needless."""
    await connection.execute(
        """UPDATE gateway.message
              SET status = $2, sent_at = CASE WHEN $2 = 'sent' THEN $3::timestamptz END, carrier_reference = $4
            WHERE id = $1""",
        message_id,
        status,
        at,
        carrier_reference,
    )


async def note_delivery(connection: Connection, carrier_reference: str, state: str, at: datetime) -> bool:
    """Store what a carrier says became of a message; False when the reference is none of ours."""
    tag = await connection.execute(
        """UPDATE gateway.message SET delivery = $2, delivery_at = $3
            WHERE id = (SELECT id FROM gateway.message WHERE carrier_reference = $1 ORDER BY sent_at DESC LIMIT 1)""",
        carrier_reference,
        state,
        at,
    )
    return bool(tag == "UPDATE 1")


async def postpone(connection: Connection, message_id: str, at: datetime) -> None:
    await connection.execute("UPDATE gateway.message SET next_try_at = $2 WHERE id = $1", message_id, at)


async def send_again(
    connection: Connection, subject: str, kind: str, *, at: datetime, not_since: datetime
) -> list[str]:
    """Put what was sent, or given up, back into the queue; return the channels it will go out on.

    What was sent after `not_since` stays as it is: nobody's phone is to be made to ring by repeated clicks.
    """
    rows = await connection.fetch(
        """UPDATE gateway.message
              SET status = 'waiting', tries = 0, next_try_at = $3, copy_number = copy_number + 1,
                  delivery = NULL, delivery_at = NULL
            WHERE subject = $1 AND kind = $2
              AND (status = 'dead' OR (status = 'sent' AND sent_at <= $4))
           RETURNING channel""",
        subject,
        kind,
        at,
        not_since,
    )
    return sorted(row["channel"] for row in rows)


async def exist(connection: Connection, subject: str, kind: str) -> bool:
    found = await connection.fetchval(
        "SELECT true FROM gateway.message WHERE subject = $1 AND kind = $2", subject, kind
    )
    return bool(found)


async def not_delivered(connection: Connection, *, since: datetime, limit: int) -> list[Fate]:
    """List what was given up, and what a carrier says never arrived, newest first."""
    rows = await connection.fetch(
        """SELECT id, subject, kind, channel, status, tries, created_at, delivery FROM gateway.message
            WHERE created_at >= $1
              AND (status = 'dead' OR (status = 'sent' AND delivery IS NOT NULL AND delivery <> 'DELIVRD'))
            ORDER BY created_at DESC LIMIT $2""",
        since,
        limit,
    )
    return [Fate(**dict(row)) for row in rows]
