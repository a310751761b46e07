"""Stored contacts, looked at once more: those in clear or under an old key are written anew."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from gateway.store.connections import Connection


@dataclass(frozen=True, slots=True)
class Walk:
    """How far the rows of a relation are known to be sealed under the key with this mark."""

    relation: str
    head: bytes
    reached: str


@dataclass(frozen=True, slots=True)
class Stored:
    """What a row keeps of a person: sealed, or as one or two texts in clear."""

    id: str
    sealed: bytes | None
    clear: tuple[str | None, ...]


_READ: Final[Mapping[str, str]] = {
    "intent": """SELECT id, contact AS sealed, payer_email AS first, payer_mobile AS second FROM gateway.intent
                  WHERE id > $1 AND id < $2 ORDER BY id LIMIT $3""",
    "attempt": """SELECT id, contact AS sealed, payer_email AS first, payer_mobile AS second FROM gateway.attempt
                   WHERE id > $1 AND id < $2 ORDER BY id LIMIT $3""",
    "message": """SELECT id, sealed_recipient AS sealed, recipient AS first, NULL AS second FROM gateway.message
                   WHERE id > $1 AND id < $2 ORDER BY id LIMIT $3""",
}
_SEAL: Final[Mapping[str, str]] = {  # locked first, in the order everybody locks in
    "intent": """
WITH locked AS (
  SELECT i.id, s.sealed FROM gateway.intent i JOIN unnest($1::text[], $2::bytea[]) AS s (id, sealed) ON s.id = i.id
   ORDER BY i.id FOR UPDATE OF i)
UPDATE gateway.intent i SET contact = locked.sealed, payer_email = NULL, payer_mobile = NULL
  FROM locked WHERE i.id = locked.id""",
    "attempt": """
WITH locked AS (
  SELECT a.id, s.sealed FROM gateway.attempt a JOIN unnest($1::text[], $2::bytea[]) AS s (id, sealed) ON s.id = a.id
   ORDER BY a.id FOR UPDATE OF a)
UPDATE gateway.attempt a SET contact = locked.sealed, payer_email = NULL, payer_mobile = NULL
  FROM locked WHERE a.id = locked.id""",
    "message": """
WITH locked AS (
  SELECT m.id, s.sealed FROM gateway.message m JOIN unnest($1::text[], $2::bytea[]) AS s (id, sealed) ON s.id = m.id
   ORDER BY m.id FOR UPDATE OF m)
UPDATE gateway.message m SET sealed_recipient = locked.sealed, recipient = NULL
  FROM locked WHERE m.id = locked.id""",
}


async def lock_walk(connection: Connection, relation: str) -> Walk:
    row = await connection.fetchrow(
        "SELECT relation, head, reached FROM gateway.sealing_walk WHERE relation = $1 FOR UPDATE", relation
    )
    return Walk(**dict(row))


async def note_walk(connection: Connection, walk: Walk) -> None:
    await connection.execute(
        "UPDATE gateway.sealing_walk SET head = $2, reached = $3 WHERE relation = $1",
        walk.relation,
        walk.head,
        walk.reached,
    )


async def read_on(connection: Connection, walk: Walk, before: str, limit: int) -> list[Stored]:
    """Return the next rows of a walk, in the order of their ids, which is that of time."""
    rows = await connection.fetch(_READ[walk.relation], walk.reached, before, limit)
    texts = 1 if walk.relation == "message" else 2
    return [Stored(row["id"], row["sealed"], (row["first"], row["second"])[:texts]) for row in rows]


async def seal(connection: Connection, relation: str, sealed: Sequence[tuple[str, bytes]]) -> None:
    """Write what rows keep of a person sealed, and nothing of it in clear."""
    if sealed:
        await connection.execute(_SEAL[relation], [each for each, _ in sealed], [text for _, text in sealed])
