"""Bodies departments send, as types; unknown fields, wrong types and odd texts are refused with the field's name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Final, Literal, TypeVar

import msgspec
from msgspec import UNSET, Meta, UnsetType
from msgspec.structs import replace

from gateway.domain.caller import Scope
from gateway.domain.department import Names
from gateway.domain.errors import FieldFault, InvalidError
from gateway.domain.json_text import read_json
from gateway.domain.tariff import AMOUNT_MINOR_MAX
from gateway.domain.text import check_text
from gateway.services.catalogue.price_basket import LineRequest
from gateway.services.catalogue.quote_basket import QuoteRequest
from gateway.services.intents.create_intent import IntentRequest
from gateway.services.intents.payment_links import LinkRequest

AmountMinor = Annotated[int, Meta(ge=1, le=AMOUNT_MINOR_MAX)]
Currency = Annotated[str, Meta(pattern="^[A-Z]{3}$")]
Email = Annotated[str, Meta(max_length=254, pattern=r"^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9.-]{1,189}$")]
Mobile = Annotated[str, Meta(pattern=r"^\+[1-9][0-9]{7,14}$")]
Code = Annotated[str, Meta(min_length=1, max_length=63)]


class Body(msgspec.Struct, forbid_unknown_fields=True):
    """What every body is: nothing we do not know is accepted in silence."""


class Amount(Body):
    amount: AmountMinor
    currency: Currency


class BilingualName(Body):
    ar: str
    en: str


class Line(Body):
    service: Code | UnsetType = UNSET
    quantity: Annotated[int, Meta(ge=1, le=10_000)] = 1
    amount: Amount | UnsetType = UNSET
    base_amount: Amount | UnsetType = UNSET
    answers: Annotated[dict[str, str | bool], Meta(max_length=20)] = {}
    name: BilingualName | UnsetType = UNSET
    revenue_code: Code | UnsetType = UNSET


class Payer(Body):
    language: Literal["ar", "en"] = "ar"
    email: Email | None = None
    mobile: Mobile | None = None


class CreateIntent(Body):
    reference: str
    lines: Annotated[list[Line], Meta(min_length=1, max_length=100)] | UnsetType = UNSET
    bundle: Code | UnsetType = UNSET
    payer: Payer = msgspec.field(default_factory=Payer)
    return_url: str | None = None
    metadata: Annotated[dict[str, str], Meta(max_length=20)] = {}
    expires_at: str | None = None
    capture: Literal["automatic", "manual"] = "automatic"


class CaptureIntent(Body):
    amount: Amount | None = None


class CreateQuote(Body):
    lines: Annotated[list[Line], Meta(min_length=1, max_length=100)] | UnsetType = UNSET
    bundle: Code | UnsetType = UNSET
    at: str | None = None


class AmountRange(Body):
    least: Amount | None = None
    most: Amount | None = None


class CreatePaymentLink(Body):
    reference: str
    line: Line
    single_use: bool
    amount_range: AmountRange | None = None
    language: Literal["ar", "en"] = "ar"
    return_url: str | None = None
    metadata: Annotated[dict[str, str], Meta(max_length=19)] = {}
    expires_at: str | None = None


class CreateEndpoint(Body):
    url: str


class ReplayDeliveries(Body):
    event: str | None = None
    created_from: str | None = None
    created_before: str | None = None
    cursor: str | None = None


Scopes = Annotated[list[Scope], Meta(min_length=1, max_length=20)]


class CreateApiKey(Body):
    label: str
    scopes: Scopes
    expires_at: str | None = None


class RotateApiKey(Body):
    overlap_minutes: Annotated[int, Meta(ge=0, le=43_200)] = 1_440


class CreateOAuthClient(Body):
    label: str
    scopes: Scopes
    jwks: dict[str, Any] | None = None
    jwks_url: Annotated[str, Meta(max_length=500)] | None = None


class ClientKeys(Body):
    jwks: dict[str, Any] | None = None
    jwks_url: Annotated[str, Meta(max_length=500)] | None = None


class UpdateIntent(Body):
    metadata: Annotated[dict[str, str], Meta(max_length=20)]


class Empty(Body):
    """A body that says nothing: it may be left out."""


OPTIONAL: Final = (Empty, CaptureIntent, ReplayDeliveries, RotateApiKey)
"""Bodies that may be left out."""

Read = TypeVar("Read", bound=Body)

_PLACE: Final = re.compile(r"^(?P<what>.*?)(?: - at `(?P<path>[^`]*)`)?$", re.DOTALL)
_UNKNOWN: Final = re.compile(r"Object contains unknown field `(?P<field>.*)`", re.DOTALL)
_MISSING: Final = re.compile(r"Object missing required field `(?P<field>.*)`")
_STEP: Final = re.compile(r"\.([A-Za-z0-9_]+)|\[(\d+)\]|\[\.\.\.\]")
_SHOWABLE: Final = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_INSTANT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?(?:Z|[+-]\d\d:\d\d)")


def read_body(body: bytes, kind: type[Read]) -> Read:
    """Read a body into its type; the error names the field by JSON pointer and never repeats what stood there."""
    if not body and kind in OPTIONAL:
        return kind()
    value = read_json(body)
    try:
        return msgspec.convert(value, kind, strict=True)
    except msgspec.ValidationError as error:
        raise InvalidError(faults=[_fault(str(error))]) from None


def _fault(message: str) -> FieldFault:
    match = _PLACE.match(message)
    what, path = (match["what"], match["path"] or "$") if match else (message, "$")
    pointer = "".join(f"/{name or index}" for name, index in _STEP.findall(path.removeprefix("$")) if name or index)
    if unknown := _UNKNOWN.fullmatch(what):
        shown = unknown["field"] if _SHOWABLE.fullmatch(unknown["field"]) else ""
        return FieldFault(f"{pointer}/{shown}" if shown else pointer, "unknown_field", "is not a field of this object")
    if missing := _MISSING.fullmatch(what):
        return FieldFault(f"{pointer}/{missing['field']}", "missing", "is missing")
    if what.startswith("Invalid enum value"):
        what = "is not one of the values it may have"  # the library's sentence repeats what stood there
    return FieldFault(pointer, "invalid", what.partition(", got ")[0].replace("`", "") or "is not valid")


def intent_request(body: bytes) -> IntentRequest:
    """Read the body of a creation, with every text checked."""
    asked = read_body(body, CreateIntent)
    return IntentRequest(
        reference=check_text(asked.reference, length_max=100, pointer="/reference"),
        lines=_lines(asked.lines, asked.bundle),
        bundle=_code(asked.bundle, "/bundle"),
        language=asked.payer.language,
        payer_email=_email(asked.payer.email),
        payer_mobile=asked.payer.mobile,
        return_url=_url(asked.return_url),
        metadata=checked_metadata(asked.metadata),
        expires_at=_instant(asked.expires_at, "/expires_at"),
        capture_later=asked.capture == "manual",
    )


def quote_request(body: bytes) -> QuoteRequest:
    """Read the body of a quote: a basket, and the instant it is to be priced at."""
    asked = read_body(body, CreateQuote)
    lines, bundle = _lines(asked.lines, asked.bundle), _code(asked.bundle, "/bundle")
    return QuoteRequest(lines, bundle, _instant(asked.at, "/at"))


def link_request(body: bytes) -> LinkRequest:
    """Read the body of a payment link: one line, and the bounds of its amount where the payer names it."""
    asked = read_body(body, CreatePaymentLink)
    line = _line(0, asked.line)
    bounds = asked.amount_range
    named = bounds is not None
    if named and line.amount_minor is not None:
        raise InvalidError("name an amount or its range, not both", pointer="/amount_range")
    limits = [limit for limit in (bounds.least, bounds.most) if limit is not None] if bounds else []
    currencies = {limit.currency for limit in limits}
    if len(currencies) > 1:
        raise InvalidError("both ends of a range are in one currency", pointer="/amount_range/most/currency")
    if currencies:
        line = replace(line, currency=currencies.pop())
    return LinkRequest(
        reference=check_text(asked.reference, length_max=90, pointer="/reference"),
        line=line,
        payer_names_amount=named,
        least_minor=bounds.least.amount if bounds and bounds.least else None,
        most_minor=bounds.most.amount if bounds and bounds.most else None,
        single_use=asked.single_use,
        language=asked.language,
        return_url=_url(asked.return_url),
        metadata=checked_metadata(asked.metadata),
        expires_at=_instant(asked.expires_at, "/expires_at"),
    )


def instant_of(text: str, pointer: str) -> datetime:
    """Read RFC 3339 with an offset."""
    refused = InvalidError("is not an instant as in 2026-11-22T06:00:00Z", pointer=pointer)
    if not _INSTANT.fullmatch(text):
        raise refused
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        raise refused from None


def _instant(text: str | None, pointer: str) -> datetime | None:
    return None if text is None else instant_of(text, pointer)


def _lines(lines: list[Line] | UnsetType, bundle: str | UnsetType) -> list[LineRequest]:
    if isinstance(lines, UnsetType):
        if isinstance(bundle, UnsetType):
            raise InvalidError(faults=[FieldFault("/lines", "missing", "is missing: name lines or a bundle")])
        return []
    return [_line(index, line) for index, line in enumerate(lines)]


def _line(index: int, line: Line) -> LineRequest:
    at = f"/lines/{index}"
    names = None
    if isinstance(line.name, BilingualName):
        names = Names(
            check_text(line.name.ar, length_max=200, pointer=f"{at}/name/ar"),
            check_text(line.name.en, length_max=200, pointer=f"{at}/name/en"),
        )
    amount = line.amount if isinstance(line.amount, Amount) else None
    base = line.base_amount if isinstance(line.base_amount, Amount) else None
    return LineRequest(
        service=_code(line.service, f"{at}/service"),
        quantity=line.quantity,
        amount_minor=amount.amount if amount else None,
        currency=amount.currency if amount else None,
        names=names,
        revenue_code=_code(line.revenue_code, f"{at}/revenue_code"),
        base_minor=base.amount if base else None,
        base_currency=base.currency if base else None,
        answers=_answers(line.answers, f"{at}/answers"),
    )


def _answers(answers: Mapping[str, str | bool], pointer: str) -> dict[str, str | bool]:
    checked: dict[str, str | bool] = {}
    for question, answer in answers.items():
        if not _SHOWABLE.fullmatch(question):
            raise InvalidError("questions have 1 to 64 letters, digits, _ . -", pointer=pointer)
        at = f"{pointer}/{question}"
        checked[question] = check_text(answer, length_max=63, pointer=at) if isinstance(answer, str) else answer
    return checked


def _code(value: str | UnsetType, pointer: str) -> str | None:
    return check_text(value, length_max=63, pointer=pointer) if isinstance(value, str) else None


def _email(value: str | None) -> str | None:
    return None if value is None else check_text(value, length_max=254, pointer="/payer/email")


def _url(value: str | None) -> str | None:
    return None if value is None else check_text(value, length_max=500, pointer="/return_url")


def check_label(label: str) -> str:
    return check_text(label, length_max=100, pointer="/label")


def checked_metadata(value: Mapping[str, Any]) -> dict[str, str]:
    checked = {}
    for key, text in value.items():
        if not _SHOWABLE.fullmatch(key):
            raise InvalidError("keys have 1 to 64 letters, digits, _ . -", pointer="/metadata")
        pointer = f"/metadata/{key}"
        checked[key] = check_text(text, length_max=500, pointer=pointer) if text else ""
    return checked
