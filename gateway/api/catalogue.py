"""Services a department may charge for, and the feed of what happened."""

from __future__ import annotations

from aiohttp import web

from gateway.api.calls import caller
from gateway.api.paging import Query
from gateway.api.problems import document
from gateway.domain.caller import Scope
from gateway.domain.ids import Prefix
from gateway.services.read_intent import list_events, list_services
from gateway.web.admission import DEPS


async def services(request: web.Request) -> web.Response:
    deps = request.app[DEPS]
    await caller(request, Scope.PAYMENTS_READ)
    query = Query(request, ("department",))
    limit = query.limit(deps.limits.page_items_max)
    return document(await list_services(deps, query.text("department"), cursor=query.text("cursor"), limit=limit))


async def events(request: web.Request) -> web.Response:
    deps = request.app[DEPS]
    key = await caller(request, Scope.PAYMENTS_READ)
    query = Query(request, ("object",))
    return document(
        await list_events(
            deps,
            key.department,
            cursor=query.identifier("cursor", Prefix.EVENT),
            object_id=query.identifier("object", Prefix.INTENT, Prefix.REFUND),
            limit=query.limit(deps.limits.page_items_max),
        )
    )
