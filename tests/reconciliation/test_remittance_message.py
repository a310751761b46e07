"""The remittance advice as a message: what was paid, and every payment inside."""

import email
from dataclasses import dataclass, field, replace
from email.policy import SMTP

import pytest

from adapters.contract import PayoutReport, PayoutStatus
from adapters.errors import NotSentError, RejectedError
from reconciliation.breaks import Language
from reconciliation.deps import Letter
from reconciliation.errors import NotFoundError
from reconciliation.remittances import list_remittances, send_again, send_remittances
from reconciliation.reports.catalogue import Format, build_report, render
from reconciliation.reports.message import remittance_message

from .conftest import MONDAY, SUNDAY, entry, line, settlement


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


async def reject(world):
    """The bank rejects what traffic was to be paid."""
    (message_id,) = world.bank.files
    line_id = await world.pool.fetchval("SELECT id FROM reconciliation.payout_line WHERE department = 'traffic'")
    world.bank.reports[message_id] = PayoutReport(PayoutStatus.ACCEPTED, {line_id: PayoutStatus.REJECTED}, "AM04")
    await world.night(step="confirm")
    return line_id


async def test_what_the_bank_has_rejected_is_never_said_to_be_on_its_way(paid):
    line_id = await reject(paid)
    await send_remittances(paid.deps, 10)

    (letter,) = paid.deps.letters.carried
    assert "on its way" not in letter.text
    assert f"The bank rejected the transfer of AED 60.00 to AE840261001015033304101 ({line_id})." in letter.text
    assert "رفض البنك تحويل AED 60.00" in letter.text
    assert letter.subject.startswith("Remittance advice")
    listed = next(file.content.decode() for file in letter.files if file.name.endswith("en.csv"))
    assert "Total (rejected by the bank)" in listed


@pytest.mark.parametrize("returned", [False, True], ids=["rejected", "returned"])
async def test_a_letter_that_was_sent_is_corrected_once_when_the_bank_sends_the_money_back(paid, returned):
    carrier = paid.deps.letters
    await send_remittances(paid.deps, 10)
    if returned:
        line_id = await paid.pool.fetchval("SELECT id FROM reconciliation.payout_line WHERE department = 'traffic'")
        paid.bank.state(
            entry("-60.00", end_to_end=line_id, day=MONDAY),
            entry("60.00", end_to_end=line_id, returned=True, day=MONDAY), day=MONDAY,
        )  # fmt: skip
        await paid.night(MONDAY)
    else:
        line_id = await reject(paid)
    batch = await paid.pool.fetchval("SELECT batch_id FROM reconciliation.payout_line WHERE id = $1", line_id)
    while await send_remittances(paid.deps, 10):
        paid.clock.advance(minutes=10)

    first, corrected, *_ = [letter for letter in carrier.carried if letter.id.startswith(batch)]
    assert (first.id, corrected.id) == (f"{batch}-traffic", f"{batch}-traffic-1")
    assert corrected.subject == (
        "Correction of the remittance advice 2026-11-22, traffic / تصحيح إشعار تحويل 2026-11-22 - traffic"
    )
    assert "takes the place of the advice sent before" in corrected.text
    assert ("sent back" if returned else "rejected") in corrected.text
    assert "on its way" not in corrected.text


async def test_a_rejection_while_the_letter_is_on_its_way_is_not_lost(paid):
    """The letter is being carried, saying that the money comes; the bank rejects it before it counts as sent."""
    carrier, carry = paid.deps.letters, paid.deps.letters.send_with_files

    async def slowly(letter):
        carrier.send_with_files = carry
        await reject(paid)
        await carry(letter)

    carrier.send_with_files = slowly
    await send_remittances(paid.deps, 10)
    await send_remittances(paid.deps, 10)

    assert ["on its way" in letter.text for letter in carrier.carried] == [True, False]
    assert [one.status for one in await list_remittances(paid.deps)] == ["sent"]


async def test_the_report_of_a_payout_that_waits_says_so(world):
    world.deps = replace(world.deps, policy=replace(world.deps.policy, auto_approve_limit_minor=0))
    await world.payee("traffic")
    await world.capture("pa_1", ("traffic", "100.00"))
    world.provider.put(settlement([line(1, "O-pa_1", "100.00")]))
    await world.night()
    async with world.pool.acquire() as connection, connection.transaction():
        report = await build_report(connection, "remittance", SUNDAY, Language.ENGLISH, department="traffic")
        told = b"".join([chunk async for chunk in render(report, Format.CSV)]).decode()
    assert "Total (waiting for approval)" in told
