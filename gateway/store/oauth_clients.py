"""OAuth clients, and the assertions that were taken from them."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Final

from gateway.domain.caller import NO_DEPARTMENT, OAuthClient
from gateway.domain.jwks import Assertion
from gateway.store.connections import Connection, Row, from_json, to_json

_COLUMNS: Final = """id, department, label, scopes, jwks, jwks_url, live, created_at, updated_at, disabled_at,
  last_used_at, requests_per_minute, origin"""


def _client(row: Row) -> OAuthClient:
    return OAuthClient(
        id=row["id"],
        department=row["department"] or NO_DEPARTMENT,
        label=row["label"],
        scopes=frozenset(row["scopes"]),
        jwks=from_json(row["jwks"]),
        jwks_url=row["jwks_url"],
        live=row["live"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        disabled_at=row["disabled_at"],
        last_used_at=row["last_used_at"],
        requests_per_minute=row["requests_per_minute"],
        origin=row["origin"],
    )


async def insert(connection: Connection, client: OAuthClient) -> None:
    await connection.execute(
        """INSERT INTO gateway.oauth_client
                  (id, department, label, scopes, jwks, jwks_url, live, requests_per_minute, created_at, updated_at,
                   origin)
           VALUES ($1, $2, $3, $4, $5::jsonb, $6, $7, $8, $9, $9, $10)""",
        client.id, client.department or None, client.label, sorted(client.scopes),
        None if client.jwks is None else to_json(client.jwks), client.jwks_url, client.live,
        client.requests_per_minute, client.created_at, client.origin,
    )  # fmt: skip


async def read(connection: Connection, client_id: str) -> OAuthClient | None:
    row = await connection.fetchrow(f"SELECT {_COLUMNS} FROM gateway.oauth_client WHERE id = $1", client_id)
    return _client(row) if row else None


async def of_department(
    connection: Connection, department: str, *, before: str | None, limit: int
) -> list[OAuthClient]:
    """Return a department's clients, newest first, below a cursor."""
    rows = await connection.fetch(
        f"""SELECT {_COLUMNS} FROM gateway.oauth_client
             WHERE (department = $1 OR $1 = '' AND department IS NULL)
               AND ($2::text IS NULL OR id < $2) ORDER BY id DESC LIMIT $3""",
        department,
        before,
        limit,
    )
    return [_client(row) for row in rows]


async def set_keys(connection: Connection, client: OAuthClient, at: datetime) -> None:
    await connection.execute(
        "UPDATE gateway.oauth_client SET jwks = $2::jsonb, jwks_url = $3, updated_at = $4 WHERE id = $1",
        client.id,
        None if client.jwks is None else to_json(client.jwks),
        client.jwks_url,
        at,
    )


async def disable(connection: Connection, client_id: str, at: datetime) -> None:
    await connection.execute(
        """UPDATE gateway.oauth_client SET disabled_at = $2, updated_at = $2
            WHERE id = $1 AND disabled_at IS NULL""",
        client_id,
        at,
    )


async def take_assertion(connection: Connection, assertion: Assertion, at: datetime) -> bool:
    """Take an assertion and note its client's use; False when it was taken before."""
    taken = await connection.fetchval(
        """WITH taken AS (
             INSERT INTO gateway.client_assertion (client, jti_sha256, expires_at) VALUES ($1, $2, $3)
             ON CONFLICT DO NOTHING RETURNING client)
           UPDATE gateway.oauth_client c SET last_used_at = $4 FROM taken WHERE c.id = taken.client RETURNING true""",
        assertion.client,
        hashlib.sha256(assertion.jti.encode()).digest(),
        assertion.expires_at,
        at,
    )
    return bool(taken)


async def forget_assertions(connection: Connection, at: datetime, limit: int) -> int:
    """Forget assertions that are too old to be sent again."""
    rows = await connection.fetch(
        """DELETE FROM gateway.client_assertion WHERE ctid = ANY (ARRAY(
             SELECT ctid FROM gateway.client_assertion WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2))
           RETURNING 1""",
        at,
        limit,
    )
    return len(rows)
