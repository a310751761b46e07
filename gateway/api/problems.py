"""Errors as RFC 9457 problem documents. The only module that knows which refusal is which HTTP status."""

from __future__ import annotations

from typing import Any, Final

import msgspec
from aiohttp import web

from gateway.domain import errors
from gateway.domain.errors import GatewayError

TYPE_PREFIX: Final = "https://mizan.example/problems/"
CONTENT_TYPE: Final = "application/problem+json"

STATUSES: Final[dict[type[GatewayError], tuple[int, str]]] = {
    errors.MalformedError: (400, "Malformed request"),
    errors.IdempotencyKeyMissingError: (400, "Idempotency-Key missing"),
    errors.VersionUnknownError: (400, "Unknown version"),
    errors.UnauthenticatedError: (401, "Not authenticated"),
    errors.ForbiddenError: (403, "Not allowed"),
    errors.SamePersonError: (403, "A second person decides"),
    errors.NotFoundError: (404, "Not found"),
    errors.SlowBodyError: (408, "Body too slow"),
    errors.TransitionError: (409, "State conflict"),
    errors.DisputedError: (409, "Payment disputed"),
    errors.NothingToPayError: (409, "Nothing to pay"),
    errors.IdempotencyInFlightError: (409, "First request still running"),
    errors.TooLargeError: (413, "Body too large"),
    errors.InvalidError: (422, "Invalid request"),
    errors.RefundTooLargeError: (422, "Refund too large"),
    errors.IdempotencyKeyReusedError: (422, "Idempotency-Key reused"),
    errors.RateLimitedError: (429, "Too many requests"),
    errors.OverloadedError: (503, "Overloaded"),
    errors.UnavailableError: (503, "Unavailable"),
    errors.MethodUnavailableError: (503, "Method unavailable"),
}

_HEADERS: Final = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}

_RETRYABLE: Final = frozenset({408, 429, 500, 503})
"""What may be sent again as it was: after an error of ours too, because a POST is done once for its key."""


def problem(error: GatewayError, *, correlation: str) -> web.Response:
    """Write a refusal as a problem document. It names fields, never what stood in them."""
    status, title = STATUSES.get(type(error), (500, "Something went wrong"))
    body: dict[str, Any] = {
        "type": TYPE_PREFIX + error.code.replace("_", "-"),
        "title": title,
        "status": status,
        "detail": error.detail,
        "instance": f"urn:mizan:request:{correlation}",
        "code": error.code,
        "retryable": status in _RETRYABLE or isinstance(error, errors.IdempotencyInFlightError),
    }
    if error.faults:
        body["errors"] = [
            {"pointer": fault.pointer, "code": fault.code, "detail": fault.detail} for fault in error.faults
        ]
    headers = {}
    if error.retry_after_s is not None:
        headers["Retry-After"] = str(error.retry_after_s)
    if status == 401:  # noqa: PLR2004 - the one status that must say how to authenticate
        headers["WWW-Authenticate"] = "Bearer"
    return document(body, status=status, headers=headers, content_type=CONTENT_TYPE)


def plain_problem(status: int, title: str, code: str, *, correlation: str) -> web.Response:
    """Write a refusal of HTTP itself: no such route, no such method."""
    body = {
        "type": TYPE_PREFIX + code.replace("_", "-"),
        "title": title,
        "status": status,
        "detail": title,
        "instance": f"urn:mizan:request:{correlation}",
        "code": code,
        "retryable": status in _RETRYABLE,
    }
    return document(body, status=status, content_type=CONTENT_TYPE)


def document(
    body: Any, *, status: int = 200, headers: dict[str, str] | None = None, content_type: str = "application/json"
) -> web.Response:
    """Answer with JSON that no cache keeps."""
    return json_answer(msgspec.json.encode(body), status=status, headers=headers, content_type=content_type)


def json_answer(
    body: bytes, *, status: int = 200, headers: dict[str, str] | None = None, content_type: str = "application/json"
) -> web.Response:
    """Answer with JSON that is written already."""
    sent = {**_HEADERS, "Content-Type": content_type}
    if headers:
        sent |= headers
    return web.Response(body=body, status=status, headers=sent)
