"""A department's own money: balances, payouts with the payments inside, and its statement as a file."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from gateway.api.calls import caller
from gateway.api.paging import Query, path_id
from gateway.api.problems import document
from gateway.domain.caller import Scope
from gateway.domain.errors import NotFoundError
from gateway.domain.ids import Prefix
from gateway.services.read_payouts import list_balances, list_payouts, read_payout, write_report
from gateway.web.admission import DEPS

_NAMES: Final = ("statement", "remittance")
_JOURNAL_MAX: Final = 2**63 - 1


async def balances(request: web.Request) -> web.Response:
    key = await caller(request, Scope.PAYMENTS_READ)
    Query(request, (), paged=False)
    return document(await list_balances(request.app[DEPS], key.department))


async def list_page(request: web.Request) -> web.Response:
    deps = request.app[DEPS]
    key = await caller(request, Scope.PAYMENTS_READ)
    query = Query(request, ())
    limit = query.limit(deps.limits.page_items_max)
    cursor = query.identifier("cursor", Prefix.PAYOUT)
    return document(await list_payouts(deps, key.department, cursor=cursor, limit=limit))


async def read(request: web.Request) -> web.Response:
    deps = request.app[DEPS]
    key = await caller(request, Scope.PAYMENTS_READ)
    payout_id = path_id(request, Prefix.PAYOUT)
    query = Query(request, ())
    after = query.whole("cursor", _JOURNAL_MAX) or 0
    limit = query.limit(deps.limits.page_items_max)
    return document(await read_payout(deps, key.department, payout_id, after=after, limit=limit))


async def report(request: web.Request) -> web.Response:
    deps = request.app[DEPS]
    key = await caller(request, Scope.PAYMENTS_READ)
    name = request.match_info["name"]
    if name not in _NAMES:
        raise NotFoundError
    query = Query(request, ("from", "date", "language"), paged=False)
    since, until = query.day("from"), query.day("date")
    language = query.one_of("language", ("ar", "en")) or "en"
    written = await write_report(deps, name, key.department, since=since, until=until, language=language)
    return web.Response(
        body=written,
        content_type="text/csv",
        charset="utf-8",
        headers={
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
            "Content-Disposition": f'attachment; filename="{name}.csv"',
        },
    )
