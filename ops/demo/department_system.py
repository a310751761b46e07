"""A department's own system, as the demo plays it: it asks Mizan for payments and listens to what Mizan tells."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import aiohttp
import msgspec
from aiohttp import web

_TOLERANCE_S: Final = 300
_TRIES: Final = 120
_TRY_PAUSE_S: Final = 0.5
_COME_BACK: Final = frozenset({409, 429, 502, 503, 504})


class RefusedError(RuntimeError):
    """Mizan refused a request; the problem document says why."""

    def __init__(self, status: int, problem: Mapping[str, Any]) -> None:
        super().__init__(
            f"{status} {problem.get('title', '')}: {problem.get('detail', '')} {problem.get('errors', '')}"
        )
        self.status = status
        self.problem = problem


def is_fresh(headers: Mapping[str, str], *, now: datetime) -> bool:
    """Say whether a delivery was signed a moment ago; an old one may be somebody's replay."""
    timestamp = headers.get("webhook-timestamp", "")
    return timestamp.isdigit() and abs(int(timestamp) - now.timestamp()) <= _TOLERANCE_S


def is_genuine(secret: str, headers: Mapping[str, str], body: bytes) -> bool:
    """Say whether a delivery carries our signature, as Standard Webhooks 1.0.0 has it."""
    identifier, timestamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    key = base64.b64decode(secret.removeprefix("whsec_"))
    digest = hmac.new(key, b".".join((identifier.encode(), timestamp.encode(), body)), hashlib.sha256).digest()
    expected = "v1," + base64.b64encode(digest).decode()
    return any(hmac.compare_digest(expected, each) for each in headers.get("webhook-signature", "").split(" "))


@dataclass(slots=True)
class Listener:
    """Receives webhooks for several departments, each at its own path, and keeps what was genuine."""

    clock: Callable[[], datetime]
    secrets: dict[str, str] = field(default_factory=dict)
    events: dict[str, dict[str, Any]] = field(default_factory=dict)
    deliveries: Counter[str] = field(default_factory=Counter)
    forged: int = 0

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_post("/{department}", self._receive)
        return app

    async def _receive(self, request: web.Request) -> web.Response:
        body = await request.read()
        secret = self.secrets.get(request.match_info["department"], "")
        if not secret or not is_genuine(secret, request.headers, body):
            self.forged += 1
            return web.Response(status=401)
        if not is_fresh(request.headers, now=self.clock()):
            # The demo's clock may be moved while a delivery is under way; it comes again with a new timestamp.
            return web.Response(status=401)
        identifier = request.headers["webhook-id"]
        self.deliveries[identifier] += 1
        self.events[identifier] = msgspec.json.decode(body)
        return web.Response(status=204)

    def about(self, intent_id: str) -> list[str]:
        """Return the types of the events received about one intent, each once, in the order they arrived."""
        return [event["type"] for event in self.events.values() if intent_id in _strings(event)]


def _strings(value: Any) -> set[str]:
    if isinstance(value, dict):
        return set().union(*(_strings(each) for each in value.values()))
    if isinstance(value, list):
        return set().union(*(_strings(each) for each in value))
    return {value} if isinstance(value, str) else set()


@dataclass(frozen=True, slots=True)
class DepartmentSystem:
    """One department's client of the API."""

    code: str
    url: str
    api_key: str
    session: aiohttp.ClientSession

    async def post(self, path: str, body: Mapping[str, Any], *, key: str) -> dict[str, Any]:
        """Send one idempotent request; the same key may be sent again at any time."""
        return await self._send("POST", path, body, {"Idempotency-Key": f'"{key}"'})

    async def get(self, path: str) -> dict[str, Any]:
        return await self._send("GET", path, None, {})

    async def _send(
        self, method: str, path: str, body: Mapping[str, Any] | None, headers: Mapping[str, str]
    ) -> dict[str, Any]:
        """Send until there is an answer that means something: every request of ours may be repeated."""
        headers = {"Authorization": f"Bearer {self.api_key}", **headers}
        for _ in range(_TRIES):
            try:
                async with self.session.request(method, f"{self.url}{path}", json=body, headers=headers) as answer:
                    content = await answer.read()
            except (aiohttp.ClientError, TimeoutError):
                await asyncio.sleep(_TRY_PAUSE_S)
                continue
            if answer.status in _COME_BACK:
                await asyncio.sleep(_TRY_PAUSE_S)
                continue
            document = msgspec.json.decode(content or b"{}", type=dict[str, Any])
            if answer.status >= 400:  # noqa: PLR2004 - HTTP's own border
                raise RefusedError(answer.status, document)
            return document
        raise RefusedError(503, {"title": f"no answer to {method} {path} after {_TRIES} tries"})
