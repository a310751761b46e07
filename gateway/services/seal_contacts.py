"""Sealing payers' contacts that are in clear or under an old key: a walk through the rows that begins anew with a key.

It costs those who write nothing: no index, no queue, one read of every row once it has been there for a while.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Final

import structlog

from gateway.deps import Deps
from gateway.domain.contact import open_texts, seal_texts
from gateway.domain.ids import Prefix, id_bound
from gateway.domain.sealing import KeyMissingError, SealedError
from gateway.store import contacts
from gateway.store.contacts import Stored

_log: Final = structlog.get_logger(__name__)
_RELATIONS: Final = (("intent", Prefix.INTENT), ("attempt", Prefix.ATTEMPT), ("message", Prefix.MESSAGE))
_BEHIND: Final = timedelta(minutes=5)
"""How far the walk stays behind the clock: whatever was still being committed under an older id is there by then."""


async def seal_contacts(deps: Deps, limit: int) -> int:
    """Look at the next rows of each relation; return how many there were."""
    seen = 0
    for relation, prefix in _RELATIONS:
        async with deps.transaction() as connection:
            walk = await contacts.lock_walk(connection, relation)
            if walk.head != deps.sealer.head:
                walk = replace(walk, head=deps.sealer.head, reached="")
            before = id_bound(prefix, deps.clock() - _BEHIND)
            rows = await contacts.read_on(connection, walk, before, limit)
            if not rows:
                continue
            done = _sealed_anew(deps, rows)
            sealed = [(row.id, text) for row, text in zip(rows, done, strict=False) if text is not None]
            await contacts.seal(connection, relation, sealed)
            if done:
                await contacts.note_walk(connection, replace(walk, reached=rows[len(done) - 1].id))
            seen += len(done)
        if sealed:
            _log.info("contacts_sealed_anew", relation=relation, rows=len(sealed))
    return seen


def _sealed_anew(deps: Deps, rows: Sequence[Stored]) -> list[bytes | None]:
    """Return what each row is to keep, None for those that stay; ends before one whose key is not here."""
    done: list[bytes | None] = []
    for row in rows:
        try:
            done.append(_sealed(deps, row))
        except KeyMissingError:  # it was taken away too early: once it is back the walk goes on
            _log.error("contact_cannot_be_opened", of=row.id)
            break
        except SealedError:  # tampered with, or moved here from another row: no key will ever open it
            _log.error("contact_is_not_ours", of=row.id)
            done.append(None)
    return done


def _sealed(deps: Deps, row: Stored) -> bytes | None:
    if row.sealed is None:
        texts = list(row.clear)
    elif not row.sealed.startswith(deps.sealer.head):
        texts = open_texts(deps.sealer, row.sealed, row.id)
    else:
        return None
    return seal_texts(deps.sealer, texts, row.id, deps.random_bytes) if any(texts) else None
