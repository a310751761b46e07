"""A department's payment links: made, listed, read, disabled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from msgspec.structs import replace

from gateway.deps import Deps
from gateway.domain import department as departments
from gateway.domain.department import Names
from gateway.domain.errors import FieldFault, InvalidError, NotFoundError
from gateway.domain.idempotency import Claim, StoredAnswer
from gateway.domain.ids import Prefix, id_range
from gateway.domain.payment_link import LinkState, PaymentLink
from gateway.services import links
from gateway.services.catalogue.price_basket import LineRequest, open_range, price_basket
from gateway.services.documents import Document, instant, page_document
from gateway.services.intents.price_link import price_link
from gateway.services.notices import money
from gateway.services.once import Made, earlier, once
from gateway.store import payment_links
from gateway.store.catalogue import Catalogue
from gateway.store.connections import Connection
from ledger.money import Money

_CREATED: Final = 201


@dataclass(frozen=True, slots=True)
class LinkRequest:
    """What is asked. `line` is priced like any other; with `least` or `most` the payer names the amount."""

    reference: str
    line: LineRequest
    payer_names_amount: bool
    least_minor: int | None
    most_minor: int | None
    single_use: bool
    language: str
    return_url: str | None = None
    metadata: Mapping[str, str] | None = None
    expires_at: datetime | None = None


async def create_link(deps: Deps, department: str, request: LinkRequest, claim: Claim) -> StoredAnswer:
    """Make a link, or return the first answer to this key. What could not be paid is refused now, not to the payer."""
    if (stored := await earlier(deps, claim)) is not None:
        return stored
    link = await _checked(deps, department, request)
    catalogue = await deps.catalogue.get()

    async def work(connection: Connection) -> Made:
        await payment_links.insert(connection, link)
        return link.id, link_document(link, catalogue, deps.clock(), 0)

    return await once(deps, claim, _CREATED, work)


async def _checked(deps: Deps, department: str, request: LinkRequest) -> PaymentLink:
    catalogue = await deps.catalogue.get()
    owner = catalogue.departments.get(department)
    if owner is None:
        raise InvalidError("this department is not in the catalogue")
    now = deps.clock()
    if request.return_url is not None:
        try:
            departments.check_return_url(request.return_url, owner)
        except InvalidError as error:
            raise InvalidError(error.detail, pointer="/return_url") from None
    if request.expires_at is not None and request.expires_at <= now + deps.limits.expiry_min:
        raise InvalidError("lies too soon for anybody to pay", pointer="/expires_at")
    least_minor, most_minor = _bounds(request, catalogue, now)
    tried = replace(request.line, amount_minor=least_minor) if request.payer_names_amount else request.line
    try:
        basket = price_basket([tried], None, catalogue, owner, now)
    except InvalidError as error:
        raise InvalidError(faults=[_placed(fault, request) for fault in error.faults]) from None
    if not basket.amount:
        raise InvalidError("nothing is to be paid: the fee is waived", pointer="/line")
    [line], currency = basket.lines, basket.amount.currency
    fixed = request.line.amount_minor if not request.payer_names_amount else None
    return PaymentLink(
        id=deps.mint(Prefix.PAYMENT_LINK),
        department=department,
        reference=request.reference,
        service=line.service,
        names=line.names,
        revenue_code=line.revenue_code,
        quantity=line.quantity,
        base_minor=request.line.base_minor,
        answers=request.line.answers or {},
        currency=currency,
        amount=None if fixed is None else Money(fixed, currency),
        least=Money(least_minor, currency) if request.payer_names_amount else None,
        most=Money(most_minor, currency) if request.payer_names_amount else None,
        single_use=request.single_use,
        language=request.language,
        return_url=request.return_url,
        metadata=request.metadata or {},
        live=deps.live,
        created_at=now,
        expires_at=request.expires_at,
        disabled_at=None,
    )


def _bounds(request: LinkRequest, catalogue: Catalogue, now: datetime) -> tuple[int, int]:
    """Return the ends between which a payer may name the amount; one that is not said is the tariff's."""
    lowest, highest = open_range(request.line.service, catalogue, now)
    least_minor = lowest if request.least_minor is None else request.least_minor
    most_minor = highest if request.most_minor is None else request.most_minor
    if not request.payer_names_amount:
        return least_minor, most_minor
    if request.line.service is None and request.line.currency is None:
        fault = FieldFault("/amount_range/least/currency", "missing", "is missing: one end tells the currency")
        raise InvalidError(faults=[fault])
    for end, minor in (("least", least_minor), ("most", most_minor)):
        if not lowest <= minor <= highest:
            detail = f"the tariff allows {lowest} to {highest} minor units"
            raise InvalidError(detail, pointer=f"/amount_range/{end}")
    if least_minor > most_minor:
        raise InvalidError("the least is more than the most", pointer="/amount_range/most")
    return least_minor, most_minor


def _placed(fault: FieldFault, request: LinkRequest) -> FieldFault:
    """Say of a line's fault where it stands in the link's body."""
    pointer = fault.pointer.replace("/lines/0", "/line", 1)
    if request.payer_names_amount and pointer == "/line/amount/currency":
        pointer = f"/amount_range/{'most' if request.least_minor is None else 'least'}/currency"
    return replace(fault, pointer=pointer)


async def read_link(deps: Deps, department: str, link_id: str) -> Document:
    catalogue = await deps.catalogue.get()
    async with deps.connection() as connection:
        link = await _own(connection, department, link_id)
        paid = await payment_links.paid(connection, [link_id])
    return with_address(deps, link_document(link, catalogue, deps.clock(), paid.get(link_id, 0)))


async def _own(connection: Connection, department: str, link_id: str) -> PaymentLink:
    link = await payment_links.read(connection, link_id)
    if link is None or link.department != department:
        raise NotFoundError
    return link


async def list_links(
    deps: Deps, department: str, created_from: datetime | None, created_before: datetime | None, *,
    cursor: str | None, limit: int,
) -> Document:  # fmt: skip
    catalogue = await deps.catalogue.get()
    before, after = id_range(Prefix.PAYMENT_LINK, created_from, created_before, cursor)
    async with deps.connection() as connection:
        found = await payment_links.page(
            connection, department, created_from, created_before, before=before, after=after, limit=limit + 1
        )
        paid = await payment_links.paid(connection, [link.id for link in found])
    now = deps.clock()
    documents: Sequence[Document] = [
        with_address(deps, link_document(link, catalogue, now, paid.get(link.id, 0))) for link in found[:limit]
    ]
    return page_document(documents, found[limit - 1].id if len(found) > limit else None)


async def disable_link(deps: Deps, department: str, link_id: str, claim: Claim) -> StoredAnswer:
    """Take a link back. What was begun under it can still be paid: those intents are their own."""
    catalogue = await deps.catalogue.get()

    async def work(connection: Connection) -> Made:
        await _own(connection, department, link_id)
        await payment_links.disable(connection, link_id, deps.clock())
        disabled = await _own(connection, department, link_id)
        paid = await payment_links.paid(connection, [link_id])
        return link_id, link_document(disabled, catalogue, deps.clock(), paid.get(link_id, 0))

    return await once(deps, claim, 200, work)


def with_address(deps: Deps, document: Document) -> Document:
    """Add the address payers open; stored answers do not hold it."""
    return {**document, "url": links.payment_link_url(deps, document["id"])}


def link_document(link: PaymentLink, catalogue: Catalogue, at: datetime, times_paid: int) -> Document:
    return {
        "id": link.id,
        "object": "payment_link",
        "status": _status(link, catalogue, at, times_paid),
        "reference": link.reference,
        "service": link.service,
        "name": _names(link.names),
        "quantity": link.quantity,
        "base_amount": None if link.base_minor is None else money(Money(link.base_minor, link.currency)),
        "answers": dict(link.answers),
        "amount": money(link.amount) if link.amount is not None else None,
        "amount_range": _range(link),
        "single_use": link.single_use,
        "times_paid": times_paid,
        "metadata": dict(link.metadata),
        "return_url": link.return_url,
        "created_at": instant(link.created_at),
        "expires_at": instant(link.expires_at),
        "disabled_at": instant(link.disabled_at),
    }


def _status(link: PaymentLink, catalogue: Catalogue, at: datetime, times_paid: int) -> str:
    """Say whether the link can be used, as whoever opens it is told."""
    state = link.state(at)
    if state is not LinkState.USABLE:
        return state.value
    if link.single_use and times_paid:
        return "paid"
    narrowed = link.within(*open_range(link.service, catalogue, at))
    return state.value if price_link(narrowed, catalogue, at) is not None else "unavailable"


def _names(names: Names) -> Document:
    return {"ar": names.ar, "en": names.en}


def _range(link: PaymentLink) -> Document | None:
    if link.least is None or link.most is None:
        return None
    return {"least": money(link.least), "most": money(link.most)}
