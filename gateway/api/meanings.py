"""What the API's description says in words: its chapters, and what each field of an answer means."""

from __future__ import annotations

from typing import Any, Final

Words = dict[str, Any]

CHAPTERS: Final[dict[str, tuple[str, str]]] = {
    "payment-intents": ("Payment intents", "Ask for money, follow it, take it back."),
    "payment-links": ("Payment links", "Addresses to print or mail, under which many may pay."),
    "payment-parts": ("Payment parts", "Your lines of other departments' bundles."),
    "refunds": ("Refunds", "Give money back, alone or with a second person."),
    "refund-batches": ("Refunds", ""),
    "services": ("Catalogue", "Services, their tariffs, bundles, and what they cost."),
    "bundles": ("Catalogue", ""),
    "quotes": ("Catalogue", ""),
    "catalogue": ("Your catalogue", "Put your own services, bundles and tariffs in, and take them out."),
    "tariff-proposals": ("Your catalogue", ""),
    "balances": ("Money", "What you are owed, and what was paid out to you."),
    "payouts": ("Money", ""),
    "reports": ("Money", ""),
    "finance": ("Treasury", "Finance's reports over all departments, for the treasury's own systems."),
    "events": ("Events and webhooks", "What happened, as a feed and as calls to you."),
    "webhook-endpoints": ("Events and webhooks", ""),
    "webhook-keys": ("Events and webhooks", ""),
    "api-keys": ("Credentials", "Keys and clients with which your systems call."),
    "oauth-clients": ("Credentials", ""),
    "oauth": ("Credentials", ""),
}
"""The first word of an address, the chapter it stands in, and what that is about where it is named first."""

_IDS: Final = {
    ("GET", "/v1/balances"): "list_balances",
    ("GET", "/v1/catalogue"): "read_catalogue",
    ("GET", "/v1/catalogue/{table}.csv"): "export_catalogue",
    ("POST", "/v1/catalogue"): "import_catalogue",
    ("POST", "/v1/tariff-proposals"): "propose_tariffs",
    ("GET", "/v1/reports/{name}"): "read_report",
    ("GET", "/v1/finance/reports"): "list_finance_reports",
    ("GET", "/v1/finance/reports/{name}"): "read_finance_report",
    ("GET", "/v1/payment-links/{id}/qr.svg"): "draw_payment_link",
    ("POST", "/v1/payment-intents/{id}/refunds"): "create_refund",
    ("POST", "/v1/oauth-clients/{id}/keys"): "replace_oauth_client_keys",
    ("POST", "/v1/webhook-endpoints/{id}/rotate-secret"): "rotate_webhook_endpoint_secret",
    ("POST", "/v1/webhook-endpoints/{id}/replay"): "replay_webhook_deliveries",
    ("POST", "/v1/payment-intents/{id}/send-receipt"): "send_payment_intent_receipt",
    ("POST", "/v1/oauth/token"): "create_token",
}
_IRREGULAR: Final = {"refund-batches": "refund_batch"}

# What a field means wherever it stands, and below, what it means in one object only.
_FIELDS: Final = {
    "id": "its identifier; later ones sort behind",
    "object": "what kind of thing this is",
    "reference": "your own number for it",
    "amount": "what the payer pays, VAT inside",
    "vat": "the VAT inside the amount",
    "lines": "what is paid for",
    "metadata": "your own words",
    "return_url": "where the payer's way back leads",
    "live": "false in the sandbox",
    "receipt_number": "the receipt's number, once it is paid",
    "paid_at": "when it was paid",
    "created_at": "when it was made",
    "updated_at": "when it last changed",
    "expires_at": "when it ends",
    "bundle": "the bundle it was asked for by",
    "department": "the department it belongs to",
    "name": "what it is called, in Arabic and English",
    "revenue_code": "the account it belongs to",
    "quantity": "how many",
    "service": "the service's code in the catalogue",
    "next_cursor": "pass it as cursor to go on; null at the end",
    "data": "the things themselves",
    "label": "what you call it",
    "scopes": "what it may do",
    "last_used_at": "when it was last used, to the minute",
    "disabled_at": "when it was disabled",
    "requests_per_minute": "a limit of its own, where it has one",
    "late_payment": "money came after it was closed; finance decides about it",
    "payment_intent": "the intent it belongs to",
    "currency": "ISO 4217, in capitals",
}
_OF_ONE: Final[dict[str, dict[str, str]]] = {
    "PaymentIntent": {
        "status": "where it stands; paid alone says that the money is yours",
        "amount_authorised": "what the payer's bank reserved, where it is captured later",
        "amount_refunded": "what was given back or may be",
        "amount_refundable": "what can still be given back",
        "amount_disputed": "what the payer's bank has taken back or is about to",
        "capture": "whether you take the money later (manual)",
        "payer": "who pays, as far as you said",
        "duplicate_of": "the intent whose fee this one's payer paid twice",
        "last_attempt": "the latest try to pay; its decline says why it failed",
        "expires_at": "until when it can be paid, or captured",
        "checkout_url": "where the payer pays; whoever has it can, so keep it secret",
    },
    "PaymentAttempt": {
        "status": "where it stands; unknown is asked again until it is known",
        "method": "how the payer pays",
        "decline": "why it was declined",
        "started_at": "when the payer began",
        "captured_at": "when the provider took the money",
        "late": "the money came when the intent was closed",
    },
    "IntentLine": {
        "number": "its place in the intent; refunds name it",
        "base_amount": "what a percentage was taken of",
        "tariff": "the version of the tariff it was priced by",
        "discount": "what was taken off",
        "concession": "why it was taken off",
    },
    "Refund": {
        "status": "where it stands; succeeded and failed are ends",
        "amount": "what is given back",
        "lines": "what is given back of which line",
        "reason": "why, as you said",
        "asked_by": "who asked",
        "decided_by": "the second person, who agreed or refused",
        "decided_at": "when they did",
        "refund_batch": "the batch it was asked for in",
        "late_payment": "it gives back money that came after the intent was closed",
        "failure": "why it failed, by a code for programs and a sentence for people",
    },
    "RefundBatchDecision": {
        "decision": "what was decided",
        "decided_by": "the second person, who decided",
        "decided": "how many refunds were decided",
        "not_decided": "how many could not be; results say why",
        "total": "what was decided about in each currency",
        "results": "what became of each refund that waited",
    },
    "RefundBatch": {
        "dry_run": "true: nothing was done",
        "accepted": "how many refunds were, or would be, asked for",
        "refused": "how many were refused; results say why",
        "total": "what is given back in each currency",
        "results": "what became of each payment",
    },
    "PaymentLink": {
        "status": "whether it can be used; not when unavailable: its service or its tariff takes it no longer",
        "amount": "what each payer pays, unless they name it",
        "amount_range": "what the payer may name",
        "base_amount": "what a percentage is taken of",
        "answers": "the answers it is priced by",
        "single_use": "whether all are led to one payment",
        "times_paid": "how many payments were made under it",
        "url": "the address to print or mail",
    },
    "Service": {
        "code": "how lines name it",
        "description": "what it is",
        "audience": "for whom it is",
        "channels": "where it is offered",
        "documents": "what has to be brought",
        "depends_on": "the services that come before it",
        "amount": "its fixed price; without one you say it, or the tariff does",
        "vat_basis_points": "its VAT in hundredths of a percent",
        "tariff": "the version in force",
        "next_tariff": "the next version that is approved already",
    },
    "Tariff": {
        "id": "the version's identifier",
        "version": "its number",
        "effective_on": "the day it begins, at midnight in Dubai",
        "legal_basis": "the decision it rests on",
        "terms": "how it prices: its kind, its numbers and its questions",
    },
    "Bundle": {"code": "how intents name it", "description": "what it is", "services": "what is in it"},
    "Quote": {
        "priced_at": "the instant it is priced at",
        "departments": "each department's part",
    },
    "PaymentPart": {
        "owner": "the department that asked",
        "status": "where the whole intent stands",
        "amount": "what your lines come to",
        "amount_refunded": "what of your lines was given back",
        "lines": "your own lines",
    },
    "Balance": {
        "payable": "what the books owe you now",
        "held_back": "what finance holds back",
        "in_transit": "what is on its way to your account",
    },
    "Payout": {
        "status": "where it stands; paid is proven by the bank's statement",
        "amount": "what is transferred",
        "business_date": "the day it belongs to",
        "instructed_at": "when the bank was told",
        "paid_on": "the day of the bank's entry",
        "iban_ending": "the end of the account it goes to",
        "remittance": "what stands on your bank's statement",
        "reason": "why it came back or was refused",
    },
    "PayoutPart": {
        "payment_reference": "your own number for the payment inside",
        "services": "what was paid for, and the accounts it belongs to",
        "kind": "what kind of entry it is",
        "business_date": "the day it was booked",
        "amount": "what it adds, or takes when below zero",
    },
    "FinanceReport": {
        "name": "how it is asked for",
        "title": "what it is called, in Arabic and English",
        "parameters": "what it takes",
        "formats": "the forms it comes in",
    },
    "Event": {"timestamp": "when it happened", "data": "which object; read it for the rest"},
    "WebhookEndpoint": {
        "url": "where we call you",
        "disabled_because": "why it was disabled",
        "previous_secret_until": "how long the secret before this one signs too",
    },
    "WebhookDelivery": {
        "event": "the event's identifier, sent as webhook-id",
        "type": "the event's type",
        "status": "dead ones are sent again by a replay",
        "tries": "how often it was sent",
        "next_try_at": "when it is tried next",
        "delivered_at": "when it was taken",
    },
    "Replay": {"queued": "how many events are delivered again", "next_cursor": "where to go on, when there is more"},
    "ApiKey": {
        "replaces": "the key it replaced",
        "revoked_at": "when it was revoked",
    },
    "OAuthClient": {"jwks": "its public keys", "jwks_url": "where it publishes them"},
    "Problem": {
        "type": "an address that names the kind",
        "title": "the kind in words",
        "status": "the HTTP status",
        "detail": "what was wrong, for people",
        "instance": "this very refusal; tell it when you ask us",
        "code": "the kind, for programs",
        "retryable": "whether the same request may be sent again",
        "errors": "the fields that were wrong, by JSON pointer",
    },
}
_OF_ONE["PayoutInside"] = {
    **_OF_ONE["Payout"],
    "not_itemised": "what of the amount its parts do not explain",
    "parts": "the payments, refunds and fees inside",
}
_EXAMPLES: Final[dict[str, list[Any]]] = {
    "reference": ["CASE-4711"],
    "currency": ["AED"],
    "service": ["economy-002"],
    "revenue_code": ["411900"],
    "receipt_number": ["ECONOMY-2026-0000123"],
    "checkout_url": ["https://pay.example.gov/pay/…"],
    "iban_ending": ["4567"],
    "legal_basis": ["Cabinet Decision 12 of 2026"],
    "label": ["case system"],
}


def with_meanings(shapes: dict[str, Words]) -> dict[str, Words]:
    """Return the answers' shapes with a description beside every field that has none of its own."""
    return {name: _told(shape, _OF_ONE.get(name, {})) for name, shape in shapes.items()}


def _told(shape: Words, of_one: dict[str, str]) -> Words:
    fields = shape.get("properties")
    if fields is None:
        return shape
    told = {}
    for name, field in fields.items():
        meaning = of_one.get(name) or _FIELDS.get(name)
        told[name] = {**({"description": meaning} if meaning else {}), **field}
        if name in _EXAMPLES and "$ref" not in field:
            told[name].setdefault("examples", _EXAMPLES[name])
    return {**shape, "properties": told}


def chapter_of(path: str) -> str:
    """Return the chapter an address stands in."""
    return CHAPTERS[path.split("/")[2]][0]


def operation_id(method: str, path: str) -> str:
    """Name an operation as programs do: `create_payment_intent`, `list_refunds`, `cancel_payment_intent`."""
    if named := _IDS.get((method, path)):
        return named
    resource, *rest = path.removeprefix("/v1/").split("/")
    many = resource.replace("-", "_")
    one = _IRREGULAR.get(resource, many.removesuffix("s"))
    match method, rest:
        case "GET", []:
            name = f"list_{many}"
        case "POST", []:
            name = f"create_{one}"
        case "GET", [_]:
            name = f"read_{one}"
        case "POST", [_]:
            name = f"update_{one}"
        case "GET", [_, inside]:
            name = f"list_{one}_{inside}"
        case _:
            name = f"{rest[-1].replace('-', '_')}_{one}"
    return name
