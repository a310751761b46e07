"""What keys and OAuth clients have in common: whose hands they went through, what they made, that they were ended."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from gateway.store.connections import Connection

_EITHER: Final = """(
  SELECT id, department, coalesce(origin, id) AS origin, hands, expires_at, revoked_at AS ended_at, requests_per_minute
    FROM gateway.api_key
  UNION ALL
  SELECT id, department, coalesce(origin, id), hands, expires_at, disabled_at, requests_per_minute
    FROM gateway.oauth_client)"""


@dataclass(frozen=True, slots=True)
class Standing:
    """What a credential can hand on: its time, its rate, and the origins that count as one pair of eyes with it."""

    department: str | None
    expires_at: datetime | None
    ended_at: datetime | None
    requests_per_minute: int | None
    eyes: frozenset[str]

    def is_over(self, now: datetime) -> bool:
        return self.ended_at is not None or (self.expires_at is not None and self.expires_at <= now)


async def standing(connection: Connection, credential_id: str) -> Standing | None:
    row = await connection.fetchrow(
        f"""SELECT department, origin, hands, expires_at, ended_at, requests_per_minute
              FROM {_EITHER} either WHERE id = $1""",
        credential_id,
    )
    if row is None:
        return None
    eyes = frozenset((row["origin"], *row["hands"]))
    return Standing(row["department"], row["expires_at"], row["ended_at"], row["requests_per_minute"], eyes)


async def eyes_of(connection: Connection, credential_id: str) -> frozenset[str]:
    """Return the origins that count as one pair of eyes with a credential: the operator's issues it goes back to."""
    found = await standing(connection, credential_id)
    return found.eyes if found is not None else frozenset((credential_id,))


async def lock_department(connection: Connection, department: str | None) -> None:
    """Let one transaction at a time count a department's things and add to them. Payments go on."""
    await connection.execute("SELECT 1 FROM gateway.department WHERE code = $1 FOR NO KEY UPDATE", department)


async def end(
    connection: Connection, credential_id: str, at: datetime, *, with_all_it_made: bool, but: str | None
) -> list[str]:
    """End a credential, or all it made or put keys into too, and what that made in turn; return what was in use.

    What was made before it was kept which credential made it is known by the origin. `but` names one that stays.
    """
    rows = await connection.fetch(
        """WITH RECURSIVE family AS (
             SELECT $1::text COLLATE "C" AS id
             UNION
             SELECT made.id
               FROM family
               JOIN (SELECT id, made_by, origin, NULL::text COLLATE "C" AS keys_by FROM gateway.api_key
                     UNION ALL
                     SELECT id, made_by, origin, keys_by FROM gateway.oauth_client) made
                 ON $4 AND family.id IN (made.made_by, made.origin, made.keys_by)),
           ending AS (SELECT id FROM family WHERE id = $1 OR id IS DISTINCT FROM $3),
           keys AS (
             UPDATE gateway.api_key k SET revoked_at = $2 FROM ending
              WHERE k.id = ending.id AND k.revoked_at IS NULL RETURNING k.id),
           clients AS (
             UPDATE gateway.oauth_client c SET disabled_at = $2, updated_at = $2 FROM ending
              WHERE c.id = ending.id AND c.disabled_at IS NULL RETURNING c.id)
           SELECT id FROM keys UNION ALL SELECT id FROM clients ORDER BY id""",
        credential_id,
        at,
        but,
        with_all_it_made,
    )
    return [row["id"] for row in rows]


async def note_change(connection: Connection) -> None:
    """Tell every web process to forget whom it knew. It sees this when the transaction commits, and not before."""
    await connection.execute("UPDATE gateway.caller_change SET number = number + 1")


async def changes(connection: Connection) -> int:
    return int(await connection.fetchval("SELECT number FROM gateway.caller_change"))
