"""Who sent a credential, remembered for a minute: a warm request costs one hash and one look-up in a table.

A credential that is over is remembered too, so that a department's forgotten job does not ask the database each time.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from gateway.deps import CachedCaller, Deps
from gateway.domain.caller import Caller
from gateway.store import credentials

ASKED_EVERY: Final = timedelta(seconds=2)
CACHE_MAX: Final = 50_000
CACHE_AGE_MAX: Final = timedelta(seconds=60)
"""How long a revoked credential may still be taken by a process that does not hear of it; else it is seconds."""


async def forget_the_ended(deps: Deps, now: datetime) -> None:
    """Forget every caller this process knows when a credential was ended somewhere since it last asked.

    Asked by the request that finds that it is time, so that a process nobody calls asks nothing.
    """
    heard = deps.ended_callers
    heard.ask_at = now + ASKED_EVERY
    async with deps.connection() as connection:
        ended = await credentials.changes(connection)
    if ended != heard.number:
        deps.caller_cache.clear()
        heard.number = ended


def remembered(deps: Deps, sha256: bytes, now: datetime) -> CachedCaller | None:
    cached = deps.caller_cache.get(sha256)
    return cached if cached is not None and now < cached.good_until else None


def remember(deps: Deps, sha256: bytes, caller: Caller | None, good_until: datetime) -> CachedCaller:
    """Keep who it is; where there is no more room, the one looked up longest ago is forgotten, and no other."""
    cache = deps.caller_cache
    cache.pop(sha256, None)
    while len(cache) >= CACHE_MAX:
        del cache[next(iter(cache))]
    cached = cache[sha256] = CachedCaller(caller, good_until)
    return cached
