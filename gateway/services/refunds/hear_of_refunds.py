"""What signed callbacks prove of refunds: some providers tell their end nowhere else, and a done one may still fail."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import structlog

from gateway.deps import Deps
from gateway.domain.errors import UnavailableError
from gateway.services.refunds.apply_refunds import apply_refund_report
from gateway.store import refunds
from gateway.store.inbox import Received

_log: Final = structlog.get_logger(__name__)


async def hear_of_refunds(deps: Deps, received: Sequence[Received]) -> tuple[list[Received], list[Received]]:
    """Apply what is said of our refunds; return the notices about none, and those that could not be applied."""
    others, failed = [], []
    for notice in received:
        report = notice.refund
        refund_id = None
        if report is not None:
            async with deps.connection() as connection:
                refund_id = await refunds.find(connection, notice.provider, notice.reference, report.provider_reference)
        if report is None or refund_id is None:
            others.append(notice)
            continue
        try:
            await apply_refund_report(deps, refund_id, report, [(notice.provider, notice.event)])
        except UnavailableError:
            raise
        except Exception:  # noqa: BLE001 - it is tried again; its neighbours go on
            _log.exception("refund_notice_not_applied", refund=refund_id, notice=notice.event)
            failed.append(notice)
    return others, failed
