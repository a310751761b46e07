"""Payment links: make one, read it, list them, take it back, draw it as a square code."""

from __future__ import annotations

import io
from collections.abc import Mapping

import msgspec
import segno
from aiohttp import web

from gateway.api.bodies import Empty
from gateway.api.calls import caller, claim_of, read_json_body, working_on
from gateway.api.paging import Query, path_id
from gateway.api.problems import document
from gateway.api.requests import link_request, read_body
from gateway.deps import Deps
from gateway.domain.caller import Scope
from gateway.domain.idempotency import StoredAnswer
from gateway.domain.ids import Prefix
from gateway.services.intents.payment_links import create_link, disable_link, list_links, read_link, with_address
from gateway.web.admission import DEPS


async def create(request: web.Request) -> web.Response:
    deps = request.app[DEPS]
    key = await caller(request, Scope.PAYMENTS_WRITE)
    body = await read_json_body(request, deps)
    claim = claim_of(request, key, body)
    with working_on(deps, claim):
        stored = await create_link(deps, key.department, link_request(body), claim)
    return _answered(deps, stored, {"Location": f"/v1/payment-links/{stored.resource}"})


async def list_page(request: web.Request) -> web.Response:
    deps = request.app[DEPS]
    key = await caller(request, Scope.PAYMENTS_READ)
    query = Query(request, ("created_from", "created_before"))
    found = await list_links(
        deps,
        key.department,
        query.instant("created_from"),
        query.instant("created_before"),
        cursor=query.identifier("cursor", Prefix.PAYMENT_LINK),
        limit=query.limit(deps.limits.page_items_max),
    )
    return document(found)


async def read(request: web.Request) -> web.Response:
    key = await caller(request, Scope.PAYMENTS_READ)
    return document(await read_link(request.app[DEPS], key.department, path_id(request, Prefix.PAYMENT_LINK)))


async def disable(request: web.Request) -> web.Response:
    deps = request.app[DEPS]
    key = await caller(request, Scope.PAYMENTS_WRITE)
    body = await read_json_body(request, deps)
    read_body(body, Empty)
    link_id = path_id(request, Prefix.PAYMENT_LINK)
    claim = claim_of(request, key, body)
    with working_on(deps, claim):
        return _answered(deps, await disable_link(deps, key.department, link_id, claim))


async def square_code(request: web.Request) -> web.Response:
    """Draw the link's address for a poster or a letter: SVG, with the quiet zone a scanner needs."""
    key = await caller(request, Scope.PAYMENTS_READ)
    link = await read_link(request.app[DEPS], key.department, path_id(request, Prefix.PAYMENT_LINK))
    drawing = io.BytesIO()
    segno.make_qr(link["url"], error="m").save(drawing, kind="svg", border=4, scale=8)
    headers = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
    return web.Response(body=drawing.getvalue(), content_type="image/svg+xml", headers=headers)


def _answered(deps: Deps, stored: StoredAnswer, headers: Mapping[str, str] | None = None) -> web.Response:
    """Send a stored answer with the link's address, which is kept nowhere."""
    sent = {**(headers or {}), **({"Idempotency-Replayed": "true"} if stored.replayed else {})}
    return document(with_address(deps, msgspec.json.decode(stored.answer)), status=stored.status, headers=sent)
