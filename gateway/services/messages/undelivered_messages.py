"""What did not reach its payer, for operators."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from gateway.deps import Deps
from gateway.store import messages
from gateway.store.messages import Fate

_LISTED_MAX: Final = 1_000


async def undelivered_messages(deps: Deps, look_back: timedelta) -> list[Fate]:
    """List what was given up and what a carrier says never arrived, newest first, at most a thousand."""
    async with deps.connection() as connection:
        return await messages.not_delivered(connection, since=deps.clock() - look_back, limit=_LISTED_MAX)
