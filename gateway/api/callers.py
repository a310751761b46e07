"""A department's own credentials: API keys and OAuth clients. Whoever may manage them gives no right they lack."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
from aiohttp import web

from gateway.api.bodies import ClientKeys, CreateApiKey, CreateOAuthClient, EndCredential, RotateApiKey
from gateway.api.calls import caller, claim_of, read_json_body, working_on
from gateway.api.paging import Query, path_id
from gateway.api.problems import document
from gateway.api.requests import check_label, instant_of, read_body
from gateway.domain.caller import Scope
from gateway.domain.errors import InvalidError
from gateway.domain.idempotency import StoredAnswer
from gateway.domain.ids import Prefix
from gateway.services.callers import api_keys, oauth_clients
from gateway.services.callers.ending import end_own
from gateway.web.admission import DEPS


async def create_key(request: web.Request) -> web.Response:
    deps = request.app[DEPS]
    by = await caller(request, Scope.KEYS_WRITE)
    body = await read_json_body(request, deps)
    claim = claim_of(request, by, body)
    asked = read_body(body, CreateApiKey)
    label = check_label(asked.label)
    expires_at = None if asked.expires_at is None else instant_of(asked.expires_at, "/expires_at")
    if expires_at is not None and expires_at <= deps.clock():
        raise InvalidError("lies in the past", pointer="/expires_at")
    with working_on(deps, claim):
        stored, text = await api_keys.make_key(deps, by, label, asked.scopes, expires_at, claim)
    return answered(stored, location="/v1/api-keys/", secret=text)


async def rotate_key(request: web.Request) -> web.Response:
    deps = request.app[DEPS]
    by = await caller(request, Scope.KEYS_WRITE)
    body = await read_json_body(request, deps)
    claim = claim_of(request, by, body)
    overlap = timedelta(minutes=read_body(body, RotateApiKey).overlap_minutes)
    with working_on(deps, claim):
        stored, text = await api_keys.rotate_key(deps, by, path_id(request, Prefix.API_KEY), overlap, claim)
    return answered(stored, location="/v1/api-keys/", secret=text)


async def revoke_key(request: web.Request) -> web.Response:
    return await _end(request, Prefix.API_KEY)


async def read_key(request: web.Request) -> web.Response:
    by = await caller(request, Scope.KEYS_WRITE)
    return document(await api_keys.read_key(request.app[DEPS], by.department, path_id(request, Prefix.API_KEY)))


async def list_keys(request: web.Request) -> web.Response:
    deps = request.app[DEPS]
    by = await caller(request, Scope.KEYS_WRITE)
    query = Query(request, ())
    cursor = query.identifier("cursor", Prefix.API_KEY)
    limit = query.limit(deps.limits.page_items_max)
    return document(await api_keys.list_keys(deps, by.department, cursor=cursor, limit=limit))


async def create_client(request: web.Request) -> web.Response:
    deps = request.app[DEPS]
    by = await caller(request, Scope.KEYS_WRITE)
    body = await read_json_body(request, deps)
    claim = claim_of(request, by, body)
    asked = read_body(body, CreateOAuthClient)
    with working_on(deps, claim):
        stored = await oauth_clients.register_client(
            deps, by, check_label(asked.label), asked.scopes, asked.jwks, asked.jwks_url, claim
        )
    return answered(stored, location="/v1/oauth-clients/")


async def replace_client_keys(request: web.Request) -> web.Response:
    deps = request.app[DEPS]
    by = await caller(request, Scope.KEYS_WRITE)
    body = await read_json_body(request, deps)
    claim = claim_of(request, by, body)
    asked = read_body(body, ClientKeys)
    client_id = path_id(request, Prefix.CLIENT)
    with working_on(deps, claim):
        stored = await oauth_clients.replace_keys(deps, by, client_id, asked.jwks, asked.jwks_url, claim)
    return answered(stored)


async def disable_client(request: web.Request) -> web.Response:
    return await _end(request, Prefix.CLIENT)


async def _end(request: web.Request, prefix: Prefix) -> web.Response:
    deps = request.app[DEPS]
    by = await caller(request, Scope.KEYS_WRITE)
    body = await read_json_body(request, deps)
    claim = claim_of(request, by, body)
    with_all = read_body(body, EndCredential).with_all_it_made
    with working_on(deps, claim):
        stored = await end_own(deps, by, path_id(request, prefix), claim, with_all_it_made=with_all)
    return answered(stored)


async def read_client(request: web.Request) -> web.Response:
    by = await caller(request, Scope.KEYS_WRITE)
    client_id = path_id(request, Prefix.CLIENT)
    return document(await oauth_clients.read_client(request.app[DEPS], by.department, client_id))


async def list_clients(request: web.Request) -> web.Response:
    deps = request.app[DEPS]
    by = await caller(request, Scope.KEYS_WRITE)
    query = Query(request, ())
    cursor = query.identifier("cursor", Prefix.CLIENT)
    limit = query.limit(deps.limits.page_items_max)
    return document(await oauth_clients.list_clients(deps, by.department, cursor=cursor, limit=limit))


def answered(stored: StoredAnswer, *, location: str | None = None, secret: str | None = None) -> web.Response:
    """Send a stored answer; a secret is added to the first one alone and kept nowhere."""
    body: dict[str, Any] = msgspec.json.decode(stored.answer)
    headers = {} if location is None else {"Location": f"{location}{stored.resource}"}
    if stored.replayed:
        headers["Idempotency-Replayed"] = "true"
    return document(body if secret is None else {**body, "secret": secret}, status=stored.status, headers=headers)
