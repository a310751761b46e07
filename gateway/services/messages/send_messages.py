"""Messages to payers, by e-mail and SMS, in their language; worded when they are sent."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

import structlog

from gateway import metrics
from gateway.deps import Deps
from gateway.services.messages.message_words import word
from gateway.services.several import several
from gateway.store import messages
from gateway.store.messages import Message

_log: Final = structlog.get_logger(__name__)
_LEASE: Final = timedelta(minutes=2)
_WAITS_S: Final = (10, 60, 300, 1_800, 7_200, 21_600, 43_200)


async def send_emails(deps: Deps, limit: int) -> int:
    """Send up to `limit` waiting letters; return how many were tried."""
    return await _send_waiting(deps, "email", limit)


async def send_texts(deps: Deps, limit: int) -> int:
    """Send up to `limit` waiting texts; return how many were tried."""
    return await _send_waiting(deps, "sms", limit)


async def _send_waiting(deps: Deps, channel: str, limit: int) -> int:
    now = deps.clock()
    async with deps.connection() as connection:
        due = await messages.claim(connection, channel, now, now + _LEASE, limit)

    async def one(message: Message) -> None:
        await _send(deps, message)

    await several(due, one, at_once=deps.limits.messages_at_once)
    return len(due)


async def _send(deps: Deps, message: Message) -> None:
    sender = deps.senders.get(message.channel)
    if sender is None:
        await _put_off(deps, message, LookupError(message.channel))
        return
    try:
        worded = await word(deps, message)
        reference = await sender.send(worded) if worded is not None else None
    except Exception as error:  # noqa: BLE001 - a carrier's fault is retried and counted, whatever it is
        await _put_off(deps, message, error)
        return
    outcome = "needless" if worded is None else "sent"
    async with deps.connection() as connection:
        await messages.settle(connection, message.id, outcome, deps.clock(), reference)
    metrics.MESSAGES.labels(message.channel, outcome).inc()


async def _put_off(deps: Deps, message: Message, error: Exception) -> None:
    """Try again later, and give up after a day: a receipt is also under the payer's link."""
    is_over = message.tries > len(_WAITS_S)
    _log.warning("message_not_sent", message=message.id, channel=message.channel, error=type(error).__name__)
    metrics.MESSAGES.labels(message.channel, "dead" if is_over else "failed").inc()
    now = deps.clock()
    async with deps.connection() as connection:
        if is_over:
            await messages.settle(connection, message.id, "dead", now)
        else:
            await messages.postpone(connection, message.id, now + timedelta(seconds=_WAITS_S[message.tries - 1]))
