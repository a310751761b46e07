"""The control routes every simulator has: faults, waiting for callbacks, and what they were answered."""

from __future__ import annotations

from typing import Any

import msgspec
from aiohttp import web

from adapters.simulation.deliveries import Deliveries
from adapters.simulation.faults import FaultError, Faults
from adapters.simulation.misbehaviour import answer


class Levers:
    """Routes under /simulator, which no real provider has."""

    def __init__(self, faults: Faults, deliveries: Deliveries) -> None:
        self._faults = faults
        self._deliveries = deliveries

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/simulator/faults", self.list_faults),
            web.post("/simulator/faults", self.add_fault),
            web.delete("/simulator/faults", self.clear_faults),
            web.get("/simulator/callbacks", self.callbacks),
            web.post("/simulator/drain", self.drain),
        ]

    async def list_faults(self, request: web.Request) -> web.Response:  # noqa: ARG002 (a handler's shape)
        return answer(self._faults.listing())

    async def add_fault(self, request: web.Request) -> web.Response:
        """Take `{"call": "create", "fault": "sleep", "times": 3, "seconds": 5}`."""
        body = await read_object(request)
        arguments = {name: value for name, value in body.items() if name not in {"call", "fault", "times"}}
        try:
            self._faults.add(str(body["call"]), str(body["fault"]), int(body.get("times", 1)), arguments)
        except (FaultError, KeyError, TypeError, ValueError) as error:
            return answer({"error": str(error)}, status=422)
        return answer(self._faults.listing(), status=201)

    async def clear_faults(self, request: web.Request) -> web.Response:  # noqa: ARG002
        self._faults.clear()
        return answer([])

    async def callbacks(self, request: web.Request) -> web.Response:  # noqa: ARG002
        return answer(self._deliveries.listing())

    async def drain(self, request: web.Request) -> web.Response:  # noqa: ARG002
        await self._deliveries.drain()
        return answer({"sent": len(self._deliveries.sent)})


async def read_object(request: web.Request) -> dict[str, Any]:
    """Read a control request's JSON object."""
    try:
        body = msgspec.json.decode(await request.read())
    except msgspec.MsgspecError as error:
        raise web.HTTPBadRequest(text=str(error)) from None
    if not isinstance(body, dict):
        raise web.HTTPBadRequest(text="an object is expected")
    return body
