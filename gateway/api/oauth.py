"""The token endpoint (RFC 6749 with RFC 7523) and what clients read to use it: our issuer, our public keys."""

from __future__ import annotations

from typing import Final
from urllib.parse import parse_qsl

import msgspec
from aiohttp import web

from gateway.api.problems import document
from gateway.domain.errors import MalformedError, TooLargeError
from gateway.services.callers.access_tokens import (
    TokenRefusedError,
    grant_token,
    published_keys,
    server_metadata,
)
from gateway.services.webhooks.deliver_webhooks import published_webhook_keys
from gateway.web.admission import DEPS, read_within
from gateway.web.guesses import GUESSES

_FORM: Final = "application/x-www-form-urlencoded"
_FORM_BYTES_MAX: Final = 16 * 1024
_FIELDS_MAX: Final = 20
_PUBLIC: Final = {"Cache-Control": "public, max-age=300", "X-Content-Type-Options": "nosniff"}
_STATUSES: Final = {"invalid_client": 401}


async def token(request: web.Request) -> web.Response:
    """Give an access token. Wrong tries count as guesses, so that signatures are not checked for nothing all day."""
    deps = request.app[DEPS]
    request.app[GUESSES].check(request)
    try:
        return document(await grant_token(deps, await _form(request)))
    except TokenRefusedError as error:
        request.app[GUESSES].note(request)
        body = {"error": error.error, "error_description": error.description}
        return document(body, status=_STATUSES.get(error.error, 400))


async def _form(request: web.Request) -> dict[str, str]:
    if request.content_type != _FORM:
        raise TokenRefusedError("invalid_request", f"send Content-Type: {_FORM}")
    deps = request.app[DEPS]
    try:
        body = await read_within(request, bytes_max=_FORM_BYTES_MAX, read_s=deps.limits.body_read_s)
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, max_num_fields=_FIELDS_MAX)
    except (TooLargeError, MalformedError, ValueError):
        raise TokenRefusedError("invalid_request", "the form cannot be read") from None
    if len({name for name, _ in pairs}) != len(pairs):
        raise TokenRefusedError("invalid_request", "a parameter stands twice")
    return dict(pairs)


async def keys(request: web.Request) -> web.Response:
    return _public(published_keys(request.app[DEPS]))


async def metadata(request: web.Request) -> web.Response:
    return _public(server_metadata(request.app[DEPS]))


async def webhook_keys(request: web.Request) -> web.Response:
    """Publish what verifies `v1a` signatures; while they are rotated there are two."""
    return _public(published_webhook_keys(request.app[DEPS]))


def _public(body: object) -> web.Response:
    return web.Response(body=msgspec.json.encode(body), content_type="application/json", headers=_PUBLIC)
