"""A department's webhook endpoints."""

from __future__ import annotations

from aiohttp import web

from gateway.api.calls import caller, claim_of, read_json_body, working_on
from gateway.api.paging import path_id
from gateway.api.problems import document
from gateway.api.requests import CreateEndpoint, Empty, ReplayDeliveries, read_body
from gateway.domain.caller import Scope
from gateway.domain.errors import InvalidError
from gateway.domain.ids import Prefix, is_id
from gateway.services.manage_webhooks import create_endpoint, list_endpoints, replay_deliveries, rotate_secret
from gateway.web.admission import DEPS


async def create(request: web.Request) -> web.Response:
    deps = request.app[DEPS]
    key = await caller(request, Scope.WEBHOOKS_WRITE)
    body = await read_json_body(request, deps)
    claim = claim_of(request, key, body)
    with working_on(deps, claim):
        made = await create_endpoint(deps, key.department, read_body(body, CreateEndpoint).url, claim)
    return document(made, status=201)


async def list_page(request: web.Request) -> web.Response:
    key = await caller(request, Scope.WEBHOOKS_WRITE)
    return document(await list_endpoints(request.app[DEPS], key.department))


async def rotate(request: web.Request) -> web.Response:
    deps = request.app[DEPS]
    key = await caller(request, Scope.WEBHOOKS_WRITE)
    body = await read_json_body(request, deps)
    read_body(body, Empty)
    claim = claim_of(request, key, body)
    with working_on(deps, claim):
        rotated = await rotate_secret(deps, key.department, path_id(request, Prefix.ENDPOINT), claim)
    return document(rotated)


async def replay(request: web.Request) -> web.Response:
    """Deliver again. Asking twice delivers twice, under the same ids, which receivers know how to drop."""
    deps = request.app[DEPS]
    key = await caller(request, Scope.WEBHOOKS_WRITE)
    body = await read_json_body(request, deps)
    event = read_body(body, ReplayDeliveries).event
    if event is not None and not is_id(event, Prefix.EVENT):
        raise InvalidError("is not an event", pointer="/event")
    with working_on(deps, claim_of(request, key, body)):
        queued = await replay_deliveries(deps, key.department, path_id(request, Prefix.ENDPOINT), event)
    return document({"object": "replay", "queued": queued}, status=202)
