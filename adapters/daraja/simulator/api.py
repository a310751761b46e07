"""The API as Daraja words it: numbers for results, 500 for "not yet", 404 for a dead token, lists in lists."""

from __future__ import annotations

import base64
import hmac
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

import aiohttp
import msgspec
from aiohttp import web

from adapters.daraja.simulator.payouts import Payouts
from adapters.daraja.simulator.till import NAIROBI, Row, Till
from adapters.simulation.deliveries import Deliveries, Delivery, Tampering
from adapters.simulation.faults import Faults
from adapters.simulation.levers import read_object
from adapters.simulation.misbehaviour import Dialect, answer, run

TOKEN_TTL_S: Final = 3_599
PAGE_ROWS: Final = 100
MOBILE: Final = re.compile(r"\d{9,15}")
ACCOUNT_CHARS_MAX: Final = 12
DESCRIPTION_CHARS_MAX: Final = 13
SHILLINGS: Final = range(1, 250_001)
INVALID: Final = "400.002.02"


@dataclass(frozen=True, slots=True)
class Credentials:
    consumer_key: str
    consumer_secret: str
    short_code: str
    passkey: str


class Api:
    """Handlers of the merchant API."""

    def __init__(
        self,
        till: Till,
        faults: Faults,
        payouts: Payouts,
        credentials: Credentials,
        *,
        session: Callable[[], aiohttp.ClientSession],
    ) -> None:
        self.till = till
        self.faults = faults
        self.payouts = payouts
        self.deliveries = Deliveries(faults, Tampering(self._forge, self._estrange), session)
        self._credentials = credentials
        self._tokens: dict[str, datetime] = {}

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/oauth/v1/generate", self.token),
            web.post("/mpesa/stkpush/v1/processrequest", self.push),
            web.post("/mpesa/stkpushquery/v1/query", self.query),
            web.post("/pulltransactions/v1/query", self.pull),
        ]

    async def token(self, request: web.Request) -> web.StreamResponse:
        mine = f"{self._credentials.consumer_key}:{self._credentials.consumer_secret}"
        expected = f"Basic {base64.b64encode(mine.encode()).decode()}"
        if not hmac.compare_digest(request.headers.get("Authorization", "").encode(), expected.encode()):
            return refusal(400, "400.008.01", "Invalid Authentication passed")

        async def act() -> dict[str, str]:
            made = self.till.mint_token()
            self._tokens[made] = self.till.now()
            return {"access_token": made, "expires_in": str(TOKEN_TTL_S)}

        return await run(request, self.faults.take("token"), act, DIALECT)

    async def push(self, request: web.Request) -> web.StreamResponse:
        if (refused := self._unauthorised(request)) is not None:
            return refused
        body = await read_object(request)
        if (reason := self._fault_of(body)) is not None:
            return refusal(400, INVALID, f"Bad Request - Invalid {reason}")

        async def act() -> dict[str, Any]:
            made = self.till.push(
                {
                    "account": body["AccountReference"],
                    "shillings": body["Amount"],
                    "mobile": body["PhoneNumber"],
                    "description": body["TransactionDesc"],
                    "callback_url": body["CallBackURL"],
                }
            )
            if self.faults.next_is("callback", "before_answer"):
                await self.tell(self.till.approve(made))  # a payer quicker than the network
            return {
                "MerchantRequestID": made["merchant_id"],
                "CheckoutRequestID": made["checkout_id"],
                "ResponseCode": "0",
                "ResponseDescription": "Success. Request accepted for processing",
                "CustomerMessage": "Success. Request accepted for processing",
            }

        return await run(request, self.faults.take("create"), act, DIALECT)

    async def query(self, request: web.Request) -> web.StreamResponse:
        if (refused := self._unauthorised(request)) is not None:
            return refused
        body = await read_object(request)
        if self._badly_signed(body):
            return refusal(500, "500.001.1001", "[MerchantValidate] - Wrong credentials")
        fault = self.faults.take("query")
        found = self.till.find(str(body.get("CheckoutRequestID", "")))
        if found is None and fault is None:
            return refusal(400, INVALID, "Bad Request - Invalid CheckoutRequestID")
        if fault is None and found is not None and found["result_code"] is None:
            return refusal(500, "500.001.1001", "The transaction is being processed")

        async def act() -> dict[str, Any]:
            row = found or {}
            return {
                "ResponseCode": "0",
                "ResponseDescription": "The service request has been accepted successsfully",
                "MerchantRequestID": row.get("merchant_id", ""),
                "CheckoutRequestID": row.get("checkout_id", ""),
                "ResultCode": row.get("result_code") or "4999",
                "ResultDesc": described(row.get("result_code")),
            }

        return await run(request, fault, act, DIALECT)

    async def pull(self, request: web.Request) -> web.StreamResponse:
        """List payments; asking for a day that is over pays it out to the bank."""
        if (refused := self._unauthorised(request)) is not None:
            return refused
        body = await read_object(request)
        try:
            start, end = (
                datetime.strptime(str(body[name]), "%Y-%m-%d %H:%M:%S").replace(tzinfo=NAIROBI)
                for name in ("StartDate", "EndDate")
            )
            offset = int(body["OffSetValue"])
        except (KeyError, ValueError):
            return refusal(400, INVALID, "Bad Request - Invalid date")
        if body.get("ShortCode") != self._credentials.short_code:
            return refusal(400, INVALID, "Bad Request - Invalid ShortCode")
        await self.payouts.pay(start.date())
        rows = self.payouts.listed(start, end)[offset : offset + PAGE_ROWS]

        async def act() -> dict[str, Any]:
            head = {"ResponseRefID": "26178-42530161-2"}
            if not rows:
                return {**head, "ResponseCode": "1001", "ResponseMessage": "No transactions", "Response": "[[]]"}
            listed = [self._listed(row) for row in rows]
            return {**head, "ResponseCode": "1000", "ResponseMessage": "Success", "Response": [listed]}

        return await run(request, self.faults.take("query"), act, DIALECT)

    async def tell(self, prompt: Row) -> None:
        """Post the result of a prompt to the address its push brought."""
        if prompt["result_code"] is None or not prompt["callback_url"]:
            return
        told: dict[str, Any] = {
            "MerchantRequestID": prompt["merchant_id"],
            "CheckoutRequestID": prompt["checkout_id"],
            "ResultCode": int(prompt["result_code"]),
            "ResultDesc": described(prompt["result_code"]),
        }
        if prompt["result_code"] == "0":
            paid_at = self.till.now().astimezone(NAIROBI)
            items = {
                "Amount": float(prompt["shillings"]),
                "MpesaReceiptNumber": prompt["receipt"],
                "TransactionDate": int(f"{paid_at:%Y%m%d%H%M%S}"),
                "PhoneNumber": int(prompt["mobile"]),
            }
            listed: list[dict[str, Any]] = [{"Name": name, "Value": value} for name, value in items.items()]
            listed.insert(2, {"Name": "Balance"})  # it is always there, and always empty
            told["CallbackMetadata"] = {"Item": listed}
        body = msgspec.json.encode({"Body": {"stkCallback": told}})
        await self.deliveries.send([Delivery(prompt["account"], prompt["callback_url"], {}, body)])

    def _unauthorised(self, request: web.Request) -> web.Response | None:
        given = request.headers.get("Authorization", "").removeprefix("Bearer ")
        made_at = self._tokens.get(given)
        if made_at is None or (self.till.now() - made_at).total_seconds() > TOKEN_TTL_S:
            return refusal(404, "404.001.03", "Invalid Access Token")
        return None

    def _badly_signed(self, body: dict[str, Any]) -> bool:
        mine = self._credentials
        password = f"{mine.short_code}{mine.passkey}{body.get('Timestamp', '')}"
        expected = base64.b64encode(password.encode()).decode()
        return body.get("BusinessShortCode") != mine.short_code or body.get("Password") != expected

    def _fault_of(self, body: dict[str, Any]) -> str | None:
        """Name the first field that Daraja would not take."""
        checks = {
            "Password": not self._badly_signed(body),
            "Amount": type(body.get("Amount")) is int and body["Amount"] in SHILLINGS,
            "PhoneNumber": MOBILE.fullmatch(str(body.get("PhoneNumber", ""))) is not None,
            "CallBackURL": str(body.get("CallBackURL", "")).startswith("http"),
            "AccountReference": 0 < len(str(body.get("AccountReference", ""))) <= ACCOUNT_CHARS_MAX,
            "TransactionDesc": 0 < len(str(body.get("TransactionDesc", ""))) <= DESCRIPTION_CHARS_MAX,
            "TransactionType": body.get("TransactionType") in ("CustomerPayBillOnline", "CustomerBuyGoodsOnline"),
        }
        return next((field for field, fine in checks.items() if not fine), None)

    @staticmethod
    def _listed(row: Row) -> dict[str, Any]:
        return {
            "transactionId": row["receipt"],
            "trxDate": row["paid_at"],
            "msisdn": int(row["mobile"]),
            "sender": "MPESA",
            "transactiontype": row.get("kind", "c2b-pay-bill-debit"),
            "billreference": row["account"],
            "amount": f"{row['shillings']}.00",
            "organizationname": "Government Treasury",
        }

    @staticmethod
    def _forge(delivery: Delivery) -> Delivery:
        return replace(delivery, url=f"{delivery.url.rsplit('/', 1)[0]}/forgedCallbackKey")

    def _estrange(self, delivery: Delivery) -> Delivery:
        head, _, key = delivery.url.rpartition("/")
        return replace(delivery, url=f"{head.rpartition('/')[0]}/pa_nobody/{key}")


def described(code: str | None) -> str:
    return {
        "0": "The service request is processed successfully.",
        "1": "The balance is insufficient for the transaction.",
        "1032": "Request cancelled by user",
        "1037": "DS timeout user cannot be reached",
        None: "The transaction is still under processing",
    }.get(code, "The request could not be completed.")


def refusal(status: int, code: str, words: str = "Bad Request") -> web.Response:
    return answer({"requestId": "11728-2929992-1", "errorCode": code, "errorMessage": words}, status=status)


def _distort(document: Any, name: str) -> Any:
    """Return the document with another amount or an unheard-of result; there is no currency to change."""
    if not isinstance(document, dict):
        return document
    changed = dict(document)
    if "ResultCode" in changed and name == "unknown_status":
        changed["ResultCode"] = "7777"
    if isinstance(changed.get("Response"), list) and name in ("wrong_amount", "wrong_currency"):
        changed["Response"] = [
            [{**row, "amount": f"1{row['amount']}"} for row in inner] for inner in changed["Response"]
        ]
    return changed


def _refuse(status: int, reason: str) -> web.Response:
    return refusal(status, INVALID, reason)


DIALECT: Final = Dialect(_refuse, _distort)
