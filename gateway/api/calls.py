"""What every API call goes through: admission, the caller's key, its body, its idempotency key, problems."""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Final

import structlog
from aiohttp import web
from prometheus_client import Counter

from gateway import metrics
from gateway.api.problems import plain_problem, problem
from gateway.deps import Deps
from gateway.domain.caller import Caller, Scope, TreasuryScope
from gateway.domain.errors import (
    GatewayError,
    IdempotencyInFlightError,
    IdempotencyKeyMissingError,
    MalformedError,
    RateLimitedError,
    UnauthenticatedError,
    VersionUnknownError,
)
from gateway.domain.idempotency import Claim
from gateway.services.callers.access_tokens import authenticate_token, looks_like_token
from gateway.services.callers.api_keys import authenticate, check_scope
from gateway.web.admission import CORRELATION, DEPS, Admission, Handler, read_within
from gateway.web.guesses import GUESSES
from gateway.web.rates import Rate, Rates
from gateway.web.turns import TURN, TURNS

_log: Final = structlog.get_logger(__name__)

_KEY: Final = re.compile(r'"([\x21\x23-\x7e]{1,255})"|([\x21\x23-\x7e]{1,255})')


_JSON: Final = "application/json"

VERSION: Final = "2026-11-22"
"""The one version there is. A change that breaks callers gets a date of its own, and this one goes on."""

_VERSION_FORM: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
RATES: Final = web.AppKey("rates", Rates)
RATE: Final = web.RequestKey("rate", Rate)
ROUTE: Final = web.RequestKey("route", str)


def answering(handler: Handler, admission: Admission, route: str) -> Handler:
    """Wrap a route's handler: admission, time, and every refusal as a problem document."""
    seconds = metrics.REQUEST_SECONDS.labels(route)

    async def answer(request: web.Request) -> web.StreamResponse:
        clock = asyncio.get_running_loop().time
        begun = clock()
        request[ROUTE] = route
        try:
            with admission:
                _check_version(request)
                response = await handler(request)
        except UnauthenticatedError as error:
            response = _refused_caller(request, error)
        except GatewayError as error:
            response = problem(error, correlation=request[CORRELATION])
        except web.HTTPException as error:
            response = plain_problem(error.status, error.reason, "http", correlation=request[CORRELATION])
        except Exception:  # noqa: BLE001 - the last resort: logged here, and nothing of it is told
            _log.exception("request_failed", route=route)
            response = problem(GatewayError("an error of ours; it has been noted"), correlation=request[CORRELATION])
        finally:
            if (department := request.get(TURN)) is not None:
                request.app[TURNS].give_back(department)
        if not response.prepared:
            add_headers(request, response)
        _counted(route, response.status).inc()
        seconds.observe(clock() - begun)
        return response

    return answer


def add_headers(request: web.Request, response: web.StreamResponse) -> None:
    """Say which version answers and what is left of the caller's rate; a stream does so before its first byte."""
    response.headers["Mizan-Version"] = VERSION
    if (rate := request.get(RATE)) is not None:
        response.headers.update(rate.headers())


@cache
def _counted(route: str, status: int) -> Counter:
    """Return the counter of a route's answers: looking for it costs more than counting."""
    return metrics.REQUESTS.labels(route, str(status))


def _check_version(request: web.Request) -> None:
    asked = request.headers.get("Mizan-Version")
    if asked is not None and asked != VERSION:
        named = asked if _VERSION_FORM.fullmatch(asked) else "of this form"
        raise VersionUnknownError(f"there is no version {named}; there is {VERSION}")


def _refused_caller(request: web.Request, error: UnauthenticatedError) -> web.Response:
    """Refuse a credential that is none; an address that goes on sending such is told to stay away."""
    if "Authorization" in request.headers and (wait_s := request.app[GUESSES].note(request)) is not None:
        limited = RateLimitedError("too many wrong credentials came from this address", retry_after_s=wait_s)
        return problem(limited, correlation=request[CORRELATION])
    return problem(error, correlation=request[CORRELATION])


@web.middleware
async def refuse_unknown(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer for addresses under /v1 that do not exist, and for methods they do not have."""
    try:
        return await handler(request)
    except web.HTTPException as error:
        if not request.path.startswith("/v1/"):
            raise
        kind = "not_found" if error.status == web.HTTPNotFound.status_code else "http"
        response = plain_problem(error.status, error.reason, kind, correlation=request[CORRELATION])
        if "Allow" in error.headers:
            response.headers["Allow"] = error.headers["Allow"]
        return response


async def caller(request: web.Request, scope: Scope | TreasuryScope) -> Caller:
    """Return whose request this is, with the scope it needs, within its rate and in its department's turn."""
    kind, _, text = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() != "bearer":
        raise UnauthenticatedError("send Authorization: Bearer and your API key or access token")
    app = request.app
    deps = app[DEPS]
    text = text.strip()
    found = await (authenticate_token if looks_like_token(text) else authenticate)(deps, text)
    structlog.contextvars.bind_contextvars(department=found.department or "(treasury)", caller=found.id)
    quota = found.requests_per_minute or deps.limits.requests_per_minute
    rate = request[RATE] = app[RATES].take((found.id, request[ROUTE]), quota, deps.clock().timestamp())
    if rate.refused:
        metrics.REFUSED.labels("rate").inc()
        raise RateLimitedError(retry_after_s=rate.reset_s)
    check_scope(found, scope)
    await app[TURNS].take(found.department)
    request[TURN] = found.department
    return found


async def read_json_body(request: web.Request, deps: Deps, *, bytes_max: int | None = None) -> bytes:
    """Read a JSON body within its size and time."""
    if request.headers.get("Content-Type") != _JSON and request.can_read_body and request.content_type != _JSON:
        raise MalformedError("send Content-Type: application/json")
    limits = deps.limits
    return await read_within(request, bytes_max=bytes_max or limits.body_bytes_max, read_s=limits.body_read_s)


def claim_of(request: web.Request, key: Caller, body: bytes) -> Claim:
    """Return the use of an Idempotency-Key this request is: whose, where, which, and of what body.

    A key is its caller's own: another credential's is independent, and the one a key was rotated into goes on with it.
    """
    sent = request.headers.getall("Idempotency-Key", ())
    match = _KEY.fullmatch(sent[0].strip()) if len(sent) == 1 else None
    if match is None:
        raise IdempotencyKeyMissingError("send one Idempotency-Key, not several" if len(sent) > 1 else None)
    route = f"{request.method} {request.path}"
    sha256 = hashlib.sha256(route.encode() + b"\0" + body).digest()
    return Claim(key.lineage, route, match[1] or match[2], sha256)


@contextmanager
def working_on(deps: Deps, claim: Claim) -> Iterator[None]:
    """Hold a key while its first request is worked on in this process; a second one is told to come back."""
    held = (claim.caller, claim.route, claim.key)
    if held in deps.busy_keys:
        raise IdempotencyInFlightError(retry_after_s=1)
    deps.busy_keys.add(held)
    try:
        yield
    finally:
        deps.busy_keys.discard(held)
