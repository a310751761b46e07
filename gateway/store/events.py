"""Changes of state: written with the change, read as a feed, fanned out to endpoints from the outbox."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from gateway.store.connections import Connection, from_json, to_json


class Event(msgspec.Struct, frozen=True):
    """One change: thin, so that a department reads the object itself for the rest."""

    id: str
    department: str
    type: str
    object: str
    data: Mapping[str, Any]
    created_at: datetime


async def record(connection: Connection, events: Sequence[Event]) -> None:
    """Write events and queue them, in the transaction of the change itself."""
    if not events:
        return
    await connection.execute(
        """WITH written AS (
             INSERT INTO gateway.event (id, department, type, object, data, created_at)
             SELECT e.id, e.department, e.type, e.object, e.data::jsonb, e.created_at
               FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::timestamptz[])
                 AS e (id, department, type, object, data, created_at)
             RETURNING id, department)
           INSERT INTO gateway.outbox (event, department) SELECT id, department FROM written""",
        [event.id for event in events],
        [event.department for event in events],
        [event.type for event in events],
        [event.object for event in events],
        [to_json(event.data) for event in events],
        [event.created_at for event in events],
    )


async def feed(
    connection: Connection, department: str, *, after: str | None, before: str | None, object_id: str | None,
    created_from: datetime | None, created_before: datetime | None, settled_before: datetime, limit: int,
) -> list[Event]:  # fmt: skip
    """Return a department's events, oldest first, above a cursor.

    The newest seconds are held back: identifiers sort by when they were minted, and a transaction that commits a
    moment later must not slip in below a cursor somebody already passed.
    """
    rows = await connection.fetch(
        """SELECT id, department, type, object, data, created_at FROM gateway.event
            WHERE department = $1 AND ($2::text IS NULL OR id > $2) AND ($3::text IS NULL OR object = $3)
              AND created_at <= $4 AND ($6::text IS NULL OR id < $6)
              AND ($7::timestamptz IS NULL OR created_at >= $7) AND ($8::timestamptz IS NULL OR created_at < $8)
            ORDER BY id LIMIT $5""",
        department,
        after,
        object_id,
        settled_before,
        limit,
        before,
        created_from,
        created_before,
    )
    return [
        Event(row["id"], row["department"], row["type"], row["object"], from_json(row["data"]), row["created_at"])
        for row in rows
    ]


async def fan_out(connection: Connection, at: datetime, limit: int) -> int:
    """Turn queued events into one delivery per endpoint of their department; return how many left the queue.

    Departments in turn: each gives its oldest, so that one that changed a million things does not hold up the rest.
    """
    rows = await connection.fetch(
        """WITH oldest AS (
             SELECT o.department, o.event, row_number() OVER (PARTITION BY o.department ORDER BY o.event) AS turn
               FROM gateway.department d
               CROSS JOIN LATERAL (
                 SELECT department, event FROM gateway.outbox WHERE department = d.code ORDER BY event LIMIT $2) o),
           taken AS (
             DELETE FROM gateway.outbox o
              USING (SELECT department, event FROM oldest ORDER BY turn, event LIMIT $2) chosen
              WHERE o.department = chosen.department AND o.event = chosen.event
             RETURNING o.event, o.department),
           queued AS (
             INSERT INTO gateway.webhook_delivery
                    (endpoint, event, object, status, tries, next_try_at, answer, created_at)
             SELECT w.id, e.id, e.object, 'waiting', 0, $1, '', $1
               FROM taken t
               JOIN gateway.event e ON e.id = t.event
               JOIN gateway.webhook_endpoint w ON w.department = t.department AND w.disabled_at IS NULL
             ON CONFLICT DO NOTHING)
           SELECT event FROM taken""",
        at,
        limit,
    )
    return len(rows)


async def of_object(connection: Connection, object_id: str, *, after: str | None, limit: int) -> list[Event]:
    """Return what happened to one object, oldest first, above a cursor."""
    rows = await connection.fetch(
        """SELECT id, department, type, object, data, created_at FROM gateway.event
            WHERE object = $1 AND ($2::text IS NULL OR id > $2) ORDER BY id LIMIT $3""",
        object_id,
        after,
        limit,
    )
    return [
        Event(row["id"], row["department"], row["type"], row["object"], from_json(row["data"]), row["created_at"])
        for row in rows
    ]


async def insert_unqueued(connection: Connection, event: Event) -> None:
    """Write an event that is for one endpoint only, and so passes the outbox by."""
    await connection.execute(
        """INSERT INTO gateway.event (id, department, type, object, data, created_at)
           VALUES ($1, $2, $3, $4, $5::jsonb, $6)""",
        event.id,
        event.department,
        event.type,
        event.object,
        to_json(event.data),
        event.created_at,
    )
