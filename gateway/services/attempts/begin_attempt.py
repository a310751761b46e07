"""The first moment of every attempt: saved with its events, under the intent's lock, before anything can move."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from msgspec.structs import replace

from adapters.contract import Method
from gateway.deps import Deps
from gateway.domain import ids
from gateway.domain import intent as intent_rules
from gateway.domain.attempt import AttemptStatus
from gateway.domain.contact import Contact, KeptContact
from gateway.domain.ids import Prefix
from gateway.domain.intent import IntentEvent
from gateway.services.contacts import kept_contact
from gateway.services.notices import attempt_event, intent_event
from gateway.store import attempts, events, intents
from gateway.store.attempts import Attempt
from gateway.store.connections import Connection
from gateway.store.intents import Intent, Progress

_FIRST_CHECK: Final = timedelta(seconds=60)


async def begin_attempt(
    deps: Deps, connection: Connection, intent: Intent, last: Attempt | None, method: Method, contact: Contact,
    provider: str, now: datetime,
) -> Attempt:  # fmt: skip
    """Save a new attempt of a locked intent that may be paid and has none alive."""
    minted = deps.mint(Prefix.ATTEMPT)
    # The newest attempt has the highest id, even when a fail-over makes two in one millisecond.
    attempt_id = max(minted, ids.successor(last.id)) if last is not None else minted
    kept = kept_contact(deps, attempt_id, contact.email, contact.mobile)
    attempt = _new_attempt(attempt_id, intent, method, kept, contact.bank, provider, now)
    status = intent_rules.advance(intent.status, IntentEvent.ATTEMPT_STARTED)
    await attempts.insert(connection, attempt)
    await intents.move(connection, [Progress(intent.id, status, intent.late_payment)], now)
    await events.record(
        connection,
        [
            attempt_event(deps, intent, attempt, "started"),
            intent_event(deps, replace(intent, status=status), status.value, attempt),
        ],
    )
    return attempt


def _new_attempt(
    attempt_id: str, intent: Intent, method: Method, contact: KeptContact, bank: str | None, provider: str,
    now: datetime,
) -> Attempt:  # fmt: skip
    return Attempt(
        id=attempt_id,
        intent=intent.id,
        provider=provider,
        method=method,
        status=AttemptStatus.STARTING,
        amount=intent.amount,
        contact=contact,
        bank=bank,
        provider_reference=None,
        next_step=None,
        decline=None,
        word="",
        facts={},
        captured=None,
        captured_at=None,
        late=False,
        resolution=None,
        review=None,
        started_at=now,
        updated_at=now,
        asked_at=now,
        checks=0,
        next_check_at=now + _FIRST_CHECK,
    )
