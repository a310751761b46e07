"""The remittance advice as a message: what was paid, and every payment inside."""

import email
from email.policy import SMTP

import pytest

from reconciliation.errors import NotFoundError
from reconciliation.reports.message import remittance_message

from .conftest import SUNDAY, entry, line, settlement


async def test_the_message_names_the_payout_and_lists_every_payment_refund_and_fee(world):
    await world.payee("traffic")
    await world.capture("pa_1", ("traffic", "100.00"))
    await world.refund("re_1", "traffic", "30.00")
    world.provider.put(settlement([line(1, "O-pa_1", "100.00")]))
    world.bank.state(entry("100.00", batch="BATCH-1"))
    await world.night()

    async def written(department="traffic"):
        async with world.pool.acquire() as connection, connection.transaction():
            return await remittance_message(connection, SUNDAY, department)

    content = await written()
    assert content == await written()
    message = email.message_from_bytes(content, policy=SMTP)
    assert message["Subject"] == "Remittance advice 2026-11-22, traffic / إشعار تحويل 2026-11-22 - traffic"
    body = message.get_body().get_content()
    (line_id,) = world.bank.instructed()
    assert f"AED 70.00 is on its way to AE840261001015033304101 ({line_id})." in body
    assert "مبلغ AED 70.00 في طريقه" in body
    files = {part.get_filename(): part.get_content() for part in message.iter_attachments()}
    assert sorted(files) == [
        f"remittance-advice-2026-11-22-traffic-{one}" for one in ("ar.csv", "ar.pdf", "en.csv", "en.pdf")
    ]
    listed = files["remittance-advice-2026-11-22-traffic-en.csv"]
    assert "capture:pa_1" in listed
    assert "refund:re_1" in listed
    assert files["remittance-advice-2026-11-22-traffic-en.pdf"].startswith(b"%PDF-")
    with pytest.raises(NotFoundError, match="was not paid"):
        await written("health")
