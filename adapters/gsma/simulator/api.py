"""The wallet's API: routes, headers and documents of the specification, and faults on command."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

import aiohttp
import msgspec
from aiohttp import web

from adapters.gsma.simulator.payouts import Payouts
from adapters.gsma.simulator.wallet import Row, Wallet
from adapters.simulation.deliveries import Deliveries, Delivery, Tampering
from adapters.simulation.faults import Faults
from adapters.simulation.misbehaviour import Dialect, RefusedError, answer, run
from ledger.errors import MoneyError
from ledger.money import Money

UUID: Final = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
AMOUNT: Final = re.compile(r"(0|[1-9][0-9]{0,17})([.][0-9]{0,3}[1-9])?")
PAGE_LINES: Final = 50
CATEGORIES: Final = {
    "requestDeclined": "authorisation",
    "clientAuthorisationError": "authorisation",
    "identifierError": "identification",
    "formatError": "validation",
    "mandatoryValueNotSupplied": "validation",
    "genericError": "internal",
}


class Api:
    """Handlers of the merchant API."""

    def __init__(
        self,
        wallet: Wallet,
        faults: Faults,
        payouts: Payouts,
        *,
        api_key: str,
        callback_key: str,
        callback_url: str | None,
        session: Callable[[], aiohttp.ClientSession],
    ) -> None:
        self.wallet = wallet
        self.faults = faults
        self.payouts = payouts
        self.deliveries = Deliveries(faults, Tampering(self._forge, self._estrange), session)
        self._api_key = api_key
        self._callback_key = callback_key
        self._callback_url = callback_url

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post("/transactions/type/merchantpay", self.collect),
            web.get("/transactions/{reference}", self.transaction),
            web.post("/transactions/{reference}/reversals", self.reverse),
            web.get("/requeststates/{server_id}", self.state),
            web.get("/responses/{correlation}", self.response),
            web.get("/accounts/organisationid/{organisation}/transactions", self.statement),
            web.get("/heartbeat", self.heartbeat),
        ]

    async def collect(self, request: web.Request) -> web.StreamResponse:
        self._authorise(request)
        asked = await self._read(request, "merchantpay")

        async def act() -> dict[str, Any]:
            made = self.wallet.ask(asked)
            document = state_document(made)
            if self.faults.next_is("callback", "before_answer"):
                await self.tell(self.wallet.approve(made))  # a payer quicker than the network
            return document

        return await self._run(request, "create", act, status=202)

    async def reverse(self, request: web.Request) -> web.StreamResponse:
        self._authorise(request)
        asked = {**await self._read(request, "reversal"), "original": request.match_info["reference"]}
        fault = self.faults.take("refund")
        waits = fault is not None and fault.name == "pending"

        async def act() -> dict[str, Any]:
            made = self.wallet.reverse(asked)
            if waits:
                return state_document(made)
            done = self.wallet.approve(made)
            return transaction_document(self._transaction(done["transaction_reference"]))

        return await run(request, fault, act, DIALECT, status=202 if waits else 201)

    async def transaction(self, request: web.Request) -> web.StreamResponse:
        self._authorise(request)

        async def act() -> dict[str, Any]:
            return transaction_document(self._transaction(request.match_info["reference"]))

        return await self._run(request, "query", act)

    async def state(self, request: web.Request) -> web.StreamResponse:
        self._authorise(request)

        async def act() -> dict[str, Any]:
            found = self.wallet.find_state(request.match_info["server_id"])
            if found is None:
                raise RefusedError("identifierError", 404)
            return state_document(found)

        return await self._run(request, "query", act)

    async def response(self, request: web.Request) -> web.StreamResponse:
        self._authorise(request)

        async def act() -> dict[str, Any]:
            found = self.wallet.find_request(request.match_info["correlation"])
            if found is None:
                raise RefusedError("identifierError", 404)
            if found["transaction_reference"]:
                return {"link": f"/transactions/{found['transaction_reference']}"}
            return {"link": f"/requeststates/{found['server_id']}"}

        return await self._run(request, "lookup", act)

    async def statement(self, request: web.Request) -> web.StreamResponse:
        """List completed transactions; asking for a day that is over pays it out to the bank."""
        self._authorise(request)
        query = request.query
        try:
            limit, offset = int(query.get("limit", PAGE_LINES)), int(query.get("offset", 0))
            start, end = (datetime.fromisoformat(query[name]) for name in ("fromDateTime", "toDateTime"))
        except (KeyError, ValueError):
            return refusal(400, "formatError")
        await self.payouts.pay(self.payouts.day_at(start))
        listed = self.payouts.listed(query["fromDateTime"], query["toDateTime"], day=self.payouts.day_at(start))
        documents = [transaction_document(row) for row in listed[offset : offset + limit] if start <= end]
        headers = {
            "X-Records-Available-Count": str(len(listed)),
            "X-Records-Returned-Count": str(len(documents)),
            "X-Date": self.wallet.now(),
        }
        return answer(documents, headers=headers)

    async def heartbeat(self, request: web.Request) -> web.StreamResponse:
        self._authorise(request)
        return answer({"serviceStatus": "available", "delay": 0})

    async def tell(self, request: Row) -> None:
        """Put the outcome of a request to its callback address."""
        url = request["callback_url"] or self._callback_url
        if not url or request["status"] == "pending":
            return
        if request["status"] == "completed":
            body = msgspec.json.encode(transaction_document(self._transaction(request["transaction_reference"])))
        else:
            body = msgspec.json.encode(error_document(request["error_code"], self.wallet.now()))
        headers = {
            "X-API-Key": self._callback_key,
            "X-Date": self.wallet.now(),
            "X-CorrelationID": request["correlation"],
            "X-Content-Hash": hashlib.sha256(body).hexdigest(),
        }
        await self.deliveries.send([Delivery(request["our_reference"], url, headers, body, "PUT")])

    async def _run(
        self, request: web.Request, call: str, act: Callable[[], Awaitable[Any]], *, status: int = 200
    ) -> web.StreamResponse:
        return await run(request, self.faults.take(call), act, DIALECT, status=status)

    def _transaction(self, reference: str) -> Row:
        found = self.wallet.transaction(reference)
        if found is None:
            raise RefusedError("identifierError", 404)
        return found

    def _authorise(self, request: web.Request) -> None:
        given = request.headers.get("X-API-Key", "").encode()
        if not hmac.compare_digest(given, self._api_key.encode()):
            text = msgspec.json.encode(error_document("clientAuthorisationError", None)).decode()
            raise web.HTTPUnauthorized(text=text, content_type="application/json")

    async def _read(self, request: web.Request, kind: str) -> Row:
        """Read a request as strictly as the specification words it."""
        content = await request.read()
        correlation = request.headers.get("X-CorrelationID", "")
        digest = request.headers.get("X-Content-Hash")
        if not UUID.fullmatch(correlation) or (digest and digest != hashlib.sha256(content).hexdigest()):
            raise _bad("formatError")
        try:
            body = msgspec.json.decode(content)
            amount = Money.parse(body["amount"], body["currency"])
            payers = [party["value"] for party in body.get("debitParty", []) if party["key"] == "msisdn"]
        except (msgspec.MsgspecError, KeyError, TypeError, AttributeError):
            raise _bad("mandatoryValueNotSupplied") from None
        except MoneyError:
            raise _bad("currencyNotSupported") from None
        if not AMOUNT.fullmatch(body["amount"]) or (kind == "merchantpay" and not payers):
            raise _bad("formatError")
        return {
            "correlation": correlation,
            "kind": kind,
            "our_reference": str(body.get("requestingOrganisationTransactionReference", "")),
            "amount_minor": amount.amount_minor,
            "currency": amount.currency,
            "mobile": payers[0] if payers else "",
            "description": str(body.get("descriptionText", "")),
            "callback_url": request.headers.get("X-Callback-URL", ""),
        }

    def _forge(self, delivery: Delivery) -> Delivery:
        return replace(delivery, headers={**delivery.headers, "X-API-Key": "forged-callback-key"})

    def _estrange(self, delivery: Delivery) -> Delivery:
        body = {**msgspec.json.decode(delivery.body), "requestingOrganisationTransactionReference": self.wallet.mint()}
        body["transactionReference"] = self.wallet.mint()
        content = msgspec.json.encode(body)
        headers = {**delivery.headers, "X-Content-Hash": hashlib.sha256(content).hexdigest()}
        return replace(delivery, body=content, headers=headers)


def state_document(request: Row) -> dict[str, Any]:
    document = {
        "serverCorrelationId": request["server_id"],
        "status": request["status"],
        "notificationMethod": "callback" if request["callback_url"] else "polling",
        "expiryTime": request["expires_at"],
        "pollLimit": 100,
    }
    if request["transaction_reference"]:
        document["objectReference"] = request["transaction_reference"]
    if request["error_code"]:
        document["error"] = error_document(request["error_code"], request["created_at"])
    return document


def transaction_document(row: Row) -> dict[str, Any]:
    """Render a transaction; the parties change sides in a reversal."""
    payer = [{"key": "msisdn", "value": row["mobile"]}]
    organisation = [{"key": "organisationid", "value": "GOV"}]
    back = row["kind"] == "reversal"
    currency = row["currency"]
    document = {
        "transactionReference": row["reference"],
        "transactionStatus": row["status"],
        "type": row["kind"],
        "amount": _amount(row["amount_minor"], currency),
        "currency": currency,
        "debitParty": organisation if back else payer,
        "creditParty": payer if back else organisation,
        "requestingOrganisationTransactionReference": row["our_reference"],
        "transactionReceipt": f"R{row['reference'][1:]}",
        "creationDate": row["created_at"],
        "modificationDate": row["created_at"],
    }
    if row["original"]:
        document["originalTransactionReference"] = row["original"]
    fees = [("merchantFee", row["fee_minor"]), ("VAT", row["vat_minor"])]
    if any(minor for _, minor in fees):
        document["fees"] = [
            {"feeType": name, "feeAmount": _amount(minor, currency), "feeCurrency": currency} for name, minor in fees
        ]
    return document


def error_document(code: str, at: str | None) -> dict[str, Any]:
    document = {"errorCategory": CATEGORIES.get(code, "businessRule"), "errorCode": code}
    return {**document, "errorDateTime": at} if at else document


def refusal(status: int, code: str) -> web.Response:
    return answer(error_document(code, None), status=status)


def _bad(code: str) -> web.HTTPBadRequest:
    text = msgspec.json.encode(error_document(code, None)).decode()
    return web.HTTPBadRequest(text=text, content_type="application/json")


def _amount(minor: int, currency: str) -> str:
    text = Money(minor, currency).decimal()
    return text.rstrip("0").rstrip(".") if "." in text else text


def _distort(document: Any, name: str) -> Any:
    """Return the document with another amount, another currency or an unheard-of status."""
    if not isinstance(document, dict):
        return document
    changed = dict(document)
    if "amount" in changed and name == "wrong_amount":
        changed["amount"] = "1" + changed["amount"]
    if "currency" in changed and name == "wrong_currency":
        changed["currency"] = "USD" if changed["currency"] != "USD" else "AED"
    for field in ("transactionStatus", "status"):
        if field in changed and name == "unknown_status":
            changed[field] = "underNewReview"
    return changed


DIALECT: Final = Dialect(refusal, _distort)
