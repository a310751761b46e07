"""A payer is back from a bank where they consented: what they bring is stored before anybody uses it.

The return decides nothing. Where a payment has to be made with what it brought, the worker makes it, from the same
queue callbacks wait in: stored once, leased, tried again after a crash, forgotten once the payment is made.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import structlog

from adapters.contract import CallbackNotice, Finishes
from adapters.errors import CallbackRefusedError
from gateway import metrics
from gateway.deps import Deps
from gateway.domain.errors import NotFoundError
from gateway.services import links
from gateway.store import attempts, inbox

_log: Final = structlog.get_logger(__name__)


async def receive_return(deps: Deps, provider: str, query: Mapping[str, str]) -> str:
    """Store what a payer brought back; return the address of their own payment's result."""
    notice = _read(deps, provider, query)
    now = deps.clock()
    async with deps.connection() as connection:
        attempt = await attempts.read(connection, notice.reference or "")
        if attempt is None or attempt.provider != provider:
            metrics.CALLBACKS.labels(provider, "unmatched").inc()
            raise NotFoundError
        new = await inbox.store(connection, provider, [notice], now, now)
    metrics.CALLBACKS.labels(provider, "new" if new else "seen_before").inc()
    return links.result_url(deps, attempt.intent)


def _read(deps: Deps, provider: str, query: Mapping[str, str]) -> CallbackNotice:
    adapter: object = deps.providers.get(provider)
    if not isinstance(adapter, Finishes):
        raise NotFoundError
    try:
        return adapter.read_return(query)
    except CallbackRefusedError as error:
        metrics.CALLBACKS.labels(provider, "refused").inc()
        _log.warning("return_refused", provider=provider, reason=str(error)[:200])
    except Exception:  # noqa: BLE001 - whatever an adapter stumbles over came from outside
        metrics.CALLBACKS.labels(provider, "unreadable").inc()
        _log.exception("return_unreadable", provider=provider)
    raise NotFoundError
