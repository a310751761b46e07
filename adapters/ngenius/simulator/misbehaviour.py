"""How a call goes wrong on the wire: before the deed, or after it."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
from aiohttp import web

from adapters.ngenius.simulator.faults import Fault
from adapters.ngenius.wire import PAYMENT_TYPE


def answer(body: Any, *, status: int = 200, content_type: str = PAYMENT_TYPE) -> web.Response:
    return web.Response(status=status, body=msgspec.json.encode(body), content_type=content_type)


def refusal(status: int, message: str) -> web.Response:
    return answer({"errors": [{"message": message}]}, status=status)


def kept_from_acting(request: web.Request, fault: Fault) -> web.Response | None:
    """Return the answer of a call that is never carried out."""
    if fault.name == "refuse":
        return _drop(request)
    if fault.name == "decline":
        return refusal(422, f"declined: {fault.text('code', '05')}")
    if fault.name == "http" and not fault.arguments.get("acts"):
        return _http(fault)
    return None


async def spoiled(request: web.Request, fault: Fault, body: Any, *, status: int, content_type: str) -> web.Response:
    """Return the spoiled answer of a call that was carried out."""
    if fault.name == "drop":
        return _drop(request)
    if fault.name == "http":
        return _http(fault)
    if fault.name == "malformed":
        return web.Response(status=status, body=b'{"_id": "urn:order:', content_type="application/json")
    if fault.name == "sleep":
        await asyncio.sleep(fault.number("seconds", 30))
    return answer(_distort(body, fault.name), status=status, content_type=content_type)


def _http(fault: Fault) -> web.Response:
    return web.Response(status=int(fault.number("status", 500)), text=fault.text("body", "upstream failure"))


def _drop(request: web.Request) -> web.Response:
    """Cut the connection without an answer."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=500)


def _distort(document: Any, name: str) -> Any:
    """Return the document with wrong amounts, a wrong currency or an unheard-of state."""
    if isinstance(document, list):
        return [_distort(item, name) for item in document]
    if not isinstance(document, dict):
        return document
    changed = {key: _distort(value, name) for key, value in document.items()}
    if "currencyCode" in changed and name == "wrong_amount":
        changed["value"] += 100
    if "currencyCode" in changed and name == "wrong_currency":
        changed["currencyCode"] = "USD" if changed["currencyCode"] != "USD" else "AED"
    if "state" in changed and name == "unknown_status":
        changed["state"] = "UNDER_NEW_REVIEW"
    return changed
