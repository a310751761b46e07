"""What every request meets first, before anything is done for it: an id, a bound at once, a bounded body."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from typing import Final
from weakref import WeakSet

import structlog
from aiohttp import web

from gateway import metrics
from gateway.deps import Deps
from gateway.domain.errors import MalformedError, OverloadedError, SlowBodyError, TooLargeError

DEPS: Final = web.AppKey("deps", Deps)
CORRELATION: Final = web.RequestKey("correlation", str)
_CORRELATION_FORM: Final = re.compile(r"[A-Za-z0-9._-]{8,64}")
_CORRELATION_BYTES: Final = 12

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Admission:
    """Lets so many requests in at once and refuses the rest before any work is done on them."""

    def __init__(self, in_flight_max: int) -> None:
        self._in_flight_max = in_flight_max
        self.in_flight = 0
        _ADMISSIONS.add(self)

    def __enter__(self) -> None:
        if self.in_flight >= self._in_flight_max:
            metrics.REFUSED.labels("in_flight").inc()
            raise OverloadedError(retry_after_s=1)
        self.in_flight += 1

    def __exit__(self, *_: object) -> None:
        self.in_flight -= 1


_ADMISSIONS: Final[WeakSet[Admission]] = WeakSet()
# Counted when somebody looks: a gauge is a lock, which every request would take twice.
metrics.IN_FLIGHT.set_function(lambda: sum(admission.in_flight for admission in _ADMISSIONS))


@web.middleware
async def correlate(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Give the request one id, from its caller or from us, that every log line and the answer carry."""
    offered = request.headers.get("X-Request-Id", "")
    fits = _CORRELATION_FORM.fullmatch(offered)
    correlation = offered if fits else request.app[DEPS].random_bytes(_CORRELATION_BYTES).hex()
    request[CORRELATION] = correlation
    # Each request has a task of its own, with the variables of the connection: nothing of another's can be in them.
    structlog.contextvars.bind_contextvars(correlation=correlation)
    response = await handler(request)
    if not response.prepared:
        response.headers["X-Request-Id"] = correlation
    return response


async def read_within(request: web.Request, *, bytes_max: int, read_s: float) -> bytes:
    """Read a body within its size and time; aiohttp itself never gives up on one that drips."""
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise MalformedError("send the body without compression")
    if (request.content_length or 0) > bytes_max:
        raise TooLargeError(f"at most {bytes_max} bytes")
    if request.content.is_eof():  # all of it came with the headers, as small bodies do: there is nothing to wait for
        body = request.content.read_nowait(bytes_max + 1)
        if len(body) > bytes_max:
            raise TooLargeError(f"at most {bytes_max} bytes")
        return body
    try:
        async with asyncio.timeout(read_s):
            body = await request.content.read(bytes_max + 1)
            while len(body) <= bytes_max and not request.content.at_eof():
                body += await request.content.read(bytes_max + 1 - len(body))
    except TimeoutError:
        raise SlowBodyError from None
    if len(body) > bytes_max:
        raise TooLargeError(f"at most {bytes_max} bytes")
    return body
