"""Who sent a credential, remembered for a minute: a warm request costs one hash and one look-up in a table.

A credential that is over is remembered too, so that a department's forgotten job does not ask the database each time.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from gateway.deps import CachedCaller, Deps
from gateway.domain.caller import Caller

CACHE_MAX: Final = 50_000
CACHE_AGE_MAX: Final = timedelta(seconds=60)
"""How long a revoked credential may still be taken by a process that does not hear of it; else it is seconds."""


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
