"""A provider calls: verified by its adapter, stored once, answered at once. The worker does the rest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import structlog

from adapters.errors import CallbackRefusedError
from gateway import metrics
from gateway.deps import Deps
from gateway.domain.errors import NotFoundError, UnauthenticatedError
from gateway.store import inbox

_log: Final = structlog.get_logger(__name__)
_NOTICES_MAX: Final = 1_000
_EVENT_ID_MAX: Final = 200


async def receive_callback(deps: Deps, provider: str, headers: Mapping[str, str], body: bytes) -> int:
    """Store what a callback says; return how many notices were new.

    A callback that does not stand is refused and changes nothing. It is never a reason to ask the provider: the sweep
    asks about everything undecided anyway, at its own pace, so a flood of forgeries costs one refusal each.
    """
    adapter = deps.providers.get(provider)
    if adapter is None:
        raise NotFoundError
    try:
        notices = adapter.read_callback(headers, body)
    except CallbackRefusedError as error:
        metrics.CALLBACKS.labels(provider, "refused").inc()
        _log.warning("callback_refused", provider=provider, reason=str(error)[:200])
        raise UnauthenticatedError("the callback does not stand") from None
    except Exception:  # noqa: BLE001 - whatever an adapter stumbles over came from outside
        metrics.CALLBACKS.labels(provider, "unreadable").inc()
        _log.exception("callback_unreadable", provider=provider)
        raise UnauthenticatedError("the callback does not stand") from None
    fitting = [notice for notice in notices[:_NOTICES_MAX] if 0 < len(notice.event_id) <= _EVENT_ID_MAX]
    now = deps.clock()
    async with deps.connection() as connection:
        new = await inbox.store(connection, provider, fitting, now, now)
    metrics.CALLBACKS.labels(provider, "new").inc(new)
    metrics.CALLBACKS.labels(provider, "seen_before").inc(len(fitting) - new)
    return new
