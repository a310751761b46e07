"""Payers' contacts: sealed where they are stored, opened where somebody is told or shown them, never on the way."""

from __future__ import annotations

from typing import Final

import structlog

from gateway.deps import Deps
from gateway.domain.contact import Contact, KeptContact, open_contact, open_texts, seal_contact, seal_texts
from gateway.domain.sealing import SealedError
from gateway.store.attempts import Attempt
from gateway.store.intents import Intent
from gateway.store.messages import Message

_log: Final = structlog.get_logger(__name__)


def kept_contact(deps: Deps, about: str, email: str | None, mobile: str | None) -> KeptContact:
    """Seal a contact for the intent or attempt it is stored with."""
    return seal_contact(deps.sealer, email, mobile, about, deps.random_bytes)


def contact_of(deps: Deps, row: Intent | Attempt) -> Contact:
    """Return the contact stored with an intent or attempt.

    Where its key is missing nobody is reached, and that is logged; but no payment waits for a key.
    """
    try:
        return open_contact(deps.sealer, row.contact, row.id)
    except SealedError:
        _log.error("contact_cannot_be_opened", of=row.id)
        return Contact()


def reached_at(deps: Deps, intent: Intent, attempt: Attempt | None = None) -> Contact:
    """Return how a payer is reached: what they typed when paying counts before what the department knows."""
    known = contact_of(deps, intent)
    if attempt is None:
        return known
    typed = contact_of(deps, attempt)
    return Contact(typed.email or known.email, typed.mobile or known.mobile, attempt.bank)


def kept_recipient(deps: Deps, message_id: str, recipient: str) -> bytes:
    return seal_texts(deps.sealer, (recipient,), message_id, deps.random_bytes)


def recipient_of(deps: Deps, message: Message) -> str:
    """Return whom a message goes to; `SealedError` when the key is missing, and then it is tried again later."""
    if isinstance(message.recipient, str):
        return message.recipient  # queued before recipients were sealed
    [recipient] = open_texts(deps.sealer, message.recipient, message.id)
    return recipient or ""
