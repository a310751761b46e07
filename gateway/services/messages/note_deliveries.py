"""What carriers say became of messages: stored beside each, counted for operators."""

from __future__ import annotations

import structlog

from gateway import metrics
from gateway.deps import Deps, TellsDelivery
from gateway.store import messages

_log = structlog.get_logger(__name__)
DELIVERED = "DELIVRD"


async def note_deliveries(deps: Deps, limit: int) -> int:
    """Store up to `limit` waiting delivery reports of each channel; return how many there were."""
    taken = 0
    for channel, sender in deps.senders.items():
        if not isinstance(sender, TellsDelivery):
            continue
        for report in sender.take_receipts(limit):
            async with deps.connection() as connection:
                ours = await messages.note_delivery(connection, report.carrier_reference, report.state, deps.clock())
            await sender.confirm_receipt(report)
            outcome = "delivered" if report.state == DELIVERED else "not_delivered"
            metrics.MESSAGES.labels(channel, outcome if ours else "delivery_of_nothing_ours").inc()
            if not ours or report.state != DELIVERED:
                _log.warning("message_not_delivered", channel=channel, state=report.state, ours=ours)
            taken += 1
    return taken
