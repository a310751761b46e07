"""Departments: they ask for payments and refunds, repeat themselves, and listen badly to what they are told."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

import aiohttp
import msgspec
from aiohttp import web

from ops.demo.department_system import Listener
from tests.simulation.simulation import Simulation

_TRIES: Final = 12
_CALL_S: Final = 30.0
_REPEAT_SHARE: Final = 0.3


class RefusedError(RuntimeError):
    """Mizan refused a request. `later` says that it asked us to come back."""

    def __init__(self, status: int, text: str, *, later: bool) -> None:
        super().__init__(f"{status} {text[:300]}")
        self.status = status
        self.later = later


@dataclass(frozen=True, slots=True)
class Client:
    """Sends each request once and says what came of it; whether to repeat is the department's own decision."""

    url: str
    api_key: str
    session: aiohttp.ClientSession

    async def post(self, path: str, body: Mapping[str, Any], *, key: str) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {self.api_key}", "Idempotency-Key": f'"{key}"'}
        async with self.session.post(f"{self.url}{path}", json=body, headers=headers) as answer:
            content = await answer.read()
            if answer.status >= 400:
                later = answer.status >= 500 or "Retry-After" in answer.headers
                raise RefusedError(answer.status, content.decode(errors="replace"), later=later)
            document: dict[str, Any] = msgspec.json.decode(content or b"{}")
            return document


class Mood(StrEnum):
    """How a department's endpoint answers."""

    WELL = "endpoint answers"
    BROKEN = "endpoint answers 500"
    SLOW = "endpoint is slow"
    AWAY = "endpoint is down"
    MOVED = "endpoint redirects"
    BUSY = "endpoint asks for patience"
    SILENT = "endpoint down for days"


Ask = Callable[[Client], Awaitable[dict[str, Any]]]


@dataclass(slots=True)
class Department:
    """One department's own system: its client, its endpoint, and all it was promised."""

    code: str
    simulation: Simulation
    url: str
    api_key: str
    stream: random.Random
    mood: Mood = Mood.WELL
    listener: Listener = field(init=False)
    intents: dict[str, dict[str, Any]] = field(default_factory=dict)
    refunds: dict[str, dict[str, Any]] = field(default_factory=dict)
    cancelled: set[str] = field(default_factory=set)
    refused: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    promised: Callable[[str, str], None] = lambda _kind, _identifier: None

    def __post_init__(self) -> None:
        self.listener = Listener(self.simulation.clock)

    @property
    def host(self) -> str:
        return f"{self.code}.example"

    @property
    def endpoint(self) -> str:
        return f"https://{self.host}/{self.code}"

    async def listen(self) -> None:
        """Serve the webhook endpoint, in whatever mood it is in."""
        app = self.listener.app()
        app.middlewares.append(self._moody)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, self.simulation.network.name(self.host), 443).start()

    @web.middleware
    async def _moody(self, request: web.Request, handler: Any) -> web.StreamResponse:
        if self.mood is not Mood.WELL:
            self.simulation.trace.fault(self.code, self.mood)
        match self.mood:
            case Mood.BROKEN:
                return web.Response(status=500)
            case Mood.SLOW:
                await asyncio.sleep(40)
            case Mood.AWAY | Mood.SILENT:
                if request.transport is not None:
                    request.transport.abort()
                return web.Response(status=500)
            case Mood.MOVED:
                return web.Response(status=302, headers={"Location": "http://169.254.169.254/"})
            case Mood.BUSY:
                return web.Response(status=429, headers={"Retry-After": "120"})
            case Mood.WELL:
                pass
        answer: web.StreamResponse = await handler(request)
        return answer

    async def _persist(self, ask: Ask) -> dict[str, Any] | None:
        """Ask until there is an answer: a repeat under the same key is the same request."""
        for turn in range(_TRIES):
            async with aiohttp.ClientSession() as session:
                system = Client(self.url, self.api_key, session)
                try:
                    async with asyncio.timeout(_CALL_S):
                        if self.stream.random() < _REPEAT_SHARE:
                            return await self._twice(system, ask)
                        return await ask(system)
                except RefusedError as error:
                    self._note(error)
                    if not error.later:
                        return None
                except (aiohttp.ClientError, TimeoutError, OSError, ValueError):
                    pass
            await asyncio.sleep(self.stream.uniform(0.5, 2.0) * 2 ** min(turn, 4))
        return None

    async def _twice(self, system: Client, ask: Ask) -> dict[str, Any]:
        """Send the same request twice at once; both answers must be the same, or one says to come back."""
        self.simulation.trace.happened("department sent a request twice at once")
        answers = await asyncio.gather(ask(system), ask(system), return_exceptions=True)
        documents = [answer for answer in answers if isinstance(answer, dict)]
        if len({document.get("id") for document in documents}) > 1:
            self.broken.append(f"one key, two answers: {[document.get('id') for document in documents]}")
        if documents:
            return next((document for document in documents if "secret" in document), documents[0])
        raise next(answer for answer in answers if isinstance(answer, Exception))

    def _note(self, error: RefusedError) -> None:
        self.simulation.trace.add(self.code, "refused", str(error))
        self.refused.append(str(error))
        if error.status == 500:
            self.broken.append(f"500: {error}")

    async def open_endpoint(self) -> str:
        """Register the webhook endpoint and return its secret; it is shown once, so a lost one costs the endpoint."""
        body, path = {"url": self.endpoint}, "/v1/webhook-endpoints"
        for turn in range(_TRIES):
            made = await self._persist(lambda system, key=f"endpoint-{turn}": system.post(path, body, key=key))  # type: ignore[misc]
            if made is None:
                break
            if "secret" in made:
                return str(made["secret"])
            lost = f"{path}/{made['id']}/disable"
            await self._persist(lambda system, lost=lost, key=f"lost-{turn}": system.post(lost, {}, key=key))  # type: ignore[misc]
        raise RuntimeError(f"no endpoint for {self.code}: {self.refused}")

    async def ask_for_payment(self, reference: str, body: Mapping[str, Any]) -> dict[str, Any] | None:
        intent = await self._persist(lambda system: system.post("/v1/payment-intents", body, key=f"intent-{reference}"))
        if intent is not None:
            self.intents[intent["id"]] = intent
            self.promised("intent", intent["id"])
        return intent

    async def ask_for_refund(self, intent_id: str, body: Mapping[str, Any], key: str) -> dict[str, Any] | None:
        path = f"/v1/payment-intents/{intent_id}/refunds"
        refund = await self._persist(lambda system: system.post(path, body, key=key))
        if refund is not None:
            self.refunds[refund["id"]] = refund
            self.promised("refund", refund["id"])
        return refund

    async def take_back(self, intent_id: str) -> bool:
        path = f"/v1/payment-intents/{intent_id}/cancel"
        answer = await self._persist(lambda system: system.post(path, {}, key=f"cancel-{intent_id}"))
        if answer is not None:
            self.cancelled.add(intent_id)
            self.promised("cancel", intent_id)
        return answer is not None
