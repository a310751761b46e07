"""The page that says "we will tell you" is kept to: whoever leaves it hears from us, whatever the answer is."""

from __future__ import annotations

from gateway.deps import Deps
from gateway.store import promises


async def promise_word(deps: Deps, attempt_id: str) -> bool:
    """Owe the attempt's payer a word; False when it is decided by now, and there is an answer to show."""
    async with deps.transaction() as connection:
        return await promises.make(connection, attempt_id, deps.clock())
