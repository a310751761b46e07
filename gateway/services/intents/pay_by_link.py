"""Whoever opens a payment link gets an intent of their own; a link for one use has one that can be paid at a time."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from gateway.deps import Deps
from gateway.domain.department import Names
from gateway.domain.errors import NotFoundError, NothingToPayError
from gateway.domain.idempotency import Claim
from gateway.domain.intent import IntentStatus
from gateway.domain.payment_link import LinkState, PaymentLink
from gateway.services import links
from gateway.services.catalogue.price_basket import open_range
from gateway.services.intents.create_intent import IntentRequest, create_intent
from gateway.services.intents.price_link import line_of, price_link
from gateway.services.payers.read_checkout import names_of
from gateway.store import intents, payment_links
from ledger.money import Money

_ROUTE: Final = "payment link"
_DEAD: Final = frozenset({IntentStatus.CANCELLED, IntentStatus.EXPIRED})
_SUFFIX_CHARACTERS: Final = 8


@dataclass(frozen=True, slots=True)
class LinkView:
    """A link as whoever opens it sees it. `amount` is None where they name it, between `least` and `most`."""

    token: str
    usable: bool
    department: Names
    name: Names
    reference: str
    quantity: int
    currency: str
    amount: Money | None
    least: Money | None
    most: Money | None
    language: str
    live: bool
    begun: str | None
    """The token of the intent that a link for one use has already made and that is paid or can be paid."""


async def open_link(deps: Deps, token: str) -> LinkView:
    link = await _read(deps, token)
    catalogue = await deps.catalogue.get()
    begun = await _begun(deps, link)
    now = deps.clock()
    link = link.within(*open_range(link.service, catalogue, now))
    priced = price_link(link, catalogue, now)
    return LinkView(
        token=token,
        usable=link.state(now) is LinkState.USABLE and priced is not None,
        department=names_of(catalogue, link.department),
        name=link.names,
        reference=link.reference,
        quantity=link.quantity,
        currency=link.currency,
        amount=None if link.payer_names_amount else priced,
        least=link.least,
        most=link.most,
        language=link.language,
        live=link.live,
        begun=links.token_of(deps, begun[1]) if begun and begun[2] else None,
    )


async def pay_by_link(deps: Deps, token: str, *, named: Money | None, once: str, language: str) -> str:
    """Return the token of the intent to pay; `once` makes a repeated press of one amount the same intent.

    A link for one use gives its last intent while that is paid or can be paid. Two who press at once are given one
    intent: its key is the link and its number, so that the second is answered with what the first made.
    """
    link = await _read(deps, token)
    begun = await _begun(deps, link)
    if begun is not None and begun[2]:
        return links.token_of(deps, begun[1])
    now, catalogue = deps.clock(), await deps.catalogue.get()
    link = link.within(*open_range(link.service, catalogue, now))
    if link.state(now) is not LinkState.USABLE or price_link(link, catalogue, now) is None:
        raise NothingToPayError("this link can no longer be used")
    amount = link.check_amount(named)
    number = (begun[0] + 1 if begun else 1) if link.single_use else None
    named_minor = amount.amount_minor if amount is not None else ""
    key = f"{link.id} {number}" if number is not None else f"{link.id} {once} {named_minor}"
    digest = hashlib.sha256(key.encode()).digest()
    reference = link.reference if number is not None else f"{link.reference}-{digest.hex()[:_SUFFIX_CHARACTERS]}"
    request = IntentRequest(
        reference=reference,
        lines=[line_of(link, amount)],
        language=language,
        return_url=link.return_url,
        metadata={**link.metadata, "payment_link": link.id},
        expires_at=_expiry(deps, link, now),
    )
    stored = await create_intent(deps, link.department, request, Claim(link.department, _ROUTE, key, digest))
    async with deps.connection() as connection:
        await payment_links.note_use(connection, link.id, stored.resource, number)
    return links.token_of(deps, stored.resource)


async def _read(deps: Deps, token: str) -> PaymentLink:
    link_id = links.payment_link_of(deps, token)
    async with deps.connection() as connection:
        link = await payment_links.read(connection, link_id)
    if link is None or link.live != deps.live:
        raise NotFoundError
    return link


async def _begun(deps: Deps, link: PaymentLink) -> tuple[int, str, bool] | None:
    """Return the last use of a link for one use, its intent, and whether that is paid or can be."""
    if not link.single_use:
        return None
    async with deps.connection() as connection:
        last = await payment_links.last_use(connection, link.id)
        if last is None:
            return None
        intent = await intents.read(connection, last[1])
    is_alive = intent is not None and (intent.status not in _DEAD or intent.late_payment)
    return last[0], last[1], is_alive


def _expiry(deps: Deps, link: PaymentLink, now: datetime) -> datetime | None:
    """Let the intent end with its link, but give whoever has just pressed the least time there is."""
    if link.expires_at is None or link.expires_at >= now + deps.limits.expiry_default:
        return None
    return max(link.expires_at, now + deps.limits.expiry_min)
