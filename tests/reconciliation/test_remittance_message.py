"""The remittance advice as a message: what was paid, and every payment inside."""

import email
from dataclasses import dataclass, field, replace
from email.policy import SMTP

import pytest

from adapters.errors import NotSentError, RejectedError
from reconciliation.deps import Letter
from reconciliation.errors import NotFoundError
from reconciliation.remittances import list_remittances, send_again, send_remittances
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


@dataclass
class Carrier:
    """Takes letters, after saying why not as often as it is told to."""

    refusals: list[Exception] = field(default_factory=list)
    carried: list[Letter] = field(default_factory=list)

    async def send_with_files(self, message: Letter) -> None:
        if self.refusals:
            raise self.refusals.pop(0)
        self.carried.append(message)


@pytest.fixture
async def paid(world):
    """Two departments are paid, and one of them has said where its advice goes."""
    await world.payee("traffic", remittance_email="finance@traffic.example")
    await world.payee("health")
    await world.capture("pa_1", ("traffic", "60.00"), ("health", "40.00"))
    world.provider.put(settlement([line(1, "O-pa_1", "100.00")]))
    world.bank.state(entry("100.00", batch="BATCH-1"))
    world.deps = replace(world.deps, letters=Carrier())
    await world.night()
    return world


async def test_the_advice_of_a_released_payout_is_sent_once_with_its_files(paid):
    carrier = paid.deps.letters
    assert await send_remittances(paid.deps, 10) == 1
    (letter,) = carrier.carried
    assert letter.recipient == "finance@traffic.example"
    assert "AED 60.00 is on its way" in letter.text
    assert [file.name.rpartition(".")[2] for file in letter.files] == ["csv", "pdf", "csv", "pdf"]

    paid.clock.advance(days=2)
    await paid.night()
    assert await send_remittances(paid.deps, 10) == 0
    assert len(carrier.carried) == 1
    (sent,) = await list_remittances(paid.deps)
    assert (sent.department, sent.status) == ("traffic", "sent")


async def test_a_mail_server_that_is_away_gets_the_same_letter_later(paid):
    carrier = paid.deps.letters
    carrier.refusals = [NotSentError("away"), NotSentError("still away")]
    for minutes in (0, 1, 6):
        paid.clock.advance(minutes=minutes)
        await send_remittances(paid.deps, 10)
    batch = await paid.pool.fetchval("SELECT id FROM reconciliation.payout_batch")
    assert [letter.id for letter in carrier.carried] == [f"{batch}-traffic"]


async def test_a_sender_that_dies_is_followed_by_another_and_the_letter_is_known_by_its_id(paid):
    carrier = paid.deps.letters
    carrier.refusals = [KeyboardInterrupt()]
    with pytest.raises(KeyboardInterrupt):
        await send_remittances(paid.deps, 10)
    assert await send_remittances(paid.deps, 10) == 0
    paid.clock.advance(minutes=6)
    assert await send_remittances(paid.deps, 10) == 1
    assert len(carrier.carried) == 1


async def test_an_address_that_is_refused_for_good_is_given_up_until_somebody_asks_again(paid):
    carrier = paid.deps.letters
    carrier.refusals = [RejectedError("no such box")]
    await send_remittances(paid.deps, 10)
    (given_up,) = await list_remittances(paid.deps)
    assert (given_up.status, given_up.error) == ("dead", "RejectedError: no such box")
    await send_again(paid.deps, given_up.batch_id, "traffic", by="amal")
    await send_remittances(paid.deps, 10)
    assert len(carrier.carried) == 1
    with pytest.raises(NotFoundError):
        await send_again(paid.deps, "po_none", "traffic", by="amal")
