"""Changing what a department notes on its own intent. The fee itself never changes."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace

from gateway.deps import Deps
from gateway.domain.errors import NotFoundError
from gateway.domain.idempotency import Claim, StoredAnswer
from gateway.services.intents.read_intent import document_to_keep
from gateway.services.notices import intent_event
from gateway.services.once import Made, once
from gateway.store import events, intents
from gateway.store.connections import Connection


async def update_metadata(
    deps: Deps, department: str, intent_id: str, metadata: Mapping[str, str], claim: Claim
) -> StoredAnswer:
    """Put other metadata in place of an intent's; in any of its states."""

    async def work(connection: Connection) -> Made:
        intent = (await intents.lock(connection, [intent_id])).get(intent_id)
        if intent is None or intent.department != department:
            raise NotFoundError
        now = deps.clock()
        changed = replace(intent, metadata=metadata, updated_at=now)
        await intents.set_metadata(connection, intent_id, metadata, now)
        await events.record(connection, [intent_event(deps, changed, "updated")])
        return intent_id, await document_to_keep(connection, changed)

    return await once(deps, claim, 200, work)
