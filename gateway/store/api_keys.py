"""Callers' keys, found by the hash of what they send."""

from __future__ import annotations

from datetime import datetime

from gateway.domain.caller import ApiKey
from gateway.store.connections import Connection, Row


def _api_key(row: Row) -> ApiKey:
    return ApiKey(
        id=row["id"],
        department=row["department"],
        label=row["label"],
        scopes=frozenset(row["scopes"]),
        live=row["live"],
        created_at=row["created_at"],
        expires_at=row["expires_at"],
        revoked_at=row["revoked_at"],
        last_used_at=row["last_used_at"],
    )


async def insert(connection: Connection, key: ApiKey, sha256: bytes) -> None:
    await connection.execute(
        """INSERT INTO gateway.api_key (id, sha256, department, label, scopes, live, created_at, expires_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8)""",
        key.id, sha256, key.department, key.label, sorted(key.scopes), key.live, key.created_at, key.expires_at,
    )  # fmt: skip


async def use(connection: Connection, sha256: bytes, at: datetime) -> ApiKey | None:
    """Find a key by its hash and note its use. Callers cache what they get, so this runs once a minute a key."""
    row = await connection.fetchrow(
        """UPDATE gateway.api_key SET last_used_at = $2 WHERE sha256 = $1
           RETURNING id, department, label, scopes, live, created_at, expires_at, revoked_at, last_used_at""",
        sha256,
        at,
    )
    return _api_key(row) if row else None


async def revoke(connection: Connection, key_id: str, at: datetime) -> bool:
    tag = await connection.execute(
        "UPDATE gateway.api_key SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL", key_id, at
    )
    return bool(tag == "UPDATE 1")
