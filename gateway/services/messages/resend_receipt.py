"""Sending a receipt again: asked for by the payer under their link, by the department, or by an operator."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from gateway.deps import Deps
from gateway.domain.errors import NotFoundError, TransitionError
from gateway.domain.idempotency import Claim, StoredAnswer
from gateway.services import links
from gateway.services.notices import RECEIPT
from gateway.services.once import Made, once
from gateway.store import intents, messages
from gateway.store.connections import Connection

AGAIN_AFTER: Final = timedelta(minutes=1)
_ACCEPTED: Final = 202


async def resend_receipt(deps: Deps, token: str) -> list[str]:
    """Send the receipt under a payer's link again, to where it went before; return the channels."""
    return await resend_for_operator(deps, links.intent_of(deps, token))


async def resend_for_department(deps: Deps, department: str, intent_id: str, claim: Claim) -> StoredAnswer:
    """Do the same for a department, for its own payments only, once for each key."""

    async def work(connection: Connection) -> Made:
        channels = await _resend(deps, connection, intent_id, department)
        return intent_id, {"object": "receipt_sending", "payment_intent": intent_id, "channels": channels}

    return await once(deps, claim, _ACCEPTED, work)


async def resend_for_operator(deps: Deps, intent_id: str) -> list[str]:
    async with deps.transaction() as connection:
        return await _resend(deps, connection, intent_id, None)


async def _resend(deps: Deps, connection: Connection, intent_id: str, department: str | None) -> list[str]:
    now = deps.clock()
    intent = await intents.read(connection, intent_id)
    if intent is None or department not in (None, intent.department):
        raise NotFoundError
    if intent.receipt_number is None:
        raise TransitionError("there is no receipt: this payment has not been made")
    channels = await messages.send_again(connection, intent_id, RECEIPT, at=now, not_since=now - AGAIN_AFTER)
    if not channels and await messages.exist(connection, intent_id, RECEIPT):
        wait_s = int(AGAIN_AFTER.total_seconds())
        raise TransitionError("the receipt was sent a moment ago", retry_after_s=wait_s)
    if not channels:
        raise TransitionError("nobody left an address to send the receipt to")
    return channels
