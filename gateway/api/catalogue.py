"""The catalogue: services, bundles, and what a basket of them costs; and the feed of what happened."""

from __future__ import annotations

from aiohttp import web

from gateway.api.callers import answered
from gateway.api.calls import caller, claim_of, read_json_body, working_on
from gateway.api.paging import Query, path_id
from gateway.api.problems import document
from gateway.api.requests import quote_request
from gateway.domain.caller import Scope
from gateway.domain.department import Audience
from gateway.domain.errors import InvalidError
from gateway.domain.ids import Prefix
from gateway.services.catalogue.quote_basket import quote_basket
from gateway.services.catalogue.read_catalogue import list_bundles, list_services, read_bundle, read_service
from gateway.services.catalogue.read_parts import list_parts, read_part
from gateway.services.intents.read_intent import list_events
from gateway.web.admission import DEPS


async def services(request: web.Request) -> web.Response:
    deps = request.app[DEPS]
    await caller(request, Scope.PAYMENTS_READ)
    query = Query(request, ("department", "audience"))
    limit = query.limit(deps.limits.page_items_max)
    audience = _audience(query.text("audience"))
    return document(
        await list_services(deps, query.text("department"), audience=audience, cursor=query.text("cursor"), limit=limit)
    )


async def service(request: web.Request) -> web.Response:
    deps = request.app[DEPS]
    await caller(request, Scope.PAYMENTS_READ)
    return document(await read_service(deps, request.match_info["code"]))


async def bundles(request: web.Request) -> web.Response:
    deps = request.app[DEPS]
    await caller(request, Scope.PAYMENTS_READ)
    query = Query(request, ("department",))
    limit = query.limit(deps.limits.page_items_max)
    return document(await list_bundles(deps, query.text("department"), cursor=query.text("cursor"), limit=limit))


async def bundle(request: web.Request) -> web.Response:
    deps = request.app[DEPS]
    await caller(request, Scope.PAYMENTS_READ)
    return document(await read_bundle(deps, request.match_info["code"]))


async def quote(request: web.Request) -> web.Response:
    deps = request.app[DEPS]
    key = await caller(request, Scope.PAYMENTS_READ)
    body = await read_json_body(request, deps)
    claim = claim_of(request, key, body)
    with working_on(deps, claim):
        return answered(await quote_basket(deps, key.department, quote_request(body), claim))


async def parts(request: web.Request) -> web.Response:
    deps = request.app[DEPS]
    key = await caller(request, Scope.PAYMENTS_READ)
    query = Query(request, ())
    limit = query.limit(deps.limits.page_items_max)
    cursor = query.identifier("cursor", Prefix.INTENT)
    return document(await list_parts(deps, key.department, cursor=cursor, limit=limit))


async def part(request: web.Request) -> web.Response:
    key = await caller(request, Scope.PAYMENTS_READ)
    return document(await read_part(request.app[DEPS], key.department, path_id(request, Prefix.INTENT)))


def _audience(text: str | None) -> Audience | None:
    try:
        return None if text is None else Audience(text)
    except ValueError:
        raise InvalidError("is none of citizens, residents, business, visitors", pointer="/query/audience") from None


async def events(request: web.Request) -> web.Response:
    deps = request.app[DEPS]
    key = await caller(request, Scope.PAYMENTS_READ)
    query = Query(request, ("object", "created_from", "created_before"))
    return document(
        await list_events(
            deps,
            key.department,
            cursor=query.identifier("cursor", Prefix.EVENT),
            object_id=query.identifier("object", Prefix.INTENT, Prefix.REFUND, Prefix.PAYOUT),
            created_from=query.instant("created_from"),
            created_before=query.instant("created_before"),
            limit=query.limit(deps.limits.page_items_max),
        )
    )
