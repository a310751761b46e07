"""Intents with everything a department is shown of them: many readers at once cost as many statements as one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from gateway.store import attempts, disputes, intents
from gateway.store.attempts import Attempt
from gateway.store.connections import Connection
from gateway.store.intents import Intent, IntentLine


class WholeIntent(msgspec.Struct, frozen=True):
    """One intent, its lines, what was given back of it and its last attempt."""

    intent: Intent
    lines: Sequence[IntentLine]
    refunded_minor: int
    disputed_minor: int
    last_attempt: Attempt | None
    paid_before: str | None = None


async def read_whole(connection: Connection, intent_ids: Sequence[str]) -> list[WholeIntent | None]:
    """Return one for each id, in order; None where there is none."""
    found = await intents.read_many(connection, intent_ids)
    return await whole(connection, [found.get(each) for each in intent_ids])


async def whole(connection: Connection, found: Sequence[Intent | None]) -> list[WholeIntent | None]:
    """Put to each intent what belongs to it."""
    intent_ids = [intent.id for intent in found if intent is not None]
    if not intent_ids:
        return [None] * len(found)
    lines = await intents.lines(connection, intent_ids)
    refunded = await intents.refunded(connection, intent_ids)
    last = await attempts.last_of(connection, intent_ids)
    disputed = await _disputed(connection, found, last)
    unpaid = [intent for intent in found if intent is not None and intent.paid_at is None]
    before = await intents.paid_before(connection, unpaid) if unpaid else {}
    return [
        None
        if intent is None
        else WholeIntent(
            intent,
            lines.get(intent.id, ()),
            refunded.get(intent.id, 0),
            disputed.get(intent.paid_attempt or "", 0),
            last.get(intent.id),
            before.get(intent.id),
        )
        for intent in found
    ]


async def _disputed(
    connection: Connection, found: Sequence[Intent | None], last: Mapping[str, Attempt]
) -> Mapping[str, int]:
    """Return what is disputed, by the attempt that paid; where nothing is paid nobody is asked."""
    paid = [intent for intent in found if intent is not None and intent.paid_attempt is not None]
    known = {each.id: each for each in last.values()}
    missing = [each for intent in paid if (each := intent.paid_attempt) is not None and each not in known]
    if missing:  # somebody tried again after it was paid
        known |= await attempts.read_many(connection, missing)
    return await disputes.taken_back(connection, [known[intent.paid_attempt] for intent in paid if intent.paid_attempt])
