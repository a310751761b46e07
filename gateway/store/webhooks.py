"""Departments' endpoints, and what is still to be delivered to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from gateway.store.connections import Connection, Row, from_json

_STRAY: Final = timedelta(hours=1)
"""How long after it was disabled an endpoint is looked at for what was queued in that very moment."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    id: str
    department: str
    url: str
    secret: bytes
    previous_secret: bytes | None
    previous_until: datetime | None
    earlier_secret: bytes | None
    earlier_until: datetime | None
    disabled_at: datetime | None
    disabled_because: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Delivery:
    """One event on its way to one endpoint, with everything the delivery needs."""

    endpoint: Endpoint
    event: str
    type: str
    object: str
    data: Mapping[str, Any]
    event_at: datetime
    tries: int
    first_try_at: datetime


_COLUMNS: Final = """id, department, url, secret, previous_secret, previous_until, earlier_secret, earlier_until,
  disabled_at, disabled_because, created_at"""


def _endpoint(row: Row) -> Endpoint:
    return Endpoint(
        id=row["id"],
        department=row["department"],
        url=row["url"],
        secret=row["secret"],
        previous_secret=row["previous_secret"],
        previous_until=row["previous_until"],
        earlier_secret=row["earlier_secret"],
        earlier_until=row["earlier_until"],
        disabled_at=row["disabled_at"],
        disabled_because=row["disabled_because"],
        created_at=row["created_at"],
    )


async def insert(connection: Connection, endpoint: Endpoint) -> None:
    await connection.execute(
        "INSERT INTO gateway.webhook_endpoint (id, department, url, secret, created_at) VALUES ($1, $2, $3, $4, $5)",
        endpoint.id,
        endpoint.department,
        endpoint.url,
        endpoint.secret,
        endpoint.created_at,
    )


async def of_department(connection: Connection, department: str, *, after: str | None, limit: int) -> list[Endpoint]:
    """Return a department's endpoints, oldest first, above a cursor."""
    rows = await connection.fetch(
        f"""SELECT {_COLUMNS} FROM gateway.webhook_endpoint
             WHERE department = $1 AND ($2::text IS NULL OR id > $2) ORDER BY id LIMIT $3""",
        department,
        after,
        limit,
    )
    return [_endpoint(row) for row in rows]


async def enabled(connection: Connection, department: str) -> int:
    """Count the endpoints a department hears by."""
    return int(
        await connection.fetchval(
            "SELECT count(*) FROM gateway.webhook_endpoint WHERE department = $1 AND disabled_at IS NULL", department
        )
    )


async def lock(connection: Connection, department: str, endpoint_id: str) -> Endpoint | None:
    row = await connection.fetchrow(
        f"SELECT {_COLUMNS} FROM gateway.webhook_endpoint WHERE id = $1 AND department = $2 FOR UPDATE",
        endpoint_id,
        department,
    )
    return _endpoint(row) if row else None


async def keep_secrets(connection: Connection, endpoint: Endpoint) -> None:
    """Write an endpoint's secrets and how long each of them signs."""
    await connection.execute(
        """UPDATE gateway.webhook_endpoint
              SET secret = $2, previous_secret = $3, previous_until = $4, earlier_secret = $5, earlier_until = $6
            WHERE id = $1""",
        endpoint.id,
        endpoint.secret,
        endpoint.previous_secret,
        endpoint.previous_until,
        endpoint.earlier_secret,
        endpoint.earlier_until,
    )


async def disable(connection: Connection, endpoint_id: str, because: str, at: datetime) -> None:
    """Stop delivering to an endpoint; what waits for it is dead and may be replayed."""
    await connection.execute(
        """WITH stopped AS (
             UPDATE gateway.webhook_endpoint SET disabled_at = $3, disabled_because = $2
              WHERE id = $1 AND disabled_at IS NULL)
           UPDATE gateway.webhook_delivery SET status = 'dead', answer = $2
            WHERE endpoint = $1 AND status = 'waiting'""",
        endpoint_id,
        because,
        at,
    )


async def read(connection: Connection, department: str, endpoint_id: str) -> Endpoint | None:
    row = await connection.fetchrow(
        f"SELECT {_COLUMNS} FROM gateway.webhook_endpoint WHERE id = $1 AND department = $2", endpoint_id, department
    )
    return _endpoint(row) if row else None


async def enable(connection: Connection, endpoint_id: str) -> None:
    await connection.execute(
        "UPDATE gateway.webhook_endpoint SET disabled_at = NULL, disabled_because = NULL WHERE id = $1", endpoint_id
    )


async def sealed_otherwise(connection: Connection, head: bytes, limit: int) -> list[Endpoint]:
    """Return endpoints with a secret that does not begin as those sealed under the present key."""
    rows = await connection.fetch(
        f"""SELECT {_COLUMNS} FROM gateway.webhook_endpoint
             WHERE substring(secret FROM 1 FOR length($1::bytea)) <> $1::bytea
                OR substring(previous_secret FROM 1 FOR length($1::bytea)) <> $1::bytea
                OR substring(earlier_secret FROM 1 FOR length($1::bytea)) <> $1::bytea
             ORDER BY id LIMIT $2 FOR UPDATE SKIP LOCKED""",
        head,
        limit,
    )
    return [_endpoint(row) for row in rows]


async def queue(connection: Connection, endpoint_id: str, event: str, about: str, at: datetime) -> None:
    """Queue one event for one endpoint alone."""
    await connection.execute(
        """INSERT INTO gateway.webhook_delivery
                  (endpoint, event, object, status, tries, next_try_at, answer, created_at)
           VALUES ($1, $2, $3, 'waiting', 0, $4, '', $4)""",
        endpoint_id,
        event,
        about,
        at,
    )


@dataclass(frozen=True, slots=True)
class Delivered:
    """What became of one event at one endpoint, for the list departments read."""

    event: str
    type: str
    status: str
    tries: int
    answer: str
    created_at: datetime
    next_try_at: datetime
    delivered_at: datetime | None


async def deliveries(
    connection: Connection, endpoint_id: str, status: str | None, *, before: str | None, limit: int
) -> list[Delivered]:
    """Return an endpoint's deliveries, newest event first, below a cursor."""
    rows = await connection.fetch(
        """SELECT d.event, e.type, d.status, d.tries, d.answer, d.created_at, d.next_try_at, d.delivered_at
             FROM gateway.webhook_delivery d JOIN gateway.event e ON e.id = d.event
            WHERE d.endpoint = $1 AND ($2::text IS NULL OR d.status = $2) AND ($3::text IS NULL OR d.event < $3)
            ORDER BY d.event DESC LIMIT $4""",
        endpoint_id,
        status,
        before,
        limit,
    )
    return [Delivered(**row) for row in rows]


async def claim(
    connection: Connection, at: datetime, again_at: datetime, *, per_endpoint: int, limit: int,
    busy: Sequence[str] = (), failing: Sequence[str] = (),
) -> list[Delivery]:  # fmt: skip
    """Take due deliveries: per object the oldest only, no more than a few an endpoint, departments in turn.

    Each endpoint is asked for its own oldest, so that no backlog hides another's; then every department gets one
    before any gets its second. Busy endpoints get nothing, failing ones a single delivery. Those disabled long ago are
    not looked at; one disabled just now may have been queued for in that moment, and what was is found dead.
    """
    rows = await connection.fetch(
        """WITH due AS (
             SELECT w.department, d.endpoint, d.event, d.next_try_at
               FROM gateway.webhook_endpoint w
               CROSS JOIN LATERAL (
                 SELECT d.endpoint, d.event, d.next_try_at FROM gateway.webhook_delivery d
                  WHERE d.endpoint = w.id AND d.status = 'waiting' AND d.next_try_at <= $1
                    AND NOT EXISTS (SELECT 1 FROM gateway.webhook_delivery earlier
                                     WHERE earlier.endpoint = d.endpoint AND earlier.object = d.object
                                       AND earlier.event < d.event AND earlier.status = 'waiting')
                  ORDER BY d.next_try_at, d.event
                  LIMIT CASE WHEN w.id = ANY ($6::text[]) THEN 1 ELSE $3 END FOR UPDATE SKIP LOCKED) d
              WHERE w.id <> ALL ($5::text[]) AND (w.disabled_at IS NULL OR w.disabled_at > $7)),
           fair AS (
             SELECT endpoint, event FROM (
               SELECT endpoint, event, next_try_at,
                      row_number() OVER (PARTITION BY department ORDER BY next_try_at, event) AS turn
                 FROM due) ranked
              ORDER BY turn, next_try_at LIMIT $4),
           taken AS (
             UPDATE gateway.webhook_delivery d
                SET tries = d.tries + 1, next_try_at = $2, first_try_at = coalesce(d.first_try_at, $1)
               FROM fair WHERE d.endpoint = fair.endpoint AND d.event = fair.event
             RETURNING d.endpoint, d.event, d.tries, d.first_try_at)
           SELECT t.event, t.tries, t.first_try_at, e.type, e.object, e.data, e.created_at AS event_at,
                  w.id, w.department, w.url, w.secret, w.previous_secret, w.previous_until, w.earlier_secret,
                  w.earlier_until, w.disabled_at, w.disabled_because, w.created_at
             FROM taken t
             JOIN gateway.event e ON e.id = t.event
             JOIN gateway.webhook_endpoint w ON w.id = t.endpoint
            ORDER BY t.event""",
        at,
        again_at,
        per_endpoint,
        limit,
        list(busy),
        list(failing),
        at - _STRAY,
    )
    return [
        Delivery(
            endpoint=_endpoint(row),
            event=row["event"],
            type=row["type"],
            object=row["object"],
            data=from_json(row["data"]),
            event_at=row["event_at"],
            tries=row["tries"],
            first_try_at=row["first_try_at"],
        )
        for row in rows
    ]


async def settle(connection: Connection, delivery: Delivery, status: str, answer: str, at: datetime) -> None:
    """Mark a delivery delivered or dead."""
    await connection.execute(
        """UPDATE gateway.webhook_delivery
              SET status = $3, answer = $4, delivered_at = CASE WHEN $3 = 'delivered' THEN $5::timestamptz END
            WHERE endpoint = $1 AND event = $2 AND status = 'waiting'""",
        delivery.endpoint.id,
        delivery.event,
        status,
        answer,
        at,
    )


async def postpone(connection: Connection, delivery: Delivery, answer: str, at: datetime) -> None:
    await connection.execute(
        "UPDATE gateway.webhook_delivery SET next_try_at = $3, answer = $4 WHERE endpoint = $1 AND event = $2",
        delivery.endpoint.id,
        delivery.event,
        at,
        answer,
    )


async def replay_dead(connection: Connection, endpoint_id: str, at: datetime) -> int:
    """Queue again all that is dead at an endpoint."""
    rows = await connection.fetch(
        """UPDATE gateway.webhook_delivery d
              SET status = 'waiting', tries = 0, first_try_at = NULL, next_try_at = $2, delivered_at = NULL
            WHERE d.endpoint = $1 AND d.status = 'dead'
           RETURNING 1""",
        endpoint_id,
        at,
    )
    return len(rows)


async def replay_event(connection: Connection, endpoint: Endpoint, event: str, at: datetime) -> bool:
    """Queue one event of the endpoint's department, whether it was delivered, died, or came while nobody listened."""
    queued = await connection.fetchval(
        """INSERT INTO gateway.webhook_delivery AS d
                  (endpoint, event, object, status, tries, next_try_at, answer, created_at)
           SELECT $1, e.id, e.object, 'waiting', 0, $4, '', $4 FROM gateway.event e
            WHERE e.id = $3 AND e.department = $2 AND (e.type <> 'webhook_endpoint.test' OR e.object = $1)
           ON CONFLICT (endpoint, event) DO UPDATE
              SET status = 'waiting', tries = 0, first_try_at = NULL, next_try_at = $4, delivered_at = NULL
           RETURNING true""",
        endpoint.id,
        endpoint.department,
        event,
        at,
    )
    return bool(queued)


async def replay_range(
    connection: Connection, endpoint: Endpoint, after: str, created_from: datetime | None,
    created_before: datetime | None, at: datetime, limit: int,
) -> tuple[int, str | None]:  # fmt: skip
    """Queue the oldest events of a time, above a cursor; return how many, and where to go on while there is more.

    What is waiting already goes on as it does.
    """
    row = await connection.fetchrow(
        """WITH chosen AS (
             SELECT id, object FROM gateway.event
              WHERE department = $2 AND id > $3 AND ($4::timestamptz IS NULL OR created_at >= $4)
                AND ($5::timestamptz IS NULL OR created_at < $5)
                AND (type <> 'webhook_endpoint.test' OR object = $1)
              ORDER BY id LIMIT $7),
           queued AS (
             INSERT INTO gateway.webhook_delivery AS d
                    (endpoint, event, object, status, tries, next_try_at, answer, created_at)
             SELECT $1, id, object, 'waiting', 0, $6, '', $6 FROM chosen
             ON CONFLICT (endpoint, event) DO UPDATE
                SET status = 'waiting', tries = 0, first_try_at = NULL, next_try_at = $6, delivered_at = NULL
              WHERE d.status <> 'waiting'
             RETURNING 1)
           SELECT (SELECT count(*) FROM queued) AS queued,
                  (SELECT max(id) FROM chosen HAVING count(*) = $7) AS last""",
        endpoint.id,
        endpoint.department,
        after,
        created_from,
        created_before,
        at,
        limit,
    )
    return int(row["queued"]), row["last"]
