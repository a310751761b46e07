"""The levers a test or the demo pulls: faults, paying without a browser, closing the day, reading the book."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date
from typing import Any

import msgspec
from aiohttp import web

from adapters.ngenius.simulator.acquirer import Acquirer, RefusedError
from adapters.ngenius.simulator.api import Api
from adapters.ngenius.simulator.book import Row
from adapters.ngenius.simulator.cards import CHALLENGE_CODE, TEST_CARDS
from adapters.ngenius.simulator.faults import FaultError
from adapters.ngenius.simulator.pages import return_address
from adapters.ngenius.simulator.settlement import Settlement
from adapters.ngenius.simulator.webhooks import Webhooks


class Control:
    """Routes under /simulator, which no real gateway has."""

    def __init__(self, acquirer: Acquirer, webhooks: Webhooks, settlement: Settlement, api: Api) -> None:
        self._acquirer = acquirer
        self._webhooks = webhooks
        self._settlement = settlement
        self._api = api

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/simulator/book", self.book),
            web.get("/simulator/charges", self.charges),
            web.get("/simulator/cards", self.cards),
            web.get("/simulator/faults", self.faults),
            web.post("/simulator/faults", self.add_fault),
            web.delete("/simulator/faults", self.clear_faults),
            web.post("/simulator/pay", self.pay),
            web.post("/simulator/resolve", self.resolve),
            web.post("/simulator/outlet", self.outlet),
            web.post("/simulator/close", self.close),
            web.get("/simulator/callbacks", self.callbacks),
            web.post("/simulator/drain", self.drain),
        ]

    async def book(self, request: web.Request) -> web.Response:  # noqa: ARG002 (a handler's shape)
        return _json(self._acquirer.book.whole())

    async def charges(self, request: web.Request) -> web.Response:
        """Sum what the payer of one merchant reference was charged, however often it was asked for."""
        return _json(self._acquirer.book.charges(request.query.get("reference", "")))

    async def cards(self, request: web.Request) -> web.Response:  # noqa: ARG002
        return _json([asdict(card) for card in TEST_CARDS])

    async def faults(self, request: web.Request) -> web.Response:  # noqa: ARG002
        return _json(self._acquirer.faults.listing())

    async def add_fault(self, request: web.Request) -> web.Response:
        """Take `{"call": "create", "fault": "sleep", "times": 3, "seconds": 5}`."""
        body = await _body(request)
        arguments = {name: value for name, value in body.items() if name not in {"call", "fault", "times"}}
        try:
            call, name = str(body["call"]), str(body["fault"])
            self._acquirer.faults.add(call, name, int(body.get("times", 1)), arguments)
        except (FaultError, KeyError, TypeError, ValueError) as error:
            return _json({"error": str(error)}, status=422)
        return _json(self._acquirer.faults.listing(), status=201)

    async def clear_faults(self, request: web.Request) -> web.Response:  # noqa: ARG002
        self._acquirer.faults.clear()
        return _json([])

    async def pay(self, request: web.Request) -> web.Response:
        """Pay an order exactly as its page would; `order` is the gateway's reference, `reference` the merchant's."""
        body = await _body(request)
        order = self._find(body)
        if order is None:
            return _json({"error": "no such order"}, status=404)
        card = str(body.get("card", "4111111111111111"))
        order, events = self._acquirer.pay(order["reference"], card, str(body.get("decline_code", "")))
        await self._webhooks.announce(order, events, self._api.document(order, request))
        if order["state"] == "AWAIT_3DS" and body.get("code", CHALLENGE_CODE) is not None:
            code = str(body.get("code", CHALLENGE_CODE))
            order, events = self._acquirer.answer_challenge(order["reference"], code)
            await self._webhooks.announce(order, events, self._api.document(order, request))
        return _json({"order": order["reference"], "state": order["state"], "return_url": return_address(order)})

    async def resolve(self, request: web.Request) -> web.Response:
        """Settle what hangs: a pending payment (`state` CAPTURED or FAILED) or a requested refund (`refund`)."""
        body = await _body(request)
        if "refund" in body:
            self._acquirer.book.resolve_refund(str(body["refund"]), str(body.get("state", "SUCCESS")))
            return _json({"refund": body["refund"]})
        order = self._find(body)
        if order is None:
            return _json({"error": "no such order"}, status=404)
        try:
            order, events = self._acquirer.resolve(order["reference"], str(body.get("state", "CAPTURED")))
        except RefusedError as error:
            return _json({"error": str(error)}, status=422)
        await self._webhooks.announce(order, events, self._api.document(order, request))
        return _json({"order": order["reference"], "state": order["state"]})

    async def outlet(self, request: web.Request) -> web.Response:
        """Configure the webhook as a merchant does in the portal."""
        body = await _body(request)
        outlet = self._webhooks.outlet
        outlet.callback_url = body.get("callback_url", outlet.callback_url)
        outlet.header_name = str(body.get("header_name", outlet.header_name))
        outlet.header_value = str(body.get("header_value", outlet.header_value))
        return _json({"callback_url": outlet.callback_url, "header_name": outlet.header_name})

    async def close(self, request: web.Request) -> web.Response:
        """Close a business date, even before it is over."""
        body = await _body(request)
        try:
            business_date = date.fromisoformat(str(body.get("date", "")))
        except ValueError as error:
            return _json({"error": str(error)}, status=422)
        await self._settlement.close(business_date, early=True)
        reports = [row for row in self._acquirer.book.whole()["reports"] if row["business_date"] == str(business_date)]
        return _json({"date": business_date.isoformat(), "reports": reports})

    async def callbacks(self, request: web.Request) -> web.Response:  # noqa: ARG002
        return _json(self._webhooks.sent)

    async def drain(self, request: web.Request) -> web.Response:  # noqa: ARG002
        await self._webhooks.drain()
        return _json({"sent": len(self._webhooks.sent)})

    def _find(self, body: dict[str, Any]) -> Row | None:
        book = self._acquirer.book
        if "order" in body:
            return book.find_order(str(body["order"]))
        found = book.rows(
            "SELECT reference FROM orders WHERE merchant_reference = ? ORDER BY rowid", str(body.get("reference", ""))
        )
        return book.find_order(found[-1]["reference"]) if found else None


async def _body(request: web.Request) -> dict[str, Any]:
    try:
        body = msgspec.json.decode(await request.read())
    except msgspec.MsgspecError as error:
        raise web.HTTPBadRequest(text=str(error)) from None
    if not isinstance(body, dict):
        raise web.HTTPBadRequest(text="an object is expected")
    return body


def _json(value: object, *, status: int = 200) -> web.Response:
    return web.Response(status=status, body=msgspec.json.encode(value), content_type="application/json")
