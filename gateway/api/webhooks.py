"""A department's webhook endpoints."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from aiohttp import web

from gateway.api.bodies import CreateEndpoint, Empty, ReplayDeliveries
from gateway.api.callers import answered
from gateway.api.calls import caller, claim_of, read_json_body, working_on
from gateway.api.paging import Query, path_id
from gateway.api.problems import document
from gateway.api.requests import instant_of, read_body
from gateway.deps import Deps
from gateway.domain.caller import Scope
from gateway.domain.errors import InvalidError
from gateway.domain.idempotency import Claim, StoredAnswer
from gateway.domain.ids import Prefix, is_id
from gateway.services.webhooks import manage_webhooks
from gateway.services.webhooks.manage_webhooks import Replayed
from gateway.web.admission import DEPS


async def create(request: web.Request) -> web.Response:
    deps = request.app[DEPS]
    key = await caller(request, Scope.WEBHOOKS_WRITE)
    body = await read_json_body(request, deps)
    claim = claim_of(request, key, body)
    with working_on(deps, claim):
        url = read_body(body, CreateEndpoint).url
        stored, secret = await manage_webhooks.create_endpoint(deps, key.department, url, claim)
    return answered(stored, secret=secret)


async def list_page(request: web.Request) -> web.Response:
    deps = request.app[DEPS]
    by = await caller(request, Scope.WEBHOOKS_WRITE)
    query = Query(request, ())
    cursor = query.identifier("cursor", Prefix.ENDPOINT)
    limit = query.limit(deps.limits.page_items_max)
    return document(await manage_webhooks.list_endpoints(deps, by.department, cursor=cursor, limit=limit))


async def rotate(request: web.Request) -> web.Response:
    deps = request.app[DEPS]
    key = await caller(request, Scope.WEBHOOKS_WRITE)
    body = await read_json_body(request, deps)
    read_body(body, Empty)
    claim = claim_of(request, key, body)
    with working_on(deps, claim):
        stored, secret = await manage_webhooks.rotate_secret(deps, key.department, _endpoint(request), claim)
    return answered(stored, secret=secret)


async def read(request: web.Request) -> web.Response:
    by = await caller(request, Scope.WEBHOOKS_WRITE)
    return document(await manage_webhooks.read_endpoint(request.app[DEPS], by.department, _endpoint(request)))


async def disable(request: web.Request) -> web.Response:
    return await _change(request, manage_webhooks.disable_endpoint)


async def enable(request: web.Request) -> web.Response:
    return await _change(request, manage_webhooks.enable_endpoint)


async def test(request: web.Request) -> web.Response:
    return await _change(request, manage_webhooks.test_endpoint)


async def _change(
    request: web.Request, change: Callable[[Deps, str, str, Claim], Awaitable[StoredAnswer]]
) -> web.Response:
    deps = request.app[DEPS]
    by = await caller(request, Scope.WEBHOOKS_WRITE)
    body = await read_json_body(request, deps)
    claim = claim_of(request, by, body)
    read_body(body, Empty)
    with working_on(deps, claim):
        return answered(await change(deps, by.department, _endpoint(request), claim))


async def deliveries(request: web.Request) -> web.Response:
    deps = request.app[DEPS]
    by = await caller(request, Scope.WEBHOOKS_WRITE)
    query = Query(request, ("status",))
    found = await manage_webhooks.list_deliveries(
        deps,
        by.department,
        _endpoint(request),
        query.one_of("status", ("waiting", "delivered", "dead")),
        cursor=query.identifier("cursor", Prefix.EVENT),
        limit=query.limit(deps.limits.page_items_max),
    )
    return document(found)


async def replay(request: web.Request) -> web.Response:
    """Deliver, again or at last, under the same ids, which receivers know how to drop."""
    deps = request.app[DEPS]
    by = await caller(request, Scope.WEBHOOKS_WRITE)
    body = await read_json_body(request, deps)
    claim = claim_of(request, by, body)
    asked = read_body(body, ReplayDeliveries)
    if asked.event is not None and not is_id(asked.event, Prefix.EVENT):
        raise InvalidError("is not an event", pointer="/event")
    if asked.cursor is not None and not is_id(asked.cursor, Prefix.EVENT):
        raise InvalidError("is not a cursor that was given", pointer="/cursor")
    since = None if asked.created_from is None else instant_of(asked.created_from, "/created_from")
    before = None if asked.created_before is None else instant_of(asked.created_before, "/created_before")
    wanted = Replayed(asked.event, since, before, asked.cursor)
    if asked.event is not None and wanted != Replayed(asked.event):
        raise InvalidError("name an event or a time, not both", pointer="/event")
    with working_on(deps, claim):
        stored = await manage_webhooks.replay_deliveries(deps, by.department, _endpoint(request), wanted, claim)
    return answered(stored)


def _endpoint(request: web.Request) -> str:
    return path_id(request, Prefix.ENDPOINT)
