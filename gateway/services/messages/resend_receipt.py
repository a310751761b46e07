"""Sending a receipt again: asked for by the payer under their link, by the department, or by an operator."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from gateway.deps import Deps
from gateway.domain.errors import NotFoundError, TransitionError
from gateway.services import links
from gateway.services.notices import RECEIPT
from gateway.store import intents, messages

AGAIN_AFTER: Final = timedelta(minutes=1)


async def resend_receipt(deps: Deps, token: str) -> list[str]:
    """Send the receipt under a payer's link again, to where it went before; return the channels."""
    return await _resend(deps, links.intent_of(deps, token), department=None)


async def resend_for_department(deps: Deps, department: str, intent_id: str) -> list[str]:
    """Do the same for a department, for its own payments only."""
    return await _resend(deps, intent_id, department=department)


async def resend_for_operator(deps: Deps, intent_id: str) -> list[str]:
    return await _resend(deps, intent_id, department=None)


async def _resend(deps: Deps, intent_id: str, *, department: str | None) -> list[str]:
    now = deps.clock()
    async with deps.transaction() as connection:
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
