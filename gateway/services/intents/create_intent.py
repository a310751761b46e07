"""A department asks for a fee: checked, priced from the catalogue, and stored with its key, lines and event at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

import msgspec

from gateway.deps import Deps
from gateway.domain import department as departments
from gateway.domain.contact import Contact
from gateway.domain.department import Department
from gateway.domain.errors import InvalidError, NotFoundError
from gateway.domain.idempotency import Claim, StoredAnswer
from gateway.domain.ids import Prefix
from gateway.domain.intent import IntentStatus
from gateway.services import links
from gateway.services.catalogue.price_basket import LineRequest, price_basket
from gateway.services.contacts import contact_of, kept_contact
from gateway.services.documents import Document, intent_document, payer_document
from gateway.services.notices import intent_event, reminder_messages
from gateway.services.providers.route_payment import captures_later
from gateway.store import intents
from gateway.store.connections import to_json
from gateway.store.creation import NewIntent, NewLine
from gateway.store.intents import Intent, IntentLine
from gateway.store.messages import Message

_CREATED = 201
_REMINDED_AFTER = timedelta(minutes=30)
"""A bill younger than this needs no reminder: its payer has just been sent the link."""


class IntentRequest(msgspec.Struct, frozen=True):
    reference: str
    lines: Sequence[LineRequest]
    language: str
    payer_email: str | None = None
    payer_mobile: str | None = None
    return_url: str | None = None
    metadata: Mapping[str, str] | None = None
    expires_at: datetime | None = None
    bundle: str | None = None
    capture_later: bool = False


async def create_intent(deps: Deps, department: str, request: IntentRequest, claim: Claim) -> StoredAnswer:
    """Create an intent, or return the first answer to this key. Waits for the group commit that carries it."""
    catalogue = await deps.catalogue.get()
    owner = catalogue.departments.get(department)
    if owner is None:
        raise InvalidError("this department is not in the catalogue")
    now = deps.clock()
    basket = price_basket(request.lines, request.bundle, catalogue, owner, now)
    if not basket.amount:
        raise InvalidError("nothing is to be paid: every fee is waived", pointer="/lines")
    if request.capture_later and not any(map(captures_later, deps.providers.values())):
        raise InvalidError("no provider here reserves an amount and captures it later", pointer="/capture")
    intent_id = deps.mint(Prefix.INTENT)
    intent = Intent(
        id=intent_id,
        department=department,
        reference=request.reference,
        amount=basket.amount,
        status=IntentStatus.REQUIRES_PAYMENT,
        late_payment=False,
        language=request.language,
        contact=kept_contact(deps, intent_id, request.payer_email, request.payer_mobile),
        return_url=_checked_return_url(request.return_url, owner),
        metadata=request.metadata or {},
        live=deps.live,
        created_at=now,
        updated_at=now,
        expires_at=_checked_expiry(deps, request.expires_at, now),
        paid_at=None,
        paid_attempt=None,
        receipt_number=None,
        bundle=basket.bundle,
        capture_later=request.capture_later,
    )
    document = intent_document(intent, basket.lines)  # without the payer and the link: see `add_payer_and_link`
    document["paid_before"] = None  # the statement that stores it knows better, and puts it in: so it stands last
    answer = StoredAnswer(intent.id, _CREATED, msgspec.json.encode(document))
    reminders = tuple(_reminders(deps, intent, owner))
    return await deps.creations.submit(_new_intent(deps, intent, claim, answer, basket.lines, reminders))


def created_answer(deps: Deps, stored: StoredAnswer, request: IntentRequest) -> bytes:
    """Return the whole answer to a creation. A repetition has the body of the first request, so also its payer."""
    contact = Contact(request.payer_email, request.payer_mobile)
    return add_payer_and_link(deps, stored, request.language, contact)


async def whole_answer(deps: Deps, stored: StoredAnswer) -> bytes:
    """Return the whole answer to a request that changed an intent."""
    async with deps.connection() as connection:
        intent = await intents.read(connection, stored.resource)
    if intent is None:
        raise NotFoundError
    return add_payer_and_link(deps, stored, intent.language, contact_of(deps, intent))


def add_payer_and_link(deps: Deps, stored: StoredAnswer, language: str, contact: Contact) -> bytes:
    """Put the payer and the checkout link at the end of a stored answer, without reading and writing all of it again.

    Neither is stored with it: the one opens a payment page, the other is a person's.
    """
    rest: Document = {"checkout_url": links.checkout_url(deps, stored.resource)}
    if not (stored.replayed and "payer" in msgspec.json.decode(stored.answer)):  # it was, before contacts were sealed
        rest = {"payer": payer_document(language, contact), **rest}
    return stored.answer[:-1] + b"," + msgspec.json.encode(rest)[1:]


def with_payer_and_link(deps: Deps, intent: Intent, document: Document) -> Document:
    """Add to an intent's document what stored answers do not hold."""
    payer = payer_document(intent.language, contact_of(deps, intent))
    return {**document, "payer": payer, "checkout_url": links.checkout_url(deps, intent.id)}


def _new_intent(
    deps: Deps,
    intent: Intent,
    claim: Claim,
    answer: StoredAnswer,
    lines: Sequence[IntentLine],
    reminders: tuple[Message, ...],
) -> NewIntent:
    event = intent_event(deps, intent, "created")
    return NewIntent(
        id=intent.id,
        claim=claim,
        answer=answer,
        department=intent.department,
        reference=intent.reference,
        amount_minor=intent.amount.amount_minor,
        currency=intent.amount.currency,
        language=intent.language,
        contact=intent.contact.sealed,
        return_url=intent.return_url,
        metadata=to_json(intent.metadata),
        live=intent.live,
        created_at=intent.created_at,
        expires_at=intent.expires_at,
        event_id=event.id,
        event_data=to_json(event.data),
        bundle=intent.bundle,
        lines=tuple(_new_line(line) for line in lines),
        reminders=reminders,
        capture_later=intent.capture_later,
    )


def _reminders(deps: Deps, intent: Intent, owner: Department) -> Iterable[Message]:
    """Remind the payer before the link ends, where the department wants it and there is time for both."""
    if owner.reminder_minutes is None:
        return ()
    due_at = intent.expires_at - timedelta(minutes=owner.reminder_minutes)
    return reminder_messages(deps, intent, due_at) if due_at > intent.created_at + _REMINDED_AFTER else ()


def _new_line(line: IntentLine) -> NewLine:
    applied = line.applied
    return NewLine(
        department=line.department,
        service=line.service,
        name_ar=line.names.ar,
        name_en=line.names.en,
        revenue_code=line.revenue_code,
        quantity=line.quantity,
        amount_minor=line.amount_minor,
        vat_minor=line.vat_minor,
        tariff=applied.tariff.id if applied else None,
        base_minor=applied.base_minor if applied else None,
        discount_minor=applied.discount_minor if applied else 0,
        concession=applied.concession if applied else None,
        shared=line.shared,
    )


def _checked_return_url(url: str | None, owner: Department) -> str | None:
    if url is None:
        return None
    try:
        departments.check_return_url(url, owner)
    except InvalidError as error:
        raise InvalidError(error.detail, pointer="/return_url") from None
    return url


def _checked_expiry(deps: Deps, asked: datetime | None, now: datetime) -> datetime:
    limits = deps.limits
    if asked is None:
        return now + limits.expiry_default
    if not limits.expiry_min <= asked - now <= limits.expiry_max:
        bounds = f"{_minutes(limits.expiry_min)} to {_minutes(limits.expiry_max)} minutes from now"
        raise InvalidError(f"must lie {bounds}", pointer="/expires_at")
    return asked


def _minutes(span: timedelta) -> int:
    return int(span.total_seconds() // 60)
