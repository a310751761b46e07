"""A text, all the way: queued with the payment, sent over SMPP, its delivery stored beside it."""

from __future__ import annotations

from typing import Any

from adapters.messages.smpp.client import SmppSender, SmsCentre
from adapters.messages.smpp.simulator import Centre


async def test_a_receipt_by_text_is_sent_once_and_its_delivery_is_stored(open_town: Any):
    async with Centre() as centre:
        sender = SmppSender(SmsCentre("127.0.0.1", centre.port, user="mizan"))
        town = await open_town(senders={"sms": sender})
        intent = await town.paid(payer={"mobile": "+971501234567", "language": "ar"})
        await town.paid(payer={"mobile": "+971507654321", "language": "en"})
        await town.work()
        [(phone, text), (_, english)] = centre.texts()
        assert phone == "971501234567"
        assert intent["receipt_number"] in text
        assert "تم دفع AED 105.00" in text
        assert "AED 105.00 paid to Department of Economy" in english
        row = await town.deps.pool.fetchrow("SELECT * FROM gateway.message WHERE subject = $1", intent["id"])
        assert (row["status"], row["delivery"]) == ("sent", "DELIVRD")
        assert row["carrier_reference"]
        await sender.close()
