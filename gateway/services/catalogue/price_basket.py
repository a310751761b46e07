"""What a basket costs: each line by its service's tariff, else by the catalogue or as the department names it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

import msgspec
from msgspec.structs import replace

from gateway.domain import tariff as tariffs
from gateway.domain.department import Bundle, Department, Names, Service
from gateway.domain.errors import FieldFault, InvalidError
from gateway.domain.tariff import AMOUNT_MINOR_MAX, Applied, Asked, Open, Tariff
from gateway.store.catalogue import Catalogue
from gateway.store.intents import IntentLine
from ledger.errors import MoneyError
from ledger.money import Money, exponent_of

_NO_ANSWERS: Final[Mapping[str, str | bool]] = {}


class LineRequest(msgspec.Struct, frozen=True):
    """One line as asked: a service of the catalogue, or a name, a revenue code and an amount of one's own."""

    service: str | None = None
    quantity: int = 1
    amount_minor: int | None = None
    currency: str | None = None
    names: Names | None = None
    revenue_code: str | None = None
    base_minor: int | None = None
    base_currency: str | None = None
    answers: Mapping[str, str | bool] | None = None


class Basket(msgspec.Struct, frozen=True):
    """Lines with their prices, all in one currency. Nothing of it is stored yet."""

    lines: tuple[IntentLine, ...]
    amount: Money
    bundle: str | None = None


def price_basket(
    requests: Sequence[LineRequest], bundle_code: str | None, catalogue: Catalogue, owner: Department, at: datetime
) -> Basket:
    """Price a basket as one department asks for it at an instant; all faults are told at once."""
    bundle = _bundle(bundle_code, catalogue, owner)
    if bundle is not None and not requests:
        requests = [LineRequest(service=item.service, quantity=item.quantity) for item in bundle.items]
    priced: list[tuple[IntentLine, str]] = []
    faults: list[FieldFault] = []
    for index, request in enumerate(requests):
        try:
            priced.append(_price_line(index, request, catalogue, owner, bundle, at))
        except InvalidError as error:
            faults += [replace(fault, pointer=f"/lines/{index}{fault.pointer}") for fault in error.faults]
    if not faults and bundle is not None:
        faults = _check_bundle(bundle, [line for line, _ in priced])
    if faults:
        raise InvalidError(faults=faults)
    return Basket(tuple(line for line, _ in priced), _total(priced), bundle_code)


def open_range(service: str | None, catalogue: Catalogue, at: datetime) -> tuple[int, int]:
    """Return what may be named, in minor units, where the amount is open: the tariff's range, or any payment's."""
    tariff = tariffs.in_force(catalogue.tariffs.get(service or "", ()), at)
    if tariff is not None and isinstance(tariff.terms.price, Open):
        return tariff.terms.price.minimum_minor, tariff.terms.price.maximum_minor
    return 1, AMOUNT_MINOR_MAX


def _bundle(code: str | None, catalogue: Catalogue, owner: Department) -> Bundle | None:
    if code is None:
        return None
    bundle = catalogue.bundles.get(code)
    if bundle is None:
        raise InvalidError("the catalogue has no such bundle", pointer="/bundle")
    if bundle.department != owner.code:
        raise InvalidError("this bundle is asked for by the department that owns it", pointer="/bundle")
    return bundle


def _price_line(
    index: int, request: LineRequest, catalogue: Catalogue, owner: Department, bundle: Bundle | None, at: datetime
) -> tuple[IntentLine, str]:
    if request.service is None:
        return _own_line(index, request, owner)
    service = catalogue.services.get(request.service)
    if service is None:
        raise InvalidError("the catalogue has no such service", pointer="/service")
    if service.department != owner.code and not _holds(bundle, service):
        raise InvalidError("another department's service: only a bundle of yours may hold it", pointer="/service")
    if request.names is not None or request.revenue_code is not None:
        raise InvalidError("a service has its own name and revenue code", pointer="/service")
    tariff = tariffs.in_force(catalogue.tariffs.get(service.code, ()), at)
    currency = tariff.terms.currency if tariff is not None else service.currency
    if request.currency not in (None, currency):
        raise InvalidError(f"this service is charged in {currency}", pointer="/amount/currency")
    line = IntentLine(
        number=index + 1,
        department=service.department,
        service=service.code,
        names=service.names,
        revenue_code=service.revenue_code,
        quantity=request.quantity,
        amount_minor=0,
        vat_minor=0,
        shared=service.department != owner.code,
    )
    if tariff is not None:
        return _by_tariff(line, request, tariff), currency
    _refuse_tariff_fields(request)
    amount_minor = _catalogue_amount(request, service)
    return replace(line, amount_minor=amount_minor, vat_minor=service.vat_minor(amount_minor)), currency


def _holds(bundle: Bundle | None, service: Service) -> bool:
    return bundle is not None and any(item.service == service.code for item in bundle.items)


def _check_bundle(bundle: Bundle, lines: Sequence[IntentLine]) -> list[FieldFault]:
    """Tell lines that do not make this bundle: none of it is there, or another's service more often than it holds."""
    held = Counter(item.service for item in bundle.items)
    if not any(line.service in held for line in lines):
        return [FieldFault("/lines", "invalid", "none of the bundle's services is among the lines")]
    faults: list[FieldFault] = []
    for index, line in enumerate(lines):
        if line.shared and line.service is not None:
            held[line.service] -= 1
            if held[line.service] < 0:
                detail = "the bundle holds this other department's service less often"
                faults.append(FieldFault(f"/lines/{index}/service", "invalid", detail))
    return faults


def _by_tariff(line: IntentLine, request: LineRequest, tariff: Tariff) -> IntentLine:
    """Price a line by its tariff. An amount that is sent along must be the same, or lie in an open tariff's range."""
    if request.base_currency not in (None, tariff.terms.currency):
        raise InvalidError(f"this service is charged in {tariff.terms.currency}", pointer="/base_amount/currency")
    asked = Asked(request.quantity, request.base_minor, request.amount_minor, request.answers or _NO_ANSWERS)
    priced = tariffs.price(tariff.terms, asked)
    is_open = isinstance(tariff.terms.price, Open)
    if not is_open and request.amount_minor not in (None, priced.amount_minor):
        raise InvalidError(
            f"differs from the tariff's: version {tariff.version} makes it {priced.amount_minor}",
            pointer="/amount/amount",
        )
    return replace(
        line,
        amount_minor=priced.amount_minor,
        vat_minor=priced.vat_minor,
        applied=Applied(tariff, request.base_minor, priced.discount_minor, priced.concession),
    )


def _catalogue_amount(request: LineRequest, service: Service) -> int:
    """Return the line's amount: the catalogue's per unit, or the whole as the department names it."""
    if service.amount_minor is None:
        if request.amount_minor is None:
            raise InvalidError("this service has no fixed amount: name one", pointer="/amount")
        return request.amount_minor
    fixed = service.amount_minor * request.quantity
    if request.amount_minor not in (None, fixed):
        raise InvalidError("this service has a fixed amount, which is another", pointer="/amount/amount")
    if fixed > AMOUNT_MINOR_MAX:
        raise InvalidError("the line is beyond what one payment may be", pointer="/quantity")
    return fixed


def _own_line(index: int, request: LineRequest, owner: Department) -> tuple[IntentLine, str]:
    if request.names is None or request.revenue_code is None:
        missing = "name" if request.names is None else "revenue_code"
        raise InvalidError("a line without a service needs a name and a revenue code", pointer=f"/{missing}")
    if request.amount_minor is None or request.currency is None:
        raise InvalidError("a line without a service needs an amount", pointer="/amount")
    _refuse_tariff_fields(request)
    try:
        exponent_of(request.currency)
    except MoneyError:
        raise InvalidError("this currency is not booked here", pointer="/amount/currency") from None
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


def _refuse_tariff_fields(request: LineRequest) -> None:
    if request.base_minor is not None:
        raise InvalidError("there is no tariff here that takes a base amount", pointer="/base_amount")
    if request.answers:
        raise InvalidError("there is no tariff here that asks questions", pointer="/answers")


def _total(priced: Sequence[tuple[IntentLine, str]]) -> Money:
    currency = priced[0][1]
    for index, (_, other) in enumerate(priced):
        if other != currency:
            raise InvalidError("all lines of a payment have one currency", pointer=f"/lines/{index}/amount/currency")
    total = sum(line.amount_minor for line, _ in priced)
    if total > AMOUNT_MINOR_MAX:
        raise InvalidError("the total is beyond what one payment may be", pointer="/lines")
    return Money(total, currency)
