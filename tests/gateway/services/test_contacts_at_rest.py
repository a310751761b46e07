"""Payers' contacts at rest: nowhere in clear, sealed anew under a new key, and no payment waits for a key."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import msgspec
import pytest

from adapters.contract import ApproveOnPhone
from gateway.domain.contact import Contact
from gateway.domain.sealing import SealedError, Sealer
from gateway.services import links
from gateway.services.catalogue.import_catalogue import import_catalogue
from gateway.services.contacts import contact_of, kept_contact, reached_at, recipient_of
from gateway.services.payers.read_checkout import read_checkout
from gateway.services.seal_contacts import seal_contacts
from gateway.store import attempts, contacts, intents, messages
from tests.gateway.conftest import DEPARTMENTS

KNOWN = {"language": "ar", "email": "office.of.fatima@example.ae", "mobile": "+971501234567"}
TYPED = "fatima@example.ae"
SECRETS = (KNOWN["email"], KNOWN["mobile"], KNOWN["mobile"].removeprefix("+"), TYPED)


async def found_in_clear(town):
    """Search every column of every table of the gateway, as text and as bytes, for what must not stand there."""
    pool = town.deps.pool
    tables = await pool.fetch(
        "SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables WHERE schemaname IN ('gateway', 'ledger')"
    )
    found = set()
    for table in [each["name"] for each in tables]:
        text = "\n".join(row["row"] for row in await pool.fetch(f"SELECT t::text AS row FROM {table} t"))
        if any(secret in text or secret.encode().hex() in text for secret in SECRETS):
            found.add(table)
    return found


async def everything_told(town):
    """Take a payment of a payer who is reminded, declined, receipted, and known by an e-mail and a mobile."""
    imported = await import_catalogue(town.deps, [{**DEPARTMENTS[0], "reminder_minutes": 120}], [])
    assert not imported.faults
    intent = await town.intent(payer=KNOWN)
    changed = await town.ask("POST", f"/v1/payment-intents/{intent['id']}", {"metadata": {"officer": "18"}})
    assert changed.body["payer"] == KNOWN
    await town.start(intent)
    await town.pay(intent)
    other = await town.intent(payer=KNOWN)
    await town.ask("POST", f"/v1/payment-intents/{other['id']}/cancel", {})
    return intent


async def put_in_clear(town):
    """Make the rows what they were before anything was sealed."""
    pool = town.deps.pool
    await pool.execute("UPDATE gateway.intent SET contact = NULL, payer_email = $1, payer_mobile = $2", *SECRETS[:2])
    await pool.execute("UPDATE gateway.attempt SET contact = NULL, payer_email = $1", TYPED)
    await pool.execute("UPDATE gateway.message SET sealed_recipient = NULL, recipient = $1", TYPED)


async def heads(town):
    """Return under which keys what is stored is sealed."""
    rows = await town.deps.pool.fetch(
        """SELECT substring(contact FOR 9) AS head FROM gateway.intent UNION SELECT substring(contact FOR 9)
             FROM gateway.attempt UNION SELECT substring(sealed_recipient FOR 9) FROM gateway.message"""
    )
    return {row["head"] for row in rows}


async def reached(deps, intent):
    async with deps.connection() as connection:
        stored = await intents.read(connection, intent["id"])
        [attempt] = await attempts.of_intent(connection, intent["id"])
    return reached_at(deps, stored, attempt)


async def test_nothing_of_a_payer_stands_in_the_database_in_clear(town):
    intent = await everything_told(town)
    assert await found_in_clear(town) == set()
    assert await heads(town) == {town.deps.sealer.head}
    assert (await town.read(intent))["payer"] == KNOWN
    await town.work()
    assert [letter.recipient for letter in town.mailbox.sent] == [TYPED]
    assert await found_in_clear(town) == set()


async def test_the_search_would_find_it(town):
    await everything_told(town)
    await put_in_clear(town)
    assert await found_in_clear(town) == {"gateway.intent", "gateway.attempt", "gateway.message"}


async def test_what_was_written_in_clear_is_read_and_then_sealed(town):
    intent = await everything_told(town)
    await put_in_clear(town)
    assert (await town.read(intent))["payer"] == KNOWN
    assert await reached(town.deps, intent) == Contact(TYPED, KNOWN["mobile"])
    await town.work()
    assert [letter.recipient for letter in town.mailbox.sent] == [TYPED]
    assert await found_in_clear(town) != set()  # the walk stays behind the clock
    town.clock.advance(minutes=6)
    assert await seal_contacts(town.deps, 1) > 0
    await town.work()
    assert await found_in_clear(town) == set()
    assert await heads(town) == {town.deps.sealer.head}
    assert (await town.read(intent))["payer"] == KNOWN
    assert await reached(town.deps, intent) == Contact(TYPED, KNOWN["mobile"])
    assert await seal_contacts(town.deps, 100) == 0


async def test_a_new_key_seals_everything_anew_and_the_old_one_may_go(town):
    intent = await everything_told(town)
    town.clock.advance(minutes=6)
    while await seal_contacts(town.deps, 100):
        pass
    rotated = replace(town.deps, sealer=Sealer((b"n" * 32, *town.deps.sealer.keys)))
    assert await reached(rotated, intent) == Contact(TYPED, KNOWN["mobile"])
    while await seal_contacts(rotated, 1):
        pass
    alone = replace(town.deps, sealer=Sealer((b"n" * 32,)))
    assert await heads(town) == {alone.sealer.head}
    assert await reached(alone, intent) == Contact(TYPED, KNOWN["mobile"])


async def test_a_key_taken_away_too_early_stops_the_walk_and_no_payment(town):
    intent = await everything_told(town)
    town.clock.advance(minutes=6)
    hasty = replace(town.deps, sealer=Sealer((b"n" * 32,)))
    assert await seal_contacts(hasty, 100) == 0
    assert await reached(hasty, intent) == Contact()
    assert (await read_checkout(hasty, links.token_of(hasty, intent["id"]))).payer_email is None
    async with town.deps.connection() as connection:
        due = await messages.claim(connection, "email", town.clock() + timedelta(days=1), town.clock(), 10)
    with pytest.raises(SealedError):
        recipient_of(hasty, due[0])
    put_back = replace(town.deps, sealer=Sealer((b"n" * 32, *town.deps.sealer.keys)))
    assert await seal_contacts(put_back, 100) > 0
    assert await heads(town) == {put_back.sealer.head}


async def test_bytes_moved_to_another_row_open_there_for_nobody_and_do_not_stop_the_walk(town):
    intent = await everything_told(town)
    stranger = await town.intent(payer={"email": "stranger@example.ae"})
    await town.deps.pool.execute(
        "UPDATE gateway.intent SET contact = (SELECT contact FROM gateway.intent WHERE id = $1) WHERE id = $2",
        intent["id"],
        stranger["id"],
    )
    async with town.deps.connection() as connection:
        assert contact_of(town.deps, await intents.read(connection, stranger["id"])) == Contact()
    town.clock.advance(minutes=6)
    rotated = replace(town.deps, sealer=Sealer((b"n" * 32, *town.deps.sealer.keys)))
    while await seal_contacts(rotated, 2):
        pass
    async with town.deps.connection() as connection:
        assert (await contacts.lock_walk(connection, "intent")).reached >= max(intent["id"], stranger["id"])


async def test_a_repeated_request_is_answered_with_its_payer_which_its_stored_answer_does_not_hold(town, owner):
    body = {"reference": "INV-9", "lines": [{"service": "licence"}], "payer": KNOWN}
    first = await town.ask("POST", "/v1/payment-intents", body, key="same")
    again = await town.ask("POST", "/v1/payment-intents", body, key="same")
    assert again.headers["Idempotency-Replayed"] == "true"
    assert first.body == again.body
    assert first.body["payer"] == KNOWN
    path = f"/v1/payment-intents/{first.body['id']}/cancel"
    cancelled = await town.ask("POST", path, {}, key="cancel")
    assert (await town.ask("POST", path, {}, key="cancel")).body == cancelled.body
    assert cancelled.body["payer"] == KNOWN
    # Answers stored before contacts were sealed hold theirs until their ninety days are over.
    stored = await town.deps.pool.fetchval("SELECT answer FROM gateway.idempotency WHERE key = 'same'")
    older = msgspec.json.encode({**msgspec.json.decode(stored), "payer": {**KNOWN, "mobile": None}})
    await owner.execute("UPDATE gateway.idempotency SET answer = $1 WHERE key = 'same'", older)
    replayed = await town.ask("POST", "/v1/payment-intents", body, key="same")
    assert replayed.body == {**first.body, "payer": {**KNOWN, "mobile": None}}


def test_a_phone_that_is_asked_is_kept_once():
    step = attempts.write_step(ApproveOnPhone(KNOWN["mobile"]))
    assert KNOWN["mobile"] not in step
    assert isinstance(attempts.read_step(step), ApproveOnPhone)


async def test_the_length_of_what_is_sealed_tells_no_address(town):
    kept = [kept_contact(town.deps, "pi_1", email, None) for email in ("a@b.ae", "a.longer.name@ministry.example.ae")]
    assert len({len(each.sealed) for each in kept}) == 1
