"""Fetching the word of providers that never call: what their papers name becomes hints, as a callback's would."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

import structlog

from adapters.contract import Announcement, Announces
from adapters.errors import ProviderError
from gateway import metrics
from gateway.deps import Deps
from gateway.store import announcements, inbox

_log: Final = structlog.get_logger(__name__)
_REMEMBERED: Final = timedelta(days=14)
"""Longer than any provider announces its papers, so that none is taken for new again."""
_SETTLES: Final = timedelta(seconds=2)
"""How long a hint rests, so that whoever asks after it reads the bank anew."""


async def hear_announcements(deps: Deps, limit: int) -> int:
    """Take up to `limit` new papers of each provider that announces; return how many there were."""
    heard = 0
    for name, provider in deps.providers.items():
        if isinstance(provider, Announces):
            heard += await _hear(deps, name, provider, limit)
    return heard


async def _hear(deps: Deps, name: str, provider: Announces, limit: int) -> int:
    async with deps.connection() as connection:
        known = await announcements.known(connection, name, deps.clock() - _REMEMBERED)
    heard = 0
    try:
        async for announcement in provider.announcements(known):
            heard += await _keep(deps, name, announcement)
            if heard >= limit:
                break
    except (ProviderError, TimeoutError, OSError) as error:
        # Nothing is lost: the papers lie where they are, and the sweep asks about every payment anyway.
        metrics.PROVIDER_CALLS.labels(name, "announcements", type(error).__name__).inc()
        _log.warning("provider_did_not_announce", provider=name, reason=str(error)[:200])
    return heard


async def _keep(deps: Deps, name: str, announcement: Announcement) -> int:
    """Store a paper's hints and that it was heard, together or not at all."""
    now = deps.clock()
    async with deps.transaction() as connection:
        if not await announcements.keep(connection, name, announcement.identifier, now):
            return 0
        new = await inbox.store(connection, name, announcement.notices, now, now + _SETTLES)
        await announcements.forget(connection, now - 2 * _REMEMBERED)
    metrics.CALLBACKS.labels(name, "new").inc(new)
    metrics.CALLBACKS.labels(name, "seen_before").inc(len(announcement.notices) - new)
    return 1
