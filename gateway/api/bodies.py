"""Bodies departments send, as types. What each field says of itself is what the API's description says of it."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from gateway.domain.caller import Scope
from gateway.domain.department import Audience, Channel
from gateway.domain.tariff import AMOUNT_MINOR_MAX
from gateway.services.refunds.refund_many import REFUNDS_MAX


def said(description: str, *examples: Any, **schema: Any) -> Meta:
    """Describe a field. Nothing of it is checked when a body is read, so that it costs nothing there."""
    return Meta(description=description, examples=list(examples) or None, extra_json_schema=schema or None)


def text(description: str, *examples: Any, length_max: int) -> Meta:
    """Describe a text whose characters and length are checked after the body is read."""
    return said(description, *examples, minLength=1, maxLength=length_max)


def moment(description: str, example: str = "2026-12-01T12:00:00Z") -> Meta:
    """Describe an instant, RFC 3339 with an offset."""
    return said(description, example, format="date-time")


AmountMinor = Annotated[int, Meta(ge=1, le=AMOUNT_MINOR_MAX)]
Currency = Annotated[str, Meta(pattern="^[A-Z]{3}$")]
Email = Annotated[str, Meta(max_length=254, pattern=r"^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9.-]{1,189}$")]
Mobile = Annotated[str, Meta(pattern=r"^\+[1-9][0-9]{7,14}$")]
Code = Annotated[str, Meta(min_length=1, max_length=63)]
Url = Annotated[str, Meta(max_length=500)]

ROWS_MAX: Final = 1_000
TARIFFS_MAX: Final = 500
"""How many rows of a catalogue, and how many tariffs, one request may bring."""

_PERSON: Final = "The person, as your own system knows them"
_REASON: Final = text("Why; it stands in your statement", "entered twice", length_max=200)
_METADATA: Final = "Your own words: up to 20 names of 1 to 64 letters, digits, _ . -, each with up to 500 characters"


def shaped(name: str, description: str | None = None) -> Meta:
    """Describe an object by a shape of the API's description; it is read elsewhere, where all its faults are told."""
    return Meta(description=description, extra_json_schema={"allOf": [{"$ref": f"#/components/schemas/{name}"}]})


class Body(msgspec.Struct, forbid_unknown_fields=True):
    """What every body is: nothing we do not know is accepted in silence."""


class Amount(Body):
    amount: Annotated[AmountMinor, said("Whole minor units: 12550 is AED 125.50", 12550)]
    currency: Annotated[Currency, said("ISO 4217, in capitals", "AED")]


class BilingualName(Body):
    ar: Annotated[str, text("In Arabic", "نسخة مصدقة", length_max=200)]
    en: Annotated[str, text("In English", "Certified copy", length_max=200)]


class Line(Body):
    service: Annotated[Code | UnsetType, said("The service's code in the catalogue", "economy-002")] = UNSET
    quantity: Annotated[int, Meta(ge=1, le=10_000), said("How many, where the tariff counts", 1)] = 1
    amount: Annotated[
        Amount | UnsetType,
        said("What it costs, where neither service nor tariff says; beside a tariff it is a check, and may not differ"),
    ] = UNSET
    base_amount: Annotated[Amount | UnsetType, said("What a percentage is taken of: the rent, the value")] = UNSET
    answers: Annotated[
        dict[str, str | bool],
        Meta(max_length=20),
        said("Answers to the tariff's questions, by which discounts are granted", {"senior": True}),
    ] = {}
    name: Annotated[BilingualName | UnsetType, said("What it is called, where no service is named")] = UNSET
    revenue_code: Annotated[
        Code | UnsetType, said("The account it belongs to, where no service is named", "411900")
    ] = UNSET


Lines = Annotated[list[Line], Meta(min_length=1, max_length=100)]


class Payer(Body):
    language: Annotated[Literal["ar", "en"], said("The language of pages and messages", "ar")] = "ar"
    email: Annotated[Email | None, said("Where the receipt goes", "fatima@example.ae")] = None
    mobile: Annotated[Mobile | None, said("Where the receipt goes, with the country's code", "+971501234567")] = None


class CreateIntent(Body):
    reference: Annotated[
        str, text("Your own number for what is paid; it need not be unique", "CASE-4711", length_max=100)
    ]
    lines: Annotated[Lines | UnsetType, said("What is paid for. With a bundle, only where its services need more")] = (
        UNSET
    )
    bundle: Annotated[Code | UnsetType, said("The code of a bundle of services", "start-a-restaurant")] = UNSET
    payer: Annotated[Payer, said("Who pays, as far as you know")] = msgspec.field(default_factory=Payer)
    return_url: Annotated[
        str | None,
        text(
            "Where the payer's way back leads, at an origin registered for you",
            "https://economy.example.ae/cases/4711",
            length_max=500,
        ),
    ] = None
    metadata: Annotated[dict[str, str], Meta(max_length=20), said(_METADATA, {"officer": "17"})] = {}
    expires_at: Annotated[str | None, moment("Until when it can be paid; 24 hours when left out")] = None
    capture: Annotated[
        Literal["automatic", "manual"],
        said("manual: the payer's bank only reserves the amount, and you take it later", "automatic"),
    ] = "automatic"


class CaptureIntent(Body):
    amount: Annotated[Amount | None, said("What is taken of what is reserved; all of it when left out")] = None


class CreateQuote(Body):
    lines: Annotated[Lines | UnsetType, said("What is to be priced")] = UNSET
    bundle: Annotated[Code | UnsetType, said("The code of a bundle of services", "start-a-restaurant")] = UNSET
    at: Annotated[str | None, moment("The instant it is priced at; now when left out", "2026-12-24T08:00:00Z")] = None


class AmountRange(Body):
    least: Annotated[Amount | None, said("The least the payer may name")] = None
    most: Annotated[Amount | None, said("The most the payer may name")] = None


class CreatePaymentLink(Body):
    reference: Annotated[str, text("Your own number; each payment's begins with it", "GIFT", length_max=90)]
    line: Annotated[Line, said("What is paid for")]
    single_use: Annotated[bool, said("true leads everybody to one payment, false makes one for each payer")]
    amount_range: Annotated[
        AmountRange | None, said("The payer names the amount, within these bounds; without it the line has its own")
    ] = None
    language: Annotated[Literal["ar", "en"], said("The language of the page", "ar")] = "ar"
    return_url: Annotated[
        str | None,
        text(
            "Where the payer's way back leads, at an origin registered for you",
            "https://economy.example.ae/thanks",
            length_max=500,
        ),
    ] = None
    metadata: Annotated[dict[str, str], Meta(max_length=19), said(_METADATA, {"campaign": "flood relief"})] = {}
    expires_at: Annotated[str | None, moment("Until when it can be used; for ever when left out")] = None


class RefundedLine(Body):
    number: Annotated[int, Meta(ge=1, le=100), said("The line's number in the intent", 1)]
    amount: Annotated[Amount, said("What is given back of it")]


class CreateRefund(Body):
    reason: Annotated[str, _REASON]
    amount: Annotated[
        Amount | None, said("What is given back; all that is left when neither this nor lines are named")
    ] = None
    lines: Annotated[
        Annotated[list[RefundedLine], Meta(min_length=1, max_length=100)] | None,
        said("What is given back of which line"),
    ] = None
    requested_by: Annotated[str | None, text(f"{_PERSON}, who asks", "mariam", length_max=100)] = None


class DecideRefund(Body):
    decided_by: Annotated[str, text(f"{_PERSON}, who decides; another than who asked", "hassan", length_max=100)]
    reason: Annotated[str, said("Why; needed to refuse", "the licence was used", maxLength=200)] = ""


class BatchedRefund(Body):
    payment_intent: Annotated[str, said("The intent's id", "pi_01kan3t9w0f3cq5dy7m8b2x4rs")]
    amount: Annotated[Amount | None, said("What is given back; all that is left when left out")] = None


class PaidPayments(Body):
    service: Annotated[Code, said("The service that was paid for", "economy-002")]
    paid_from: Annotated[str, moment("Payments from this instant on", "2026-11-01T00:00:00+04:00")]
    paid_before: Annotated[str, moment("And before this one", "2026-11-02T00:00:00+04:00")]


class CreateRefundBatch(Body):
    reason: Annotated[str, _REASON]
    refunds: Annotated[
        Annotated[list[BatchedRefund], Meta(min_length=1, max_length=REFUNDS_MAX)] | None,
        said("The payments one by one; either these or a query"),
    ] = None
    query: Annotated[PaidPayments | None, said("The payments of a service in a time")] = None
    requested_by: Annotated[str | None, text(f"{_PERSON}, who asks", "mariam", length_max=100)] = None
    dry_run: Annotated[bool, said("true only says what would happen")] = False


REFUND_COLUMNS: Final = ("payment_intent", "amount_minor", "currency")
"""The columns of such a batch as a spreadsheet."""


class CreateEndpoint(Body):
    url: Annotated[str, said("Where we call you, by HTTPS", "https://hooks.economy.example.ae/mizan", format="uri")]


class ReplayDeliveries(Body):
    event: Annotated[str | None, said("One event by its id", "ev_01kan3t9w0f3cq5dy7m8b2x4rs")] = None
    created_from: Annotated[str | None, moment("Events from this instant on", "2026-11-22T06:00:00Z")] = None
    created_before: Annotated[str | None, moment("And before this one", "2026-11-22T18:00:00Z")] = None
    cursor: Annotated[
        str | None, said("The last answer's next_cursor, to go on behind it", "ev_01kan3t9w0f3cq5dy7m8b2x4rs")
    ] = None


Scopes = Annotated[list[Scope], Meta(min_length=1, max_length=20)]
_SCOPES: Final = said("What it may do; nothing the caller itself may not", ["payments:read", "payments:write"])
_LABEL: Final = text("What you call it", "case system", length_max=100)
_JWKS: Final = said("Its public keys, a JSON Web Key Set; either this or jwks_url", {"keys": []})
_JWKS_URL: Final = said("Where it publishes its public keys", "https://keys.economy.example.ae/jwks.json")


class CreateApiKey(Body):
    label: Annotated[str, _LABEL]
    scopes: Annotated[Scopes, _SCOPES]
    expires_at: Annotated[str | None, moment("When it ends; never when left out", "2027-11-22T00:00:00Z")] = None


class RotateApiKey(Body):
    overlap_minutes: Annotated[
        int, Meta(ge=0, le=43_200), said("How long both keys work; a day when left out", 1_440)
    ] = 1_440


class CreateOAuthClient(Body):
    label: Annotated[str, _LABEL]
    scopes: Annotated[Scopes, _SCOPES]
    jwks: Annotated[dict[str, Any] | None, _JWKS] = None
    jwks_url: Annotated[Url | None, _JWKS_URL] = None


class ClientKeys(Body):
    jwks: Annotated[dict[str, Any] | None, _JWKS] = None
    jwks_url: Annotated[Url | None, _JWKS_URL] = None


class UpdateIntent(Body):
    metadata: Annotated[
        dict[str, str], Meta(max_length=20), said(f"{_METADATA}. It replaces what was there", {"officer": "18"})
    ]


class ServiceRow(Body):
    """A service as the catalogue's files have it. Read row by row, so that every bad one can be told."""

    code: Annotated[str, text("Small letters, digits, - . and _", "economy-117", length_max=63)]
    name_en: Annotated[str, text("In English", "Trade name reservation", length_max=200)]
    name_ar: Annotated[str, text("In Arabic", "حجز اسم تجاري", length_max=200)]
    revenue_code: Annotated[str, text("The account it belongs to", "411000", length_max=200)]
    department: Annotated[str, said("Yours; it may be left out", "economy")] = ""
    currency: Annotated[Currency, said("What it is charged in", "AED")] = "AED"
    amount_minor: Annotated[
        AmountMinor | None, said("A fixed price of a new service; tariffs alone change what one costs", 62000)
    ] = None
    vat_basis_points: Annotated[int, Meta(ge=0, le=10_000), said("The VAT inside such a price; 500 is 5 %", 500)] = 0
    active: Annotated[bool, said("false retires it")] = True
    description_en: Annotated[str, said("What it is", "Reserves a trade name for a year", maxLength=2_000)] = ""
    description_ar: Annotated[str, said("In both languages or in none", "يحجز اسما لمدة عام", maxLength=2_000)] = ""
    audience: Annotated[list[Audience], said("For whom it is", ["business"])] = []
    channels: Annotated[list[Channel], said("Where it can be had", ["web"])] = []
    documents: Annotated[
        list[BilingualName], said("What an applicant brings", [{"ar": "الهوية", "en": "Emirates ID"}], maxItems=30)
    ] = []
    depends_on: Annotated[list[str], said("Services that must be had before it", ["economy-001"])] = []


class BundledService(Body):
    service: Annotated[Code, said("The service's code", "economy-001")]
    quantity: Annotated[int, Meta(ge=1, le=10_000), said("How many of it", 1)] = 1


class BundleRow(Body):
    """A bundle as the catalogue's files have it."""

    code: Annotated[str, text("Small letters, digits, - . and _", "open-a-shop", length_max=63)]
    name_en: Annotated[str, text("In English", "Open a shop", length_max=200)]
    name_ar: Annotated[str, text("In Arabic", "افتح متجرا", length_max=200)]
    services: Annotated[
        list[BundledService],
        Meta(min_length=1, max_length=50),
        said("Your own; another department's are put in by the operator", [{"service": "economy-001", "quantity": 1}]),
    ]
    department: Annotated[str, said("Yours; it may be left out", "economy")] = ""
    description_en: Annotated[str, said("What it is", "Everything a shop needs", maxLength=2_000)] = ""
    description_ar: Annotated[str, said("In both languages or in none", "كل ما يحتاجه المتجر", maxLength=2_000)] = ""
    active: Annotated[bool, said("false retires it")] = True


class ImportCatalogue(Body):
    services: Annotated[
        Annotated[list[Annotated[dict[str, Any], shaped("ServiceRow")]], Meta(max_length=ROWS_MAX)],
        said("New or changed services; what is not named stays as it is"),
    ] = []
    bundles: Annotated[
        Annotated[list[Annotated[dict[str, Any], shaped("BundleRow")]], Meta(max_length=ROWS_MAX)],
        said("New or changed bundles, each with all its services"),
    ] = []
    dry_run: Annotated[bool, said("true only says what would happen, and all that is wrong")] = False


class TariffDraft(Body):
    service: Annotated[Code, said("The service's code", "economy-002")]
    effective_on: Annotated[str, said("Its legal day: in force from midnight in Dubai", "2027-01-01", format="date")]
    legal_basis: Annotated[str, text("The law, decision or resolution", "Cabinet Decision 12 of 2026", length_max=500)]
    terms: Annotated[dict[str, Any], shaped("TariffTerms", "What it says about money")]


class ProposeTariffs(Body):
    reason: Annotated[str, text("Why; whoever decides reads it", "the fee schedule of 2027", length_max=500)]
    proposed_by: Annotated[
        str, text(f"{_PERSON}, who proposes; another decides, at the treasury", "mariam", length_max=100)
    ]
    tariffs: Annotated[
        Annotated[list[TariffDraft], Meta(min_length=1, max_length=TARIFFS_MAX)], said("Versions, all or none")
    ]
    dry_run: Annotated[bool, said("true only says what would happen, and all that is wrong")] = False


class Empty(Body):
    """A body that says nothing: it may be left out."""


OPTIONAL: Final = (Empty, CaptureIntent, ReplayDeliveries, RotateApiKey)
"""Bodies that may be left out."""

ROWS: Final = (ServiceRow, BundleRow)
"""What stands inside bodies and is read row by row."""
