"""One optional tap after paying: how it went, in five steps. Nothing else of the payer is kept with it."""

from __future__ import annotations

from typing import Final

from gateway.deps import Deps
from gateway.domain.errors import InvalidError, NothingToPayError
from gateway.services import links
from gateway.store import ratings

SCORES: Final = range(1, 6)


async def rate_payment(deps: Deps, token: str, score: int) -> None:
    """Keep a payer's rating of a payment they made; tapping again changes it."""
    intent_id = links.intent_of(deps, token)
    if score not in SCORES:
        raise InvalidError("a rating is a whole number from 1 to 5", pointer="/score")
    async with deps.connection() as connection:
        if not await ratings.save(connection, intent_id, score, deps.clock()):
            raise NothingToPayError("only a payment that was made can be rated")


async def read_rating(deps: Deps, token: str) -> int | None:
    async with deps.connection() as connection:
        return await ratings.read(connection, links.intent_of(deps, token))
