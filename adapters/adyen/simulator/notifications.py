"""Standard notifications, signed item by item, with the signature code of this side."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import aiohttp
import msgspec

from adapters.adyen.simulator.book import Book, Row
from adapters.simulation.deliveries import Deliveries, Delivery, Tampering
from adapters.simulation.faults import Faults

SIGNED = (
    "pspReference", "originalReference", "merchantAccountCode", "merchantReference", "value", "currency", "eventCode",
    "success",
)  # fmt: skip


class Notifications:
    """Words what happened and hands it to the deliveries."""

    def __init__(
        self,
        book: Book,
        faults: Faults,
        *,
        hmac_key: bytes,
        merchant_account: str,
        callback_url: str | None,
        session: Callable[[], aiohttp.ClientSession],
    ) -> None:
        self.deliveries = Deliveries(faults, Tampering(self._forge, self._estrange), session)
        self._book = book
        self._hmac_key = hmac_key
        self._merchant_account = merchant_account
        self._callback_url = callback_url

    async def tell(self, movement: Row) -> None:
        """Notify a payment (AUTHORISATION, approved or refused) or a refund; a refund that fails was done before."""
        if self._callback_url is None:
            return
        refund = movement["kind"] == "refund"
        failed = refund and not movement["success"]
        item: dict[str, Any] = {
            "pspReference": movement["psp_reference"],
            "merchantAccountCode": self._merchant_account,
            "merchantReference": movement["reference"],
            "amount": {"currency": movement["currency"], "value": movement["amount_minor"]},
            "eventCode": "REFUND_FAILED" if failed else "REFUND" if refund else "AUTHORISATION",
            "eventDate": movement["created_at"],
            "success": "true" if failed or movement["success"] else "false",
            "paymentMethod": movement["scheme"],
            "reason": movement["reason"],
            "additionalData": {},
        }
        if refund:
            item["originalReference"] = movement["original"]
        else:
            item["operations"] = ["CANCEL", "CAPTURE", "REFUND"] if movement["success"] else []
            item["additionalData"] = {"cardSummary": movement["card"], "authCode": movement["psp_reference"][:6]}
        await self.deliveries.send([self._delivery(movement["reference"], self._callback_url, item)])

    def _delivery(self, about: str, url: str, item: dict[str, Any]) -> Delivery:
        flat = {**item, **item["amount"]}
        text = ":".join(str(flat.get(field, "")) for field in SIGNED)
        signature = base64.b64encode(hmac.digest(self._hmac_key, text.encode(), hashlib.sha256)).decode()
        signed = {**item, "additionalData": {**item["additionalData"], "hmacSignature": signature}}
        body = {"live": "false", "notificationItems": [{"NotificationRequestItem": signed}]}
        return Delivery(about, url, {}, msgspec.json.encode(body))

    def _forge(self, delivery: Delivery) -> Delivery:
        body = msgspec.json.decode(delivery.body)
        item = body["notificationItems"][0]["NotificationRequestItem"]
        item["amount"]["value"] += 1
        return replace(delivery, body=msgspec.json.encode(body))

    def _estrange(self, delivery: Delivery) -> Delivery:
        item = msgspec.json.decode(delivery.body)["notificationItems"][0]["NotificationRequestItem"]
        strange = {**item, "pspReference": self._book.mint(), "merchantReference": self._book.mint()}
        return self._delivery(delivery.about, delivery.url, strange)
