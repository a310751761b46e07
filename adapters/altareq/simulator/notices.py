"""Events to the client's webhook, and credits to the payee's bank."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

import aiohttp

from adapters.altareq.simulator.banks import BANKS, Notary, SimulatedBank, consent_data, event, payment_data
from adapters.altareq.simulator.book import Book, Row
from adapters.simulation.bank import credit
from adapters.simulation.deliveries import Deliveries, Delivery, Tampering
from adapters.simulation.faults import Faults
from ledger.money import Money

ZONE: Final = ZoneInfo("Asia/Dubai")


class Notices:
    """Tells both sides what happened."""

    def __init__(
        self,
        book: Book,
        notary: Notary,
        faults: Faults,
        *,
        callback_url: str | None,
        bank_url: str | None,
        session: Callable[[], aiohttp.ClientSession],
    ) -> None:
        self._book = book
        self._notary = notary
        self._callback_url = callback_url
        self._bank_url = bank_url
        self._session = session
        self._messages: dict[bytes, tuple[dict[str, Any], SimulatedBank]] = {}
        self.deliveries = Deliveries(faults, Tampering(self._forge, self._estrange), session)

    async def consent(self, row: Row, *, created: bool = False) -> None:
        await self._send(row, event("payment-consents", consent_data(row), row["status_at"], created=created))

    async def payment(self, row: Row, *, created: bool = False) -> None:
        await self._send(row, event("payments", payment_data(row), row["status_at"], created=created))

    async def credit_bank(self) -> None:
        """Book what has been credited on the payee's own account: one entry a payment, with its references."""
        if self._bank_url is None:
            return
        for row in self._book.untold():
            booked_on = datetime.fromisoformat(row["status_at"]).astimezone(ZONE).date()
            if await credit(
                self._session(),
                self._bank_url,
                batch=row["transaction_id"],
                amount=Money(row["amount_minor"], row["currency"]),
                booked_on=booked_on,
                debtor="A Citizen",
                remittance=row["our_reference"],
                end_to_end_id=row["transaction_id"],
            ):
                self._book.mark_told(row["payment_id"])

    async def _send(self, row: Row, message: dict[str, Any]) -> None:
        url = row["webhook_url"] or self._callback_url
        if not url:
            return
        bank = BANKS[row["bank"]]
        body = self._notary.seal_event(message, bank.issuer)
        self._messages = {body: (message, bank)}  # what the last one says, for whoever has it forged
        await self.deliveries.send([Delivery(row["our_reference"], url, {"Content-Type": "application/jwe"}, body)])

    def _forge(self, delivery: Delivery) -> Delivery:
        message, bank = self._messages[delivery.body]
        return replace(delivery, body=self._notary.seal_event(message, bank.issuer, forged=True))

    def _estrange(self, delivery: Delivery) -> Delivery:
        message, bank = self._messages[delivery.body]
        stranger = self._book.mint()
        data = {**message["Data"], "ConsentId": stranger, "CreditorReference": "unknown"}
        if "PaymentId" in data:
            data["PaymentId"] = self._book.mint()
        changed = {"Data": data, "Meta": {**message["Meta"], "ConsentId": stranger}}
        return replace(delivery, body=self._notary.seal_event(changed, bank.issuer))
