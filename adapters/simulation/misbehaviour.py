"""How a call goes wrong on the wire: before the deed, or after it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from aiohttp import web

from adapters.simulation.faults import Fault

JSON: Final = "application/json"
UNHEARD_OF: Final = "UNDER_NEW_REVIEW"
"""A status no table knows."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """How one provider words a refusal, and how its documents are spoiled by `wrong_amount` and its like."""

    refuse: Callable[[int, str], web.Response]
    distort: Callable[[Any, str], Any]
    content_type: str = JSON
    write: Callable[[Any], bytes] = msgspec.json.encode
    """How a document becomes a body: some providers sign theirs."""


class RefusedError(Exception):
    """The provider will not do this; the text is its answer."""

    def __init__(self, reason: str, status: int = 422) -> None:
        super().__init__(reason)
        self.status = status


def answer(
    body: Any, *, status: int = 200, content_type: str = JSON, headers: dict[str, str] | None = None
) -> web.Response:
    return web.Response(status=status, body=msgspec.json.encode(body), content_type=content_type, headers=headers)


async def run(
    request: web.Request,
    fault: Fault | None,
    act: Callable[[], Awaitable[Any]],
    dialect: Dialect,
    *,
    status: int = 200,
    content_type: str | None = None,
) -> web.Response:
    """Run a call under a fault: some keep the deed from being done, the others spoil the answer after it."""
    if fault is not None and (kept := _kept_from_acting(request, fault, dialect)) is not None:
        return kept
    try:
        body = await act()
    except RefusedError as error:
        return dialect.refuse(error.status, str(error))
    if fault is not None:
        if (spoiled := _spoiled(request, fault, status)) is not None:
            return spoiled
        if fault.name == "sleep":
            await asyncio.sleep(fault.number("seconds", 30))
        body = dialect.distort(body, fault.name)
    return web.Response(status=status, body=dialect.write(body), content_type=content_type or dialect.content_type)


def _kept_from_acting(request: web.Request, fault: Fault, dialect: Dialect) -> web.Response | None:
    """Return the answer of a call that is never carried out."""
    if fault.name == "refuse":
        return drop(request)
    if fault.name == "decline":
        return dialect.refuse(422, fault.text("code", "declined"))
    if fault.name == "http" and not fault.arguments.get("acts"):
        return _http(fault)
    return None


def _spoiled(request: web.Request, fault: Fault, status: int) -> web.Response | None:
    """Return the spoiled answer of a call that was carried out."""
    if fault.name == "drop":
        return drop(request)
    if fault.name == "http":
        return _http(fault)
    if fault.name == "malformed":
        return web.Response(status=status, body=b'{"_id": "urn:order:', content_type=JSON)
    return None


def _http(fault: Fault) -> web.Response:
    return web.Response(status=int(fault.number("status", 500)), text=fault.text("body", "upstream failure"))


def drop(request: web.Request) -> web.Response:
    """Cut the connection without an answer."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=500)
