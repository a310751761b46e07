"""Messages to payers: queued with the change they tell of, one of a kind per subject and channel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from gateway.store.connections import Connection


@dataclass(frozen=True, slots=True)
class Message:
    """One message to one payer. What it says is written when it is sent, from what its subject is then."""

    id: str
    subject: str
    kind: str
    channel: str
    recipient: str
    language: str
    tries: int = 0


async def queue(connection: Connection, messages: Sequence[Message], at: datetime) -> None:
    if not messages:
        return
    await connection.execute(
        """INSERT INTO gateway.message
                  (id, subject, kind, channel, recipient, language, status, tries, next_try_at, created_at)
           SELECT m.id, m.subject, m.kind, m.channel, m.recipient, m.language, 'waiting', 0, $7, $7
             FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[])
               AS m (id, subject, kind, channel, recipient, language)
               ON CONFLICT DO NOTHING""",
        [message.id for message in messages],
        [message.subject for message in messages],
        [message.kind for message in messages],
        [message.channel for message in messages],
        [message.recipient for message in messages],
        [message.language for message in messages],
        at,
    )


async def claim(connection: Connection, at: datetime, again_at: datetime, limit: int) -> list[Message]:
    rows = await connection.fetch(
        """UPDATE gateway.message SET tries = tries + 1, next_try_at = $2
            WHERE id = ANY (ARRAY(
              SELECT id FROM gateway.message WHERE status = 'waiting' AND next_try_at <= $1
               ORDER BY next_try_at LIMIT $3 FOR UPDATE SKIP LOCKED))
           RETURNING id, subject, kind, channel, recipient, language, tries""",
        at,
        again_at,
        limit,
    )
    return [Message(**dict(row)) for row in rows]


async def settle(
    connection: Connection, message_id: str, status: str, at: datetime, carrier_reference: str | None = None
) -> None:
    """Mark a message sent or dead."""
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
