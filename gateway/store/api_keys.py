"""Callers' keys, found by the hash of what they send."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from gateway.domain.caller import NO_DEPARTMENT, ApiKey
from gateway.store.connections import Connection, Row

_COLUMNS: Final = """id, department, label, scopes, live, created_at, expires_at, revoked_at, last_used_at,
  requests_per_minute, replaces, lineage, origin"""


def _api_key(row: Row) -> ApiKey:
    return ApiKey(
        id=row["id"],
        department=row["department"] or NO_DEPARTMENT,
        label=row["label"],
        scopes=frozenset(row["scopes"]),
        live=row["live"],
        created_at=row["created_at"],
        expires_at=row["expires_at"],
        revoked_at=row["revoked_at"],
        last_used_at=row["last_used_at"],
        requests_per_minute=row["requests_per_minute"],
        replaces=row["replaces"],
        lineage=row["lineage"],
        origin=row["origin"],
    )


async def insert(connection: Connection, key: ApiKey, sha256: bytes) -> None:
    await connection.execute(
        """INSERT INTO gateway.api_key
                  (id, sha256, department, label, scopes, live, created_at, expires_at, requests_per_minute, replaces,
                   lineage, origin)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)""",
        key.id, sha256, key.department or None, key.label, sorted(key.scopes), key.live, key.created_at, key.expires_at,
        key.requests_per_minute, key.replaces, key.lineage, key.origin,
    )  # fmt: skip


async def use(connection: Connection, sha256: bytes, at: datetime) -> ApiKey | None:
    """Find a key by its hash and note its use. Callers cache what they get, so this runs once a minute a key."""
    row = await connection.fetchrow(
        f"UPDATE gateway.api_key SET last_used_at = $2 WHERE sha256 = $1 RETURNING {_COLUMNS}", sha256, at
    )
    return _api_key(row) if row else None


async def read(connection: Connection, key_id: str) -> ApiKey | None:
    row = await connection.fetchrow(f"SELECT {_COLUMNS} FROM gateway.api_key WHERE id = $1", key_id)
    return _api_key(row) if row else None


async def lock(connection: Connection, key_id: str) -> ApiKey | None:
    row = await connection.fetchrow(f"SELECT {_COLUMNS} FROM gateway.api_key WHERE id = $1 FOR UPDATE", key_id)
    return _api_key(row) if row else None


async def successor(connection: Connection, key: ApiKey) -> ApiKey | None:
    """Return the key that replaced this one last."""
    row = await connection.fetchrow(
        f"""SELECT {_COLUMNS} FROM gateway.api_key
             WHERE (department = $1 OR $1 = '' AND department IS NULL)
               AND replaces = $2 ORDER BY id DESC LIMIT 1""",
        key.department,
        key.id,
    )
    return _api_key(row) if row else None


async def origin_of(connection: Connection, credential_id: str) -> str:
    """Return the credential the operator issued, under which this key or client was made: itself, perhaps."""
    found = await connection.fetchval(
        """SELECT coalesce(origin, id) FROM gateway.api_key WHERE id = $1
           UNION ALL SELECT coalesce(origin, id) FROM gateway.oauth_client WHERE id = $1""",
        credential_id,
    )
    return str(found or credential_id)


async def of_department(connection: Connection, department: str, *, before: str | None, limit: int) -> list[ApiKey]:
    """Return a department's keys, newest first, below a cursor."""
    rows = await connection.fetch(
        f"""SELECT {_COLUMNS} FROM gateway.api_key
             WHERE (department = $1 OR $1 = '' AND department IS NULL)
               AND ($2::text IS NULL OR id < $2) ORDER BY id DESC LIMIT $3""",
        department,
        before,
        limit,
    )
    return [_api_key(row) for row in rows]


async def revoke(connection: Connection, key_id: str, at: datetime) -> bool:
    tag = await connection.execute(
        "UPDATE gateway.api_key SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL", key_id, at
    )
    return bool(tag == "UPDATE 1")


async def expire(connection: Connection, key_id: str, at: datetime) -> None:
    """Let a key end at an instant, or sooner where it would have."""
    await connection.execute(
        "UPDATE gateway.api_key SET expires_at = least(coalesce(expires_at, $2), $2) WHERE id = $1", key_id, at
    )


async def in_use(connection: Connection, department: str, at: datetime) -> int:
    """Count a department's keys that are taken now."""
    return int(
        await connection.fetchval(
            """SELECT count(*) FROM gateway.api_key
                WHERE (department = $1 OR $1 = '' AND department IS NULL)
                  AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $2)""",
            department,
            at,
        )
    )
