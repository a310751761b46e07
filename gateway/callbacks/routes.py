"""`POST` or `PUT /callbacks/{provider}`: verify, store, answer. The worker does the rest.

An adapter may lengthen the address it gives its provider; it then reads the path in the header `:path`, a name that no
client can send over HTTP/1.
"""

from __future__ import annotations

from typing import Final

import structlog
from aiohttp import web

from gateway.deps import Deps
from gateway.domain.errors import (
    GatewayError,
    NotFoundError,
    OverloadedError,
    TooLargeError,
    UnauthenticatedError,
    UnavailableError,
)
from gateway.services.attempts.receive_callback import receive_callback
from gateway.web.admission import DEPS, Admission, read_within

_log: Final = structlog.get_logger(__name__)

PATH: Final = "/callbacks/{provider}"
BODY_BYTES_MAX: Final = 256 * 1024
_ENCRYPTED: Final = "application/jwe"

_STATUSES: Final[dict[type[GatewayError], int]] = {
    UnauthenticatedError: 401,
    NotFoundError: 404,
    TooLargeError: 413,
    OverloadedError: 503,
    UnavailableError: 503,
}


def add_callbacks(app: web.Application, deps: Deps) -> None:
    """Put the callbacks into the application, under a bound of their own: a flood of them holds up no payment."""
    admission = Admission(deps.limits.callbacks_in_flight_max)

    async def receive(request: web.Request) -> web.Response:
        try:
            with admission:
                return await _receive(request)
        except GatewayError as error:
            retry = {} if error.retry_after_s is None else {"Retry-After": str(error.retry_after_s)}
            # The reason is in our log. A forger learns nothing, and providers do not read it.
            return web.Response(status=_STATUSES.get(type(error), 400), headers=retry)

    for path in (PATH, f"{PATH}/{{more:.+}}"):
        app.router.add_post(path, receive)
        app.router.add_put(path, receive)  # the mobile money standard puts its callbacks


async def _receive(request: web.Request) -> web.Response:
    deps = request.app[DEPS]
    body = await read_within(request, bytes_max=BODY_BYTES_MAX, read_s=deps.limits.body_read_s)
    headers = request.headers.copy()
    headers.add(":path", request.rel_url.raw_path)
    await receive_callback(deps, request.match_info["provider"], headers, body)
    if request.content_type == _ENCRYPTED:
        return web.Response(status=202)  # the Open Finance standard's word for an event received
    return web.Response(status=204 if request.method == "PUT" else 200)
