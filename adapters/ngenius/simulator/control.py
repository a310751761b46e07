"""The levers only this simulator has: paying without a browser, closing the day, reading the book."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date
from typing import Any

from aiohttp import web

from adapters.ngenius.simulator.acquirer import Acquirer
from adapters.ngenius.simulator.api import Api
from adapters.ngenius.simulator.book import Row
from adapters.ngenius.simulator.cards import CHALLENGE_CODE, TEST_CARDS
from adapters.ngenius.simulator.pages import return_address
from adapters.ngenius.simulator.settlement import Settlement
from adapters.ngenius.simulator.webhooks import Webhooks
from adapters.simulation.levers import read_object
from adapters.simulation.misbehaviour import RefusedError, answer


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
            web.post("/simulator/pay", self.pay),
            web.post("/simulator/resolve", self.resolve),
            web.post("/simulator/dispute", self.dispute),
            web.post("/simulator/outlet", self.outlet),
            web.post("/simulator/close", self.close),
        ]

    async def book(self, request: web.Request) -> web.Response:  # noqa: ARG002 (a handler's shape)
        return answer(self._acquirer.book.whole())

    async def charges(self, request: web.Request) -> web.Response:
        """Sum what the payer of one merchant reference was charged, however often it was asked for."""
        return answer(self._acquirer.book.charges(request.query.get("reference", "")))

    async def cards(self, request: web.Request) -> web.Response:  # noqa: ARG002
        return answer([asdict(card) for card in TEST_CARDS])

    async def pay(self, request: web.Request) -> web.Response:
        """Pay an order exactly as its page would; `order` is the gateway's reference, `reference` the merchant's."""
        body = await read_object(request)
        order = self._find(body)
        if order is None:
            return answer({"error": "no such order"}, status=404)
        card = str(body.get("card", "4111111111111111"))
        order, events = self._acquirer.pay(order["reference"], card, str(body.get("decline_code", "")))
        await self._webhooks.announce(order, events, self._api.document(order, request))
        if order["state"] == "AWAIT_3DS" and body.get("code", CHALLENGE_CODE) is not None:
            code = str(body.get("code", CHALLENGE_CODE))
            order, events = self._acquirer.answer_challenge(order["reference"], code)
            await self._webhooks.announce(order, events, self._api.document(order, request))
        return answer({"order": order["reference"], "state": order["state"], "return_url": return_address(order)})

    async def resolve(self, request: web.Request) -> web.Response:
        """Settle what hangs: a pending payment (`state` CAPTURED or FAILED) or a requested refund (`refund`)."""
        body = await read_object(request)
        if "refund" in body:
            self._acquirer.book.resolve_refund(str(body["refund"]), str(body.get("state", "SUCCESS")))
            return answer({"refund": body["refund"]})
        order = self._find(body)
        if order is None:
            return answer({"error": "no such order"}, status=404)
        try:
            order, events = self._acquirer.resolve(order["reference"], str(body.get("state", "CAPTURED")))
        except RefusedError as error:
            return answer({"error": str(error)}, status=422)
        await self._webhooks.announce(order, events, self._api.document(order, request))
        return answer({"order": order["reference"], "state": order["state"]})

    async def dispute(self, request: web.Request) -> web.Response:
        """Let the payer's bank take a payment back, or with `won` give it back again; the next report lists it."""
        body = await read_object(request)
        order = self._find(body)
        if order is None:
            return answer({"error": "no such order"}, status=404)
        book, kind = self._acquirer.book, "representment" if body.get("won") else "chargeback"
        movement = book.add_movement(kind, order["reference"], book.moved(order["reference"], "capture"))
        return answer({"order": order["reference"], "movement": movement["identifier"]})

    async def outlet(self, request: web.Request) -> web.Response:
        """Configure the webhook as a merchant does in the portal."""
        body = await read_object(request)
        outlet = self._webhooks.outlet
        outlet.callback_url = body.get("callback_url", outlet.callback_url)
        outlet.header_name = str(body.get("header_name", outlet.header_name))
        outlet.header_value = str(body.get("header_value", outlet.header_value))
        return answer({"callback_url": outlet.callback_url, "header_name": outlet.header_name})

    async def close(self, request: web.Request) -> web.Response:
        """Close a business date, even before it is over."""
        body = await read_object(request)
        try:
            business_date = date.fromisoformat(str(body.get("date", "")))
        except ValueError as error:
            return answer({"error": str(error)}, status=422)
        await self._settlement.close(business_date, early=True)
        reports = [row for row in self._acquirer.book.whole()["reports"] if row["business_date"] == str(business_date)]
        return answer({"date": business_date.isoformat(), "reports": reports})

    def _find(self, body: dict[str, Any]) -> Row | None:
        book = self._acquirer.book
        if "order" in body:
            return book.find_order(str(body["order"]))
        found = book.rows(
            "SELECT reference FROM orders WHERE merchant_reference = ? ORDER BY rowid", str(body.get("reference", ""))
        )
        return book.find_order(found[-1]["reference"]) if found else None
