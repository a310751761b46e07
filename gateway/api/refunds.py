"""Refunds: ask for one, read one, list an intent's."""

from __future__ import annotations

import msgspec
from aiohttp import web

from gateway.api.calls import caller, claim_of, read_json_body, working_on
from gateway.api.paging import path_id
from gateway.api.problems import document
from gateway.api.requests import refund_request
from gateway.domain.caller import Scope
from gateway.domain.ids import Prefix
from gateway.services.create_refund import create_refund
from gateway.services.read_intent import list_refunds, read_refund
from gateway.web.admission import DEPS


async def create(request: web.Request) -> web.Response:
    deps = request.app[DEPS]
    key = await caller(request, Scope.REFUNDS_WRITE)
    body = await read_json_body(request, deps)
    claim = claim_of(request, key, body)
    intent_id = path_id(request, Prefix.INTENT)
    with working_on(deps, claim):
        stored = await create_refund(deps, key.department, intent_id, refund_request(body), claim)
    headers = {"Location": f"/v1/refunds/{stored.resource}"}
    if stored.replayed:
        headers["Idempotency-Replayed"] = "true"
    return document(msgspec.json.decode(stored.answer), status=stored.status, headers=headers)


async def read(request: web.Request) -> web.Response:
    key = await caller(request, Scope.PAYMENTS_READ)
    return document(await read_refund(request.app[DEPS], key.department, path_id(request, Prefix.REFUND)))


async def of_intent(request: web.Request) -> web.Response:
    key = await caller(request, Scope.PAYMENTS_READ)
    return document(await list_refunds(request.app[DEPS], key.department, path_id(request, Prefix.INTENT)))
