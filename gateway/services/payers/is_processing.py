"""Whether a payment is still under way: one small question that a waiting page asks again and again."""

from __future__ import annotations

from gateway.deps import Deps
from gateway.domain.errors import NotFoundError
from gateway.domain.intent import IntentStatus
from gateway.services import links
from gateway.store import intents


async def is_processing(deps: Deps, token: str) -> bool:
    intent_id = links.intent_of(deps, token)
    async with deps.connection() as connection:
        intent = await intents.read(connection, intent_id)
    if intent is None:
        raise NotFoundError
    return intent.status is IntentStatus.PROCESSING
