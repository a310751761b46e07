"""Reminders, the word that was promised, sending again, and what operators see of what did not arrive."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from adapters.contract import Method
from gateway.domain.errors import NotFoundError, TransitionError
from gateway.services import links
from gateway.services.catalogue.import_catalogue import import_catalogue
from gateway.services.measure_backlog import measure_backlog
from gateway.services.messages.note_deliveries import note_deliveries
from gateway.services.messages.promise_word import promise_word
from gateway.services.messages.resend_receipt import resend_for_operator, resend_receipt
from gateway.services.messages.send_messages import send_emails, send_texts
from gateway.store import backlog, messages
from gateway.worker import JOBS
from tests.gateway.conftest import DEPARTMENTS, Mailbox

PAYER = {"language": "ar", "email": "fatima@example.ae"}


def token_of(town, intent):
    return links.token_of(town.deps, intent["id"])


async def wants_reminders(town, minutes=120):
    imported = await import_catalogue(town.deps, [{**DEPARTMENTS[0], "reminder_minutes": minutes}], [])
    assert not imported.faults


async def kinds(town):
    rows = await town.deps.pool.fetch("SELECT kind, channel, status FROM gateway.message ORDER BY created_at, id")
    return [(row["kind"], row["channel"], row["status"]) for row in rows]


async def test_a_reminder_goes_out_before_the_link_ends_in_both_languages(town):
    await wants_reminders(town)
    intent = await town.intent(payer=PAYER)
    await town.work()
    assert town.mailbox.sent == []
    town.clock.advance(hours=22, minutes=1)
    await town.work()
    [letter] = town.mailbox.sent
    assert letter.recipient == "fatima@example.ae"
    assert letter.language == "ar"
    assert intent["reference"] in letter.subject
    assert "AED 105.00" in letter.text
    assert "23 November 2026, 10:00" in letter.text
    assert "23 نوفمبر 2026, 10:00" in letter.text
    assert letter.text.count(intent["checkout_url"]) == 2
    town.clock.advance(minutes=30)
    await town.work()
    assert len(town.mailbox.sent) == 1


@pytest.mark.parametrize("what", ["paid", "cancelled"])
async def test_nobody_is_reminded_of_what_is_paid_or_taken_back(town, what):
    await wants_reminders(town)
    if what == "paid":
        await town.paid(payer=PAYER)
    else:
        intent = await town.intent(payer=PAYER)
        await town.ask("POST", f"/v1/payment-intents/{intent['id']}/cancel", {})
    town.mailbox.sent.clear()
    town.clock.advance(hours=23)
    await town.work()
    assert town.mailbox.sent == []
    assert ("reminder", "email", "needless") in await kinds(town)


@pytest.mark.parametrize(
    ("minutes", "hours"), [(None, 24), (120, 2), (120, 1)], ids=["not wanted", "too short", "shorter than the lead"]
)
async def test_no_reminder_is_queued_where_none_is_due(town, minutes, hours):
    await wants_reminders(town, minutes)
    await town.intent(payer=PAYER, expires_at=(town.clock() + timedelta(hours=hours)).isoformat())
    assert await kinds(town) == []


async def test_a_repeated_request_queues_no_second_reminder(town):
    await wants_reminders(town)
    body = {"reference": "INV-R", "lines": [{"service": "licence"}], "payer": PAYER}
    answers = await asyncio.gather(*(town.ask("POST", "/v1/payment-intents", body, key="same") for _ in range(3)))
    assert {answer.status for answer in answers} <= {201, 409}
    assert await kinds(town) == [("reminder", "email", "waiting")]


@pytest.mark.parametrize("minutes", [4, 43_201, "soon", 1.5, True])
async def test_a_reminder_s_lead_is_checked_on_import(town, minutes):
    imported = await import_catalogue(town.deps, [{**DEPARTMENTS[0], "reminder_minutes": minutes}], [])
    assert [fault.field for fault in imported.faults] == ["reminder_minutes"]


async def decline(town, intent):
    await town.pay(intent, card="4000000000000002")
    await town.work()


async def test_whoever_was_promised_a_word_is_told_that_nothing_was_taken(town):
    intent = await town.intent(payer=PAYER)
    await town.start(intent)
    attempt = await town.attempt_of(intent)
    assert await promise_word(town.deps, attempt["id"])
    assert await promise_word(town.deps, attempt["id"])
    await decline(town, intent)
    [letter] = town.mailbox.sent
    assert "no money was taken" in letter.text
    assert "ولم يُخصم أي مبلغ" in letter.text
    assert intent["checkout_url"] in letter.text
    assert (await town.attempt_of(intent))["status"] == "declined"


async def test_whoever_saw_the_answer_on_the_page_gets_no_letter_about_a_decline(town):
    intent = await town.intent(payer=PAYER)
    await town.start(intent)
    await decline(town, intent)
    assert town.mailbox.sent == []
    attempt = await town.attempt_of(intent)
    assert not await promise_word(town.deps, attempt["id"])


async def test_a_promised_no_is_needless_once_the_bill_is_paid_another_way(town):
    intent = await town.intent(payer=PAYER)
    await town.start(intent)
    await promise_word(town.deps, (await town.attempt_of(intent))["id"])
    town.mailbox.failures = 1
    await decline(town, intent)
    await town.start(intent)
    await town.pay(intent)
    await town.work()
    town.clock.advance(minutes=2)
    await town.work()
    assert [letter.subject.split()[0] for letter in town.mailbox.sent] == ["إيصال"]
    assert ("not_paid", "email", "needless") in await kinds(town)


async def test_a_receipt_is_sent_again_as_another_letter_at_most_once_a_minute(town):
    intent = await town.paid()
    with pytest.raises(TransitionError, match="a moment ago") as refused:
        await resend_receipt(town.deps, token_of(town, intent))
    assert refused.value.retry_after_s == 60
    soon = await town.ask("POST", f"/v1/payment-intents/{intent['id']}/send-receipt", {})
    assert (soon.status, soon.headers["Retry-After"], soon.body["retryable"]) == (409, "60", True)
    town.clock.advance(minutes=2)
    answer = await town.ask("POST", f"/v1/payment-intents/{intent['id']}/send-receipt", {})
    assert (answer.status, answer.body["channels"]) == (202, ["email"])
    await town.work()
    first, second = town.mailbox.sent
    assert (first.text, first.recipient) == (second.text, second.recipient)
    assert first.id != second.id, "the mail server would take the second for the first"


async def test_only_a_paid_intent_of_one_s_own_has_a_receipt_to_send(town):
    unpaid = await town.intent()
    with pytest.raises(TransitionError, match="has not been made"):
        await resend_for_operator(town.deps, unpaid["id"])
    with pytest.raises(NotFoundError):
        await resend_for_operator(town.deps, "pi_" + "0" * 26)
    answer = await town.ask("POST", f"/v1/payment-intents/{unpaid['id']}/send-receipt", {}, department="roads")
    assert answer.status == 404


async def test_what_is_given_up_is_seen_by_operators_and_can_be_sent_again(town):
    town.mailbox.failures = 100
    intent = await town.paid()
    for _ in range(8):
        town.clock.advance(hours=13)
        await town.work()
    async with town.deps.connection() as connection:
        [fate] = await messages.not_delivered(connection, since=town.clock() - timedelta(days=30), limit=10)
        assert (fate.subject, fate.status, fate.channel) == (intent["id"], "dead", "email")
        waiting = {each.queue: each.waiting for each in await backlog.read(connection, town.clock())}
    assert waiting["undeliverable_messages"] == 1
    assert await measure_backlog(town.deps, 1) == 0
    town.mailbox.failures = 0
    await resend_receipt(town.deps, token_of(town, intent))
    await town.work()
    assert len(town.mailbox.sent) == 1


class Stuck(Mailbox):
    """A carrier that hangs until it is let go."""

    def __init__(self):
        super().__init__()
        self.go = asyncio.Event()

    async def send(self, message):
        await self.go.wait()
        await super().send(message)


async def test_a_mail_server_that_hangs_holds_up_no_text(open_town):
    letters, texts = Stuck(), Mailbox()
    town = await open_town(senders={"email": letters, "sms": texts})
    intent = await town.intent(payer={**PAYER, "mobile": "+971501234567"})
    await town.start(intent)
    await town.pay(intent)
    await town.control("drain", {})
    for job in ("apply callbacks", "ask about undecided attempts"):
        await next(each for each in JOBS if each.name == job).run(town.deps)
    sending = asyncio.create_task(send_emails(town.deps, 10))
    assert await send_texts(town.deps, 10) == 1
    assert len(texts.sent) == 1
    letters.go.set()
    assert await sending == 1
    assert len(letters.sent) == 1


class Centre(Mailbox):
    """A carrier that tells a delivery again until it is confirmed."""

    def __init__(self):
        super().__init__()
        self.reports = []

    async def send(self, message):
        await super().send(message)
        return message.id

    def take_receipts(self, limit):
        return self.reports[:limit]

    async def confirm_receipt(self, report):
        self.reports.remove(report)


class Report:
    def __init__(self, carrier_reference, state):
        self.carrier_reference, self.state = carrier_reference, state


async def test_a_delivery_is_confirmed_only_when_it_is_stored(open_town):
    centre = Centre()
    town = await open_town(senders={"sms": centre})
    intent = await town.intent(payer={"language": "en", "mobile": "+971501234567"})
    await town.start(intent, Method.CARD)
    await town.pay(intent)
    await town.work()
    [text] = centre.sent
    centre.reports = [Report(text.id, "UNDELIV")]
    assert await note_deliveries(town.deps, 10) == 1
    assert centre.reports == []
    async with town.deps.connection() as connection:
        [fate] = await messages.not_delivered(connection, since=town.clock() - timedelta(days=1), limit=10)
    assert fate.delivery == "UNDELIV"
