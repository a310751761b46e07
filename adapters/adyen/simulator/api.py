"""The Checkout API: payment links and refunds as the specification words them, and faults on command."""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable
from datetime import date, timedelta
from typing import Any, Final

import msgspec
from aiohttp import web

from adapters.adyen.simulator.book import Book, Row
from adapters.adyen.simulator.notifications import Notifications
from adapters.adyen.simulator.settlement import Settlement
from adapters.simulation.faults import Faults
from adapters.simulation.misbehaviour import Dialect, RefusedError, answer, run

LINK_LIFETIME_H: Final = 24
AMOUNT_MINOR_MAX: Final = 10**12


class Api:
    """Handlers of the merchant API, and of the host where reports are dropped."""

    def __init__(
        self,
        book: Book,
        faults: Faults,
        notifications: Notifications,
        settlement: Settlement,
        *,
        api_key: str,
        merchant_account: str,
        page_url: str | None,
    ) -> None:
        self.book = book
        self.faults = faults
        self.notifications = notifications
        self.settlement = settlement
        self._api_key = api_key
        self._merchant_account = merchant_account
        self._page_url = page_url

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post("/paymentLinks", self.create),
            web.get("/paymentLinks/{link}", self.read),
            web.patch("/paymentLinks/{link}", self.update),
            web.post("/payments/{psp_reference}/refunds", self.refund),
            web.get("/reports/settlements", self.reports),
            web.get("/reports/settlements/{name}", self.report),
        ]

    async def create(self, request: web.Request) -> web.StreamResponse:
        self._authorise(request)
        asked = await self._read_link(request)

        async def act() -> dict[str, Any]:
            made = self.book.add_link(asked)
            document = self.document(made, request)
            if self.faults.next_is("callback", "before_answer") and not made.get("replayed"):
                # The payer cannot have seen the page yet; an agent with the card on the telephone could.
                await self.notifications.tell(self.book.add_payment(made, reason="", scheme="visa", card="1111"))
            return document

        return await self._run(request, "create", act, status=201)

    async def read(self, request: web.Request) -> web.StreamResponse:
        self._authorise(request)

        async def act() -> dict[str, Any]:
            return self.document(self._link(request), request)

        return await self._run(request, "query", act)

    async def update(self, request: web.Request) -> web.StreamResponse:
        """Expire a link; that is all an update can do."""
        self._authorise(request)
        body = await _json(request)

        async def act() -> dict[str, Any]:
            link = self._link(request)
            if body != {"status": "expired"} or link["status"] != "active":
                raise RefusedError(f"a link that is {link['status']} cannot be updated so")
            return self.document(self.book.set_status(link["id"], "expired"), request)

        return await self._run(request, "void", act)

    async def refund(self, request: web.Request) -> web.StreamResponse:
        self._authorise(request)
        body = await _json(request)
        self._check_account(body)
        currency, amount_minor = _amount(body)
        asked = {
            "idempotency_key": request.headers.get("Idempotency-Key"),
            "reference": str(body.get("reference", "")),
            "currency": currency,
            "amount_minor": amount_minor,
        }

        async def act() -> dict[str, Any]:
            made = self.book.add_refund(request.match_info["psp_reference"], asked)
            if not made.get("replayed"):
                await self.notifications.tell(made)
            return {
                "merchantAccount": self._merchant_account,
                "paymentPspReference": made["original"],
                "pspReference": made["psp_reference"],
                "reference": made["reference"],
                "status": "received",
                "amount": {"currency": made["currency"], "value": made["amount_minor"]},
            }

        return await self._run(request, "refund", act, status=201)

    async def reports(self, request: web.Request) -> web.StreamResponse:
        """List the reports of a date; asking for a date that is over closes it."""
        self._authorise_reports(request)
        try:
            business_date = date.fromisoformat(request.query.get("date", ""))
        except ValueError:
            return refusal(422, "date must be YYYY-MM-DD")
        await self.settlement.close(business_date)
        origin = str(request.url.origin())
        files = [
            {"name": row["name"], "href": f"{origin}/reports/settlements/{row['name']}"}
            for row in self.settlement.listing(business_date)
            if request.query.get("account") == self._merchant_account
        ]
        return answer({"files": files})

    async def report(self, request: web.Request) -> web.StreamResponse:
        self._authorise_reports(request)
        content = self.settlement.content(request.match_info["name"])
        return refusal(404, "not found") if content is None else web.Response(body=content, content_type="text/csv")

    def document(self, link: Row, request: web.Request) -> dict[str, Any]:
        origin = self._page_url or str(request.url.origin())
        return {
            "id": link["id"],
            "reference": link["reference"],
            "merchantAccount": link["merchant_account"],
            "amount": {"currency": link["currency"], "value": link["amount_minor"]},
            "countryCode": link["country_code"],
            "shopperLocale": link["locale"],
            "description": link["description"],
            "returnUrl": link["return_url"],
            "reusable": False,
            "expiresAt": link["expires_at"],
            "updatedAt": link["updated_at"],
            "status": link["status"],
            "url": f"{origin}/pay/{link['id']}",
        }

    async def _run(
        self, request: web.Request, call: str, act: Callable[[], Awaitable[Any]], *, status: int = 200
    ) -> web.StreamResponse:
        return await run(request, self.faults.take(call), act, DIALECT, status=status)

    def _link(self, request: web.Request) -> Row:
        found = self.book.find_link(request.match_info["link"])
        if found is None:
            raise RefusedError("Payment link not found", 404)
        return found

    def _authorise(self, request: web.Request) -> None:
        if not hmac.compare_digest(request.headers.get("X-API-Key", "").encode(), self._api_key.encode()):
            raise web.HTTPUnauthorized(text=_error_text(401, "HTTP Status Response - Unauthorized"), content_type=_JSON)

    def _authorise_reports(self, request: web.Request) -> None:
        given = request.headers.get("Authorization", "").encode()
        if not hmac.compare_digest(given, f"Basic {self._api_key}".encode()):
            raise web.HTTPUnauthorized(text=_error_text(401, "unauthorized"), content_type=_JSON)

    def _check_account(self, body: dict[str, Any]) -> None:
        if body.get("merchantAccount") != self._merchant_account:
            raise web.HTTPForbidden(text=_error_text(403, "Invalid Merchant Account"), content_type=_JSON)

    async def _read_link(self, request: web.Request) -> Row:
        body = await _json(request)
        self._check_account(body)
        currency, amount_minor = _amount(body)
        until = self.settlement.now() + timedelta(hours=LINK_LIFETIME_H)
        link = {
            "idempotency_key": request.headers.get("Idempotency-Key"),
            "reference": body.get("reference"),
            "merchant_account": self._merchant_account,
            "amount_minor": amount_minor,
            "currency": currency,
            "description": body.get("description", ""),
            "locale": body.get("shopperLocale", "en-US"),
            "return_url": body.get("returnUrl", ""),
            "country_code": body.get("countryCode", "AE"),
            "expires_at": body.get("expiresAt", until.isoformat(timespec="seconds")),
        }
        texts = [value for name, value in link.items() if name not in {"amount_minor", "idempotency_key"}]
        if not all(isinstance(text, str) for text in texts):
            raise _unprocessable("Required field is not provided or is not text")
        return link


_JSON: Final = "application/json"


def refusal(status: int, message: str) -> web.Response:
    return web.Response(status=status, text=_error_text(status, message), content_type=_JSON)


def _error_text(status: int, message: str) -> str:
    document = {"status": status, "errorCode": "000", "message": message, "errorType": "validation"}
    return msgspec.json.encode(document).decode()


def _unprocessable(message: str) -> web.HTTPUnprocessableEntity:
    return web.HTTPUnprocessableEntity(text=_error_text(422, message), content_type=_JSON)


async def _json(request: web.Request) -> dict[str, Any]:
    try:
        body = msgspec.json.decode(await request.read())
    except msgspec.MsgspecError:
        body = None
    if not isinstance(body, dict):
        raise web.HTTPBadRequest(text=_error_text(400, "malformed body"), content_type=_JSON)
    return body


def _amount(body: dict[str, Any]) -> tuple[str, int]:
    amount = body.get("amount")
    value = amount.get("value") if isinstance(amount, dict) else None
    currency = amount.get("currency") if isinstance(amount, dict) else None
    if type(value) is not int or not 0 < value <= AMOUNT_MINOR_MAX or not isinstance(currency, str):
        raise _unprocessable("Invalid amount specified")
    return currency, value


def _distort(document: Any, name: str) -> Any:
    """Return the document with another amount, another currency or an unheard-of status."""
    if not isinstance(document, dict):
        return document
    changed = dict(document)
    amount = changed.get("amount")
    if isinstance(amount, dict) and name == "wrong_amount":
        changed["amount"] = {**amount, "value": amount["value"] + 100}
    if isinstance(amount, dict) and name == "wrong_currency":
        changed["amount"] = {**amount, "currency": "USD" if amount["currency"] != "USD" else "AED"}
    if "status" in changed and name == "unknown_status":
        changed["status"] = "underNewReview"
    return changed


DIALECT: Final = Dialect(refusal, _distort)
