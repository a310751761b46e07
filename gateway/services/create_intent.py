"""A department asks for a fee: checked, priced from the catalogue, and stored with its key, lines and event at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec

from gateway.deps import Deps
from gateway.domain import department as departments
from gateway.domain.department import Department, Names, Service
from gateway.domain.errors import FieldFault, InvalidError
from gateway.domain.idempotency import Claim, StoredAnswer
from gateway.domain.ids import Prefix
from gateway.domain.intent import IntentStatus
from gateway.services import links
from gateway.services.documents import Document, intent_document
from gateway.services.notices import intent_event, reminder_messages
from gateway.store.catalogue import Catalogue
from gateway.store.connections import to_json
from gateway.store.creation import NewIntent, NewLine
from gateway.store.intents import Intent, IntentLine
from gateway.store.messages import Message
from ledger.errors import MoneyError
from ledger.money import Money, exponent_of

AMOUNT_MINOR_MAX = 10**12
_CREATED = 201
_REMINDED_AFTER = timedelta(minutes=30)
"""A bill younger than this needs no reminder: its payer has just been sent the link."""


@dataclass(frozen=True, slots=True)
class LineRequest:
    """One line as asked: a service of the catalogue, or a name, a revenue code and an amount of one's own."""

    service: str | None = None
    quantity: int = 1
    amount_minor: int | None = None
    currency: str | None = None
    names: Names | None = None
    revenue_code: str | None = None


@dataclass(frozen=True, slots=True)
class IntentRequest:
    reference: str
    lines: Sequence[LineRequest]
    language: str
    payer_email: str | None = None
    payer_mobile: str | None = None
    return_url: str | None = None
    metadata: Mapping[str, str] | None = None
    expires_at: datetime | None = None


async def create_intent(deps: Deps, department: str, request: IntentRequest, claim: Claim) -> StoredAnswer:
    """Create an intent, or return the first answer to this key. Waits for the group commit that carries it."""
    catalogue = await deps.catalogue.get()
    owner = catalogue.departments.get(department)
    if owner is None:
        raise InvalidError("this department is not in the catalogue")
    now = deps.clock()
    lines = _price(request.lines, catalogue, owner)
    amount = _total(lines)
    intent = Intent(
        id=deps.mint(Prefix.INTENT),
        department=department,
        reference=request.reference,
        amount=amount,
        status=IntentStatus.REQUIRES_PAYMENT,
        late_payment=False,
        language=request.language,
        payer_email=request.payer_email,
        payer_mobile=request.payer_mobile,
        return_url=_checked_return_url(request.return_url, owner),
        metadata=request.metadata or {},
        live=deps.live,
        created_at=now,
        updated_at=now,
        expires_at=_checked_expiry(deps, request.expires_at, now),
        paid_at=None,
        paid_attempt=None,
        receipt_number=None,
    )
    document = intent_document(intent, [line for line, _ in lines])
    answer = StoredAnswer(intent.id, _CREATED, msgspec.json.encode(document))
    reminders = tuple(_reminders(deps, intent, owner))
    return await deps.creations.submit(_new_intent(deps, intent, claim, answer, lines, reminders))


def with_link(deps: Deps, document: Document) -> Document:
    """Add the checkout link to an intent's document; stored answers do not hold it."""
    return {**document, "checkout_url": links.checkout_url(deps, document["id"])}


def _new_intent(
    deps: Deps,
    intent: Intent,
    claim: Claim,
    answer: StoredAnswer,
    lines: Sequence[tuple[IntentLine, str]],
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
        payer_email=intent.payer_email,
        payer_mobile=intent.payer_mobile,
        return_url=intent.return_url,
        metadata=to_json(intent.metadata),
        live=intent.live,
        created_at=intent.created_at,
        expires_at=intent.expires_at,
        event_id=event.id,
        event_data=to_json(event.data),
        lines=tuple(
            NewLine(
                department=line.department,
                service=line.service,
                name_ar=line.names.ar,
                name_en=line.names.en,
                revenue_code=line.revenue_code,
                quantity=line.quantity,
                amount_minor=line.amount_minor,
                vat_minor=line.vat_minor,
            )
            for line, _ in lines
        ),
        reminders=reminders,
    )


def _reminders(deps: Deps, intent: Intent, owner: Department) -> Iterable[Message]:
    """Remind the payer before the link ends, where the department wants it and there is time for both."""
    if owner.reminder_minutes is None:
        return ()
    due_at = intent.expires_at - timedelta(minutes=owner.reminder_minutes)
    return reminder_messages(deps, intent, due_at) if due_at > intent.created_at + _REMINDED_AFTER else ()


def _price(requests: Sequence[LineRequest], catalogue: Catalogue, owner: Department) -> list[tuple[IntentLine, str]]:
    """Price every line; all faults are told at once."""
    lines: list[tuple[IntentLine, str]] = []
    faults: list[FieldFault] = []
    for index, request in enumerate(requests):
        try:
            lines.append(_price_line(index, request, catalogue, owner))
        except InvalidError as error:
            faults += error.faults
    if faults:
        raise InvalidError(faults=faults)
    return lines


def _price_line(index: int, request: LineRequest, catalogue: Catalogue, owner: Department) -> tuple[IntentLine, str]:
    at = f"/lines/{index}"
    if request.service is None:
        return _own_line(index, request, owner)
    service = catalogue.services.get(request.service)
    if service is None:
        raise InvalidError("the catalogue has no such service", pointer=f"{at}/service")
    if request.names is not None or request.revenue_code is not None:
        raise InvalidError("a service has its own name and revenue code", pointer=f"{at}/service")
    if request.currency not in (None, service.currency):
        raise InvalidError(f"this service is charged in {service.currency}", pointer=f"{at}/amount/currency")
    amount_minor = _service_amount(at, request, service)
    line = IntentLine(
        number=index + 1,
        department=service.department,
        service=service.code,
        names=service.names,
        revenue_code=service.revenue_code,
        quantity=request.quantity,
        amount_minor=amount_minor,
        vat_minor=service.vat_minor(amount_minor),
    )
    return line, service.currency


def _service_amount(at: str, request: LineRequest, service: Service) -> int:
    """Return the line's amount: the catalogue's per unit, or the whole as the department names it."""
    if service.amount_minor is None:
        if request.amount_minor is None:
            raise InvalidError("this service has no fixed amount: name one", pointer=f"{at}/amount")
        return request.amount_minor
    fixed = service.amount_minor * request.quantity
    if request.amount_minor not in (None, fixed):
        raise InvalidError("this service has a fixed amount, which is another", pointer=f"{at}/amount/amount")
    if fixed > AMOUNT_MINOR_MAX:
        raise InvalidError("the line is beyond what one payment may be", pointer=f"{at}/quantity")
    return fixed


def _own_line(index: int, request: LineRequest, owner: Department) -> tuple[IntentLine, str]:
    at = f"/lines/{index}"
    if request.names is None or request.revenue_code is None:
        missing = "name" if request.names is None else "revenue_code"
        raise InvalidError("a line without a service needs a name and a revenue code", pointer=f"{at}/{missing}")
    if request.amount_minor is None or request.currency is None:
        raise InvalidError("a line without a service needs an amount", pointer=f"{at}/amount")
    try:
        exponent_of(request.currency)
    except MoneyError:
        raise InvalidError("this currency is not booked here", pointer=f"{at}/amount/currency") from None
    line = IntentLine(
        number=index + 1,
        department=owner.code,
        service=None,
        names=request.names,
        revenue_code=request.revenue_code,
        quantity=request.quantity,
        amount_minor=request.amount_minor,
        vat_minor=0,
    )
    return line, request.currency


def _total(lines: Sequence[tuple[IntentLine, str]]) -> Money:
    currency = lines[0][1]
    for index, (_, other) in enumerate(lines):
        if other != currency:
            raise InvalidError("all lines of a payment have one currency", pointer=f"/lines/{index}/amount/currency")
    total = sum(line.amount_minor for line, _ in lines)
    if total > AMOUNT_MINOR_MAX:
        raise InvalidError("the total is beyond what one payment may be", pointer="/lines")
    return Money(total, currency)


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
