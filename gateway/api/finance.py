"""Finance's reports for the treasury's own systems, streamed: no department's credential reads them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Final

import structlog
from aiohttp import web

from gateway.api.calls import add_headers, caller
from gateway.api.paging import Query
from gateway.api.problems import document
from gateway.deps import Limits
from gateway.domain.caller import TreasuryScope
from gateway.domain.errors import UnavailableError
from gateway.domain.finance_report import AskedReport
from gateway.services.finance_reports import FORMATS, list_reports, write_report
from gateway.web.admission import CORRELATION, DEPS, Admission

READERS: Final = web.AppKey("readers", Admission)
"""Who reads a report just now: each holds a connection, so there are few."""

_log: Final = structlog.get_logger(__name__)
_SUFFIXES: Final = {"text": "txt"}
_AGAIN_S: Final = 60


async def list_page(request: web.Request) -> web.Response:
    await caller(request, TreasuryScope.FINANCE_READ)
    Query(request, (), paged=False)
    return document(list_reports(request.app[DEPS]))


async def report(request: web.Request) -> web.StreamResponse:
    """Stream a report. What is refused is refused before the first byte; one that breaks off is cut, unended."""
    deps = request.app[DEPS]
    by = await caller(request, TreasuryScope.FINANCE_READ)
    asked = _asked(request)
    with request.app[READERS]:
        _log.info("finance_report_read", caller=by.id, report=asked.name, form=asked.report_format)
        async with aclosing(write_report(deps, asked)) as pieces:
            return await _stream(request, asked, pieces, deps.limits)


def _asked(request: web.Request) -> AskedReport:
    query = Query(request, ("from", "date", "department", "known_at", "language", "format"), paged=False)
    return AskedReport(
        name=request.match_info["name"],
        report_format=query.one_of("format", tuple(FORMATS)) or "csv",
        language=query.one_of("language", ("ar", "en")) or "en",
        business_date=query.day("date"),
        since=query.day("from"),
        department=query.text("department"),
        known_at=query.instant("known_at"),
    )


async def _stream(
    request: web.Request, asked: AskedReport, pieces: AsyncIterator[bytes], limits: Limits
) -> web.StreamResponse:
    response = _response(asked)
    try:
        async with asyncio.timeout(limits.finance_report_s):
            first = await anext(pieces)
            add_headers(request, response)
            response.headers["X-Request-Id"] = request[CORRELATION]
            await response.prepare(request)
            await _send(response, first, limits)
            async for piece in pieces:
                await _send(response, piece, limits)
    except Exception as error:
        if not response.prepared:
            if isinstance(error, TimeoutError):
                raise UnavailableError("the report took too long to begin", retry_after_s=_AGAIN_S) from error
            raise
        # The status is sent: all that can be told is that this was not the end, by a body without its last chunk.
        _log.warning("finance_report_broke_off", report=asked.name, reason=type(error).__name__)
        if request.transport is not None:
            request.transport.abort()
    return response


async def _send(response: web.StreamResponse, piece: bytes, limits: Limits) -> None:
    """Send a piece when the reader takes it, and let others have their turn."""
    async with asyncio.timeout(limits.finance_report_stall_s):
        await response.write(piece)
    await asyncio.sleep(0)


def _response(asked: AskedReport) -> web.StreamResponse:
    kind = FORMATS[asked.report_format]
    dated = "" if asked.business_date is None else f"-{asked.business_date}"
    suffix = _SUFFIXES.get(asked.report_format, asked.report_format)
    return web.StreamResponse(
        headers={
            "Content-Type": f"{kind}; charset=utf-8" if kind.startswith("text/") else kind,
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
            "Content-Security-Policy": "sandbox; default-src 'none'; style-src 'unsafe-inline'",
            "Content-Disposition": f'attachment; filename="{asked.name}{dated}.{suffix}"',
        }
    )
