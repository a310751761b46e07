"""The gateway's API: the same routes, headers and documents as the real one, and faults on command."""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec
from aiohttp import web

from adapters.ngenius.simulator.acquirer import Acquirer
from adapters.ngenius.simulator.book import Row
from adapters.ngenius.simulator.rendering import order_document, payment_document
from adapters.ngenius.simulator.settlement import Settlement
from adapters.ngenius.simulator.webhooks import Webhooks
from adapters.ngenius.wire import ACTIONS, IDENTITY_TYPE, PAYMENT_TYPE
from adapters.simulation.faults import Fault
from adapters.simulation.misbehaviour import UNHEARD_OF, Dialect, answer, run

TOKEN_LIFETIME_S: Final = 300
TEXT_CHARS_MAX: Final = 2000
AMOUNT_MINOR_MAX: Final = 10**12


class Api:
    """Handlers of the merchant API."""

    def __init__(
        self,
        acquirer: Acquirer,
        webhooks: Webhooks,
        settlement: Settlement,
        *,
        clock: Callable[[], datetime],
        api_key: str,
        page_url: str | None,
    ) -> None:
        self._acquirer = acquirer
        self._book = acquirer.book
        self._faults = acquirer.faults
        self._webhooks = webhooks
        self._settlement = settlement
        self._clock = clock
        self._api_key = api_key
        self._page_url = page_url
        self._tokens: dict[str, datetime] = {}

    def routes(self) -> list[web.RouteDef]:
        orders = "/transactions/outlets/{outlet}/orders"
        payment = orders + "/{order}/payments/{payment}"
        return [
            web.post("/identity/auth/access-token", self.token),
            web.post(orders, self.create),
            web.get(orders, self.search),
            web.get(orders + "/{order}", self.read),
            web.put(orders + "/{order}/cancel", self.cancel_order),
            web.post(payment + "/captures", self.capture),
            web.put(payment + "/cancel", self.void),
            web.post(payment + "/refund", self.refund),
            web.post(payment + "/captures/{capture}/refund", self.refund),
            web.get("/reports/settlements", self.reports),
            web.get("/reports/settlements/{name}", self.report),
        ]

    def document(self, order: Row, request: web.Request) -> dict[str, Any]:
        origin = str(request.url.origin())
        return order_document(self._book, order, origin, self._page_url or origin)

    async def token(self, request: web.Request) -> web.StreamResponse:
        if not self._has_key(request):
            return refusal(401, "unauthorized")

        async def act() -> dict[str, Any]:
            token = self._book.mint()
            now = self._clock()
            self._tokens = {known: end for known, end in self._tokens.items() if end > now}
            self._tokens[token] = now + timedelta(seconds=TOKEN_LIFETIME_S)
            return {"access_token": token, "expires_in": TOKEN_LIFETIME_S, "token_type": "bearer"}

        return await self._misbehave(request, "token", act, content_type=IDENTITY_TYPE)

    async def create(self, request: web.Request) -> web.StreamResponse:
        self._authorise(request)
        order = _read_order(await _json(request), request.match_info["outlet"])

        async def act() -> dict[str, Any]:
            made = self._book.add_order(order)
            document = self.document(made, request)
            alone = len(self._book.orders_by_merchant_reference(order["outlet"], order["merchant_reference"])) == 1
            if alone and self._faults.next_is("callback", "before_answer"):
                # The payer cannot have seen the page yet; an agent with the card on the telephone could, and would take
                # it once, however often the network brought the order.
                paid, events = self._acquirer.pay(made["reference"], "4111111111111111")
                await self._webhooks.announce(paid, events, self.document(paid, request))
            return document

        return await self._misbehave(request, "create", act, status=201)

    async def search(self, request: web.Request) -> web.StreamResponse:
        self._authorise(request)
        wanted = request.query.get("merchantOrderReference", "")
        found = self._book.orders_by_merchant_reference(request.match_info["outlet"], wanted)
        documents = [self.document(order, request) for order in found]

        async def act() -> dict[str, Any]:
            return {"_embedded": {"order": documents}}

        return await self._misbehave(request, "lookup", act)

    async def read(self, request: web.Request) -> web.StreamResponse:
        self._authorise(request)
        order = self._order(request)

        async def act() -> dict[str, Any]:
            return self.document(order, request)

        return await self._misbehave(request, "query", act)

    async def cancel_order(self, request: web.Request) -> web.StreamResponse:
        self._authorise(request)
        reference = self._order(request)["reference"]
        return await self._change(request, "void", lambda _: self._acquirer.cancel_order(reference), whole=True)

    async def capture(self, request: web.Request) -> web.StreamResponse:
        self._authorise(request)
        order = self._order(request)
        amount_minor = _read_amount(await _json(request), order["currency"])
        return await self._change(
            request, "capture", lambda _: self._acquirer.capture(order["reference"], amount_minor)
        )

    async def void(self, request: web.Request) -> web.StreamResponse:
        self._authorise(request)
        reference = self._order(request)["reference"]
        return await self._change(request, "void", lambda _: self._acquirer.void(reference))

    async def refund(self, request: web.Request) -> web.StreamResponse:
        self._authorise(request)
        order = self._order(request)
        amount_minor = _read_amount(await _json(request), order["currency"])

        def act(fault: Fault | None) -> tuple[Row, tuple[str, ...]]:
            state = "REQUESTED" if fault and fault.name == "pending" else "SUCCESS"
            return self._acquirer.refund(order["reference"], amount_minor, state)

        return await self._change(request, "refund", act)

    async def reports(self, request: web.Request) -> web.StreamResponse:
        """List the reports of a date; asking for a date that is over closes it."""
        if not self._has_key(request):
            return refusal(401, "unauthorized")
        try:
            business_date = datetime.fromisoformat(request.query.get("date", "")).date()
        except ValueError:
            return refusal(400, "date must be YYYY-MM-DD")
        await self._settlement.close(business_date, early=request.query.get("close") == "1")
        origin = str(request.url.origin())
        listed = self._settlement.listing(request.query.get("outlet", ""), business_date)
        files = [{"name": row["name"], "href": f"{origin}/reports/settlements/{row['name']}"} for row in listed]
        return answer({"files": files}, content_type="application/json")

    async def report(self, request: web.Request) -> web.StreamResponse:
        if not self._has_key(request):
            return refusal(401, "unauthorized")
        content = self._settlement.content(request.match_info["name"])
        return (
            refusal(404, "no such report") if content is None else web.Response(body=content, content_type="text/csv")
        )

    async def _change(
        self,
        request: web.Request,
        call: str,
        act: Callable[[Fault | None], tuple[Row, tuple[str, ...]]],
        *,
        whole: bool = False,
    ) -> web.StreamResponse:
        """Do what was asked, tell the webhook, and answer with the payment (or the whole order)."""
        fault = self._faults.take(call)

        async def change() -> dict[str, Any]:
            order, events = act(fault)
            await self._webhooks.announce(order, events, self.document(order, request))
            return self.document(order, request) if whole else payment_document(self._book, order, _origin(request))

        return await run(request, fault, change, DIALECT)

    async def _misbehave(
        self,
        request: web.Request,
        call: str,
        act: Callable[[], Awaitable[Any]],
        *,
        status: int = 200,
        content_type: str = PAYMENT_TYPE,
    ) -> web.StreamResponse:
        fault = self._faults.take(call)
        return await run(request, fault, act, DIALECT, status=status, content_type=content_type)

    def _has_key(self, request: web.Request) -> bool:
        given = request.headers.get("Authorization", "").encode()
        return hmac.compare_digest(given, f"Basic {self._api_key}".encode())

    def _authorise(self, request: web.Request) -> None:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        end = self._tokens.get(token)
        if scheme != "Bearer" or end is None or end <= self._clock():
            raise web.HTTPUnauthorized(text='{"errors":[{"message":"unauthorized"}]}', content_type="application/json")

    def _order(self, request: web.Request) -> Row:
        order = self._book.find_order(request.match_info["order"])
        payment = request.match_info.get("payment")
        if (
            order is None
            or order["outlet"] != request.match_info["outlet"]
            or (payment is not None and payment != order["payment"])
        ):
            raise web.HTTPNotFound(text='{"errors":[{"message":"not found"}]}', content_type="application/json")
        return order


def refusal(status: int, message: str) -> web.Response:
    return answer({"errors": [{"message": message}]}, status=status, content_type=PAYMENT_TYPE)


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
        changed["state"] = UNHEARD_OF
    return changed


DIALECT: Final = Dialect(refusal, _distort, PAYMENT_TYPE)


def _origin(request: web.Request) -> str:
    return str(request.url.origin())


async def _json(request: web.Request) -> dict[str, Any]:
    try:
        body = msgspec.json.decode(await request.read())
    except msgspec.MsgspecError:
        body = None
    if not isinstance(body, dict):
        raise web.HTTPBadRequest(text='{"errors":[{"message":"malformed body"}]}', content_type="application/json")
    return body


def _read_order(body: dict[str, Any], outlet: str) -> Row:
    amount = body.get("amount")
    attributes = body.get("merchantAttributes") or {}
    action = body.get("action")
    if action not in ACTIONS or not isinstance(amount, dict) or not isinstance(attributes, dict):
        raise _unprocessable("action, amount and merchantAttributes are needed")
    currency = amount.get("currencyCode")
    if not isinstance(currency, str):
        raise _unprocessable("amount.currencyCode is needed")
    texts = {
        "merchant_reference": body.get("merchantOrderReference") or "",
        "language": body.get("language") or "en",
        "redirect_url": attributes.get("redirectUrl") or "",
        "cancel_url": attributes.get("cancelUrl") or "",
    }
    if any(not isinstance(text, str) or len(text) > TEXT_CHARS_MAX for text in texts.values()):
        raise _unprocessable("a text is not a text or is too long")
    amount_minor = _read_amount(body, currency)
    return {"outlet": outlet, "action": action, "currency": currency, "amount_minor": amount_minor, **texts}


def _read_amount(body: dict[str, Any], currency: str) -> int:
    amount = body.get("amount")
    value = amount.get("value") if isinstance(amount, dict) else None
    if type(value) is not int or not 0 < value <= AMOUNT_MINOR_MAX:
        raise _unprocessable("amount.value must be a positive integer")
    if not isinstance(amount, dict) or amount.get("currencyCode") != currency:
        raise _unprocessable("amount.currencyCode is not the order's")
    return value


def _unprocessable(message: str) -> web.HTTPUnprocessableEntity:
    text = msgspec.json.encode({"errors": [{"message": message}]}).decode()
    return web.HTTPUnprocessableEntity(text=text, content_type="application/json")
