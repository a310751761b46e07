"""Whose identity card was shown at a counter: kept as a keyed hash and four digits, never as the number."""

from __future__ import annotations

import hashlib
import hmac

from gateway.deps import Deps
from gateway.domain.agent import Agent
from gateway.domain.emirates_id import read_emirates_id
from gateway.domain.errors import InvalidError, TransitionError
from gateway.domain.ids import Prefix
from gateway.store import audits, intents, shifts
from gateway.store.audits import Deed
from gateway.store.connections import Connection


def read_card(deps: Deps, typed: str) -> str:
    """Return the digits of a card; refuse what is none."""
    digits = read_emirates_id(typed, deps.clock().astimezone(deps.zone).date())
    if digits is None:
        raise InvalidError("is not the number of an Emirates ID", pointer="/emirates_id")
    return digits


async def record_card(deps: Deps, agent: Agent, intent_id: str, digits: str) -> None:
    """Keep the number as a keyed hash: there are too few numbers for a plain one to hide any.

    Another person's card takes its place until a counter has taken money on it; who changed it is written down.
    """
    async with deps.transaction() as connection:
        await intents.lock(connection, [intent_id])
        before = await shifts.payer_ending(connection, intent_id)
        if before is not None and await is_card_of(deps, connection, intent_id, digits):
            return
        if before is not None and await shifts.was_taken(connection, intent_id):
            raise TransitionError("money was taken on the card that was shown")
        now = deps.clock()
        digest = _digest(deps.link_secrets[-1], digits)
        await shifts.set_payer(connection, intent_id, digest, digits[-4:], agent.code, now)
        if before is not None:
            deed = Deed(deps.mint(Prefix.AUDIT), now, agent.code, "payer_card_replaced", intent_id,
                        before={"ending": before}, after={"ending": digits[-4:]})  # fmt: skip
            await audits.record(connection, [deed])


async def is_card_of(deps: Deps, connection: Connection, intent_id: str, typed: str) -> bool:
    """Tell whether a card is the one that was shown when a bill was paid."""
    digits = read_card(deps, typed)
    kept = await shifts.payer_digest(connection, intent_id)
    return kept is not None and any(hmac.compare_digest(_digest(key, digits), kept) for key in deps.link_secrets)


def _digest(secret: bytes, digits: str) -> bytes:
    key = hmac.new(secret, b"identity cards", hashlib.sha256).digest()
    return hmac.new(key, digits.encode(), hashlib.sha256).digest()
