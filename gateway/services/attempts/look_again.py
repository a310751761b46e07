"""The payer is back from the provider's page: bring the question forward that the sweep would ask later.

The callback is nearly always faster. Where it was lost, this makes the wait a second instead of a minute; the
return itself still decides nothing.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from gateway.deps import Deps
from gateway.domain.attempt import LIVE
from gateway.services import links
from gateway.store import attempts

_ASKED_JUST_NOW: Final = timedelta(seconds=3)


async def look_again(deps: Deps, token: str) -> None:
    """Make the payment's live attempt due for the sweep now, unless its provider was asked a moment ago."""
    intent_id = links.intent_of(deps, token)
    now = deps.clock()
    async with deps.connection() as connection:
        last = (await attempts.last_of(connection, [intent_id])).get(intent_id)
        if last is not None and last.status in LIVE and last.review is None and now - last.asked_at >= _ASKED_JUST_NOW:
            await attempts.schedule(connection, {last.id: now})
