"""The API's own description, OpenAPI 3.1: request bodies from the types that read them, answers as written here."""

from __future__ import annotations

import re
from typing import Any, Final

import msgspec
from aiohttp import web

from gateway.api import requests
from gateway.api.problems import CONTENT_TYPE, document
from gateway.domain.department import Audience, Channel

Schema = dict[str, Any]


def _object(required: dict[str, Schema], **optional: Schema) -> Schema:
    return {
        "type": "object",
        "properties": {**required, **optional},
        "required": list(required),
        "additionalProperties": False,
    }


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def _id(prefix: str) -> Schema:
    return {"type": "string", "pattern": f"^{prefix}_[0-9a-hjkmnp-tv-z]{{26}}$"}


def _or_null(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


def _list_of(name: str) -> Schema:
    return _object(
        {
            "object": {"const": "list"},
            "data": {"type": "array", "items": _ref(name)},
            "next_cursor": {"type": ["string", "null"]},
        }
    )


_TEXT: Final[Schema] = {"type": "string"}
_TEXT_OR_NULL: Final[Schema] = {"type": ["string", "null"]}
_INSTANT: Final[Schema] = {"type": "string", "format": "date-time"}
_INSTANT_OR_NULL: Final[Schema] = {"type": ["string", "null"], "format": "date-time"}
_FLAG: Final[Schema] = {"type": "boolean"}
_COUNT: Final[Schema] = {"type": "integer"}
_MONEY: Final[Schema] = _object(
    {
        "amount": {"type": "integer", "description": "whole minor units: 12550 is AED 125.50"},
        "currency": {"type": "string", "pattern": "^[A-Z]{3}$"},
    }
)
_MONEY_OR_NULL: Final[Schema] = _or_null(_ref("Money"))
_NAME: Final[Schema] = _object({"ar": _TEXT, "en": _TEXT})
_CITATION: Final[dict[str, Schema]] = {
    "id": _id("tf"),
    "version": _COUNT,
    "effective_on": {"type": "string", "format": "date"},
    "legal_basis": _TEXT,
}
_INTENT_STATUSES: Final = ["requires_payment", "processing", "paid", "cancelled", "expired"]
_ATTEMPT_STATUSES: Final = ["starting", "pending", "unknown", "succeeded", "declined", "voided"]
_REFUND_STATUSES: Final = ["awaiting_approval", "requested", "pending", "unknown", "succeeded", "failed"]

_ANSWERS: Final[dict[str, Schema]] = {
    "Money": _MONEY,
    "Name": _NAME,
    "IntentLine": _object(
        {
            "number": _COUNT,
            "department": _TEXT,
            "service": _TEXT_OR_NULL,
            "name": _ref("Name"),
            "revenue_code": _TEXT,
            "quantity": _COUNT,
            "amount": _ref("Money"),
            "vat": _ref("Money"),
            "base_amount": _MONEY_OR_NULL,
            "discount": _ref("Money"),
            "concession": _or_null(_object({"code": _TEXT, "name": _ref("Name"), "legal_basis": _TEXT})),
            "tariff": _or_null(_object(_CITATION)),
        }
    ),
    "Tariff": _object({**_CITATION, "terms": {"type": "object", "additionalProperties": True}}),
    "PaymentAttempt": _object(
        {
            "id": _id("pa"),
            "object": {"const": "payment_attempt"},
            "status": {"enum": _ATTEMPT_STATUSES},
            "method": {"enum": ["card", "mobile", "bank", "bank_transfer"]},
            "decline": _TEXT_OR_NULL,
            "started_at": _INSTANT,
            "captured_at": _INSTANT_OR_NULL,
            "late": _FLAG,
        }
    ),
    "PaymentIntent": _object(
        {
            "id": _id("pi"),
            "object": {"const": "payment_intent"},
            "status": {"enum": _INTENT_STATUSES},
            "amount": _ref("Money"),
            "amount_refunded": _ref("Money"),
            "amount_refundable": _ref("Money"),
            "reference": _TEXT,
            "bundle": _TEXT_OR_NULL,
            "lines": {"type": "array", "items": _ref("IntentLine")},
            "payer": _object({"language": {"enum": ["ar", "en"]}, "email": _TEXT_OR_NULL, "mobile": _TEXT_OR_NULL}),
            "return_url": _TEXT_OR_NULL,
            "metadata": {"type": "object", "additionalProperties": _TEXT},
            "live": _FLAG,
            "late_payment": _FLAG,
            "duplicate_of": _TEXT_OR_NULL,
            "last_attempt": {"anyOf": [_ref("PaymentAttempt"), {"type": "null"}]},
            "receipt_number": _TEXT_OR_NULL,
            "paid_at": _INSTANT_OR_NULL,
            "created_at": _INSTANT,
            "expires_at": _INSTANT,
            "checkout_url": {"type": "string", "format": "uri"},
        }
    ),
    "Refund": _object(
        {
            "id": _id("re"),
            "object": {"const": "refund"},
            "payment_intent": _id("pi"),
            "status": {"enum": _REFUND_STATUSES},
            "amount": _ref("Money"),
            "lines": {"type": "array", "items": _object({"number": _COUNT, "amount": _ref("Money")})},
            "reason": _TEXT,
            "late_payment": _FLAG,
            "asked_by": _TEXT,
            "decided_by": _TEXT_OR_NULL,
            "decided_at": _INSTANT_OR_NULL,
            "refund_batch": _TEXT_OR_NULL,
            "created_at": _INSTANT,
            "updated_at": _INSTANT,
        }
    ),
    "PaymentLink": _object(
        {
            "id": _id("pk"),
            "object": {"const": "payment_link"},
            "status": {"enum": ["usable", "paid", "expired", "disabled"]},
            "reference": _TEXT,
            "service": _TEXT_OR_NULL,
            "name": _ref("Name"),
            "quantity": _COUNT,
            "amount": {"anyOf": [_ref("Money"), {"type": "null"}]},
            "amount_range": {"anyOf": [_object({"least": _ref("Money"), "most": _ref("Money")}), {"type": "null"}]},
            "single_use": _FLAG,
            "times_paid": _COUNT,
            "metadata": {"type": "object", "additionalProperties": _TEXT},
            "return_url": _TEXT_OR_NULL,
            "created_at": _INSTANT,
            "expires_at": _INSTANT_OR_NULL,
            "disabled_at": _INSTANT_OR_NULL,
            "url": {"type": "string", "format": "uri"},
        }
    ),
    "RefundBatch": _object(
        {
            "id": _id("rb"),
            "object": {"const": "refund_batch"},
            "dry_run": _FLAG,
            "accepted": _COUNT,
            "refused": _COUNT,
            "total": {"type": "array", "items": _ref("Money")},
            "results": {
                "type": "array",
                "items": _object(
                    {
                        "payment_intent": _id("pi"),
                        "amount": {"anyOf": [_ref("Money"), {"type": "null"}]},
                        "refund": {"anyOf": [_ref("Refund"), {"type": "null"}]},
                        "problem": {"anyOf": [_object({"code": _TEXT, "detail": _TEXT}), {"type": "null"}]},
                    }
                ),
            },
        }
    ),
    "Service": _object(
        {
            "code": _TEXT,
            "object": {"const": "service"},
            "department": _object({"code": _TEXT, "name": _ref("Name")}),
            "name": _ref("Name"),
            "description": _ref("Name"),
            "audience": {"type": "array", "items": {"enum": [one.value for one in Audience]}},
            "channels": {"type": "array", "items": {"enum": [one.value for one in Channel]}},
            "documents": {"type": "array", "items": _ref("Name")},
            "depends_on": {"type": "array", "items": _TEXT},
            "amount": _MONEY_OR_NULL,
            "currency": _TEXT,
            "vat_basis_points": _COUNT,
            "tariff": _or_null(_ref("Tariff")),
            "next_tariff": _or_null(_ref("Tariff")),
        }
    ),
    "Bundle": _object(
        {
            "code": _TEXT,
            "object": {"const": "bundle"},
            "department": _TEXT,
            "name": _ref("Name"),
            "description": _ref("Name"),
            "services": {
                "type": "array",
                "items": _object({"service": _TEXT, "department": _TEXT, "name": _ref("Name"), "quantity": _COUNT}),
            },
        }
    ),
    "Quote": _object(
        {
            "object": {"const": "quote"},
            "priced_at": _INSTANT,
            "bundle": _TEXT_OR_NULL,
            "amount": _ref("Money"),
            "vat": _ref("Money"),
            "lines": {"type": "array", "items": _ref("IntentLine")},
            "departments": {
                "type": "array",
                "items": _object({"department": _TEXT, "amount": _ref("Money"), "vat": _ref("Money")}),
            },
        }
    ),
    "PaymentPart": _object(
        {
            "payment_intent": _id("pi"),
            "object": {"const": "payment_part"},
            "owner": _TEXT,
            "bundle": _TEXT_OR_NULL,
            "reference": _TEXT,
            "status": {"enum": _INTENT_STATUSES},
            "amount": _ref("Money"),
            "amount_refunded": _ref("Money"),
            "lines": {"type": "array", "items": _ref("IntentLine")},
            "live": _FLAG,
            "late_payment": _FLAG,
            "receipt_number": _TEXT_OR_NULL,
            "paid_at": _INSTANT_OR_NULL,
            "created_at": _INSTANT,
        }
    ),
    "Event": _object(
        {
            "id": _id("ev"),
            "object": {"const": "event"},
            "type": _TEXT,
            "timestamp": _INSTANT,
            "data": {"type": "object", "additionalProperties": True},
        }
    ),
    "WebhookEndpoint": _object(
        {
            "id": _id("we"),
            "object": {"const": "webhook_endpoint"},
            "url": _TEXT,
            "disabled_at": _INSTANT_OR_NULL,
            "disabled_because": _TEXT_OR_NULL,
            "previous_secret_until": _INSTANT_OR_NULL,
            "created_at": _INSTANT,
        },
        secret={"type": "string", "pattern": "^whsec_", "description": "shown when it is made, and never again"},
    ),
    "ReceiptSending": _object(
        {
            "object": {"const": "receipt_sending"},
            "payment_intent": _id("pi"),
            "channels": {"type": "array", "items": {"enum": ["email", "sms"]}},
        }
    ),
    "Replay": _object({"object": {"const": "replay"}, "queued": _COUNT}),
    "Problem": _object(
        {
            "type": _TEXT,
            "title": _TEXT,
            "status": _COUNT,
            "detail": _TEXT,
            "instance": _TEXT,
            "code": _TEXT,
            "retryable": _FLAG,
        },
        errors={"type": "array", "items": _object({"pointer": _TEXT, "code": _TEXT, "detail": _TEXT})},
    ),
}

_LISTS: Final = {
    "PaymentIntentList": "PaymentIntent",
    "PaymentAttemptList": "PaymentAttempt",
    "RefundList": "Refund",
    "RefundPage": "Refund",
    "PaymentLinkList": "PaymentLink",
    "ServiceList": "Service",
    "BundleList": "Bundle",
    "PaymentPartList": "PaymentPart",
    "EventList": "Event",
    "WebhookEndpointList": "WebhookEndpoint",
}

# Operation, what it does, the body it reads, the status and shape it answers with, and the filters of a list.
_OPERATIONS: Final[dict[tuple[str, str], tuple[str, str | None, int, str, tuple[str, ...]]]] = {
    ("POST", "/v1/payment-intents"): ("Ask for a payment", "CreateIntent", 201, "PaymentIntent", ()),
    ("GET", "/v1/payment-intents"): (
        "List payment intents, newest first", None, 200, "PaymentIntentList",
        ("status", "reference", "created_from", "created_before"),
    ),
    ("GET", "/v1/payment-intents/{id}"): ("Read a payment intent", None, 200, "PaymentIntent", ()),
    ("POST", "/v1/payment-intents/{id}/cancel"): ("Take a request back", "Empty", 200, "PaymentIntent", ()),
    ("POST", "/v1/payment-intents/{id}/send-receipt"): ("Send the receipt again", "Empty", 202, "ReceiptSending", ()),
    ("GET", "/v1/payment-intents/{id}/attempts"): ("List the tries to pay", None, 200, "PaymentAttemptList", ()),
    ("POST", "/v1/payment-intents/{id}/refunds"): ("Give money back", "CreateRefund", 201, "Refund", ()),
    ("GET", "/v1/payment-intents/{id}/refunds"): ("List an intent's refunds", None, 200, "RefundList", ()),
    ("GET", "/v1/refunds"): ("List refunds, newest first", None, 200, "RefundPage", ("status", "batch")),
    ("GET", "/v1/refunds/{id}"): ("Read a refund", None, 200, "Refund", ()),
    ("POST", "/v1/refunds/{id}/approve"): ("Agree to a refund as the second person", "DecideRefund", 200, "Refund", ()),
    ("POST", "/v1/refunds/{id}/refuse"): ("Refuse a refund that waits", "DecideRefund", 200, "Refund", ()),
    ("POST", "/v1/refund-batches"): (
        "Give back many payments, or try what that would do", "CreateRefundBatch", 202, "RefundBatch", (),
    ),
    ("POST", "/v1/payment-links"): ("Make a link to pay under", "CreatePaymentLink", 201, "PaymentLink", ()),
    ("GET", "/v1/payment-links"): ("List payment links, newest first", None, 200, "PaymentLinkList", ()),
    ("GET", "/v1/payment-links/{id}"): ("Read a payment link", None, 200, "PaymentLink", ()),
    ("GET", "/v1/payment-links/{id}/qr.svg"): ("Draw a payment link as a square code", None, 200, "Drawing", ()),
    ("POST", "/v1/payment-links/{id}/disable"): ("Take a payment link back", "Empty", 200, "PaymentLink", ()),
    ("POST", "/v1/quotes"): ("Price a basket without asking for a payment", "CreateQuote", 200, "Quote", ()),
    ("GET", "/v1/payment-parts"): ("List your parts of other departments' bundles", None, 200, "PaymentPartList", ()),
    ("GET", "/v1/payment-parts/{id}"): ("Read your part of another department's intent", None, 200, "PaymentPart", ()),
    ("GET", "/v1/services"): ("List the catalogue", None, 200, "ServiceList", ("department", "audience")),
    ("GET", "/v1/services/{code}"): ("Read a service and its tariff", None, 200, "Service", ()),
    ("GET", "/v1/bundles"): ("List bundles of services", None, 200, "BundleList", ("department",)),
    ("GET", "/v1/bundles/{code}"): ("Read a bundle", None, 200, "Bundle", ()),
    ("GET", "/v1/events"): ("Read what happened, oldest first", None, 200, "EventList", ("object",)),
    ("POST", "/v1/webhook-endpoints"): ("Make an endpoint", "CreateEndpoint", 201, "WebhookEndpoint", ()),
    ("GET", "/v1/webhook-endpoints"): ("List endpoints", None, 200, "WebhookEndpointList", ()),
    ("POST", "/v1/webhook-endpoints/{id}/rotate-secret"): ("Rotate a secret", "Empty", 200, "WebhookEndpoint", ()),
    ("POST", "/v1/webhook-endpoints/{id}/replay"): ("Deliver again", "ReplayDeliveries", 202, "Replay", ()),
}  # fmt: skip

_ABOUT: Final = (
    "A government's payments, for its departments. Amounts are whole minor units. Every POST takes an Idempotency-Key: "
    "the same key with the same body gets the first answer again, for ninety days."
)
_PAGED: Final = frozenset(
    {"PaymentIntentList", "RefundPage", "PaymentLinkList", "PaymentPartList", "ServiceList", "BundleList", "EventList"}
)
_REFUSALS: Final = ("400", "401", "403", "404", "408", "409", "413", "422", "500", "503")


def describe() -> Schema:
    """Build the document; a test holds it against the table of routes and against real answers."""
    bodies = [
        requests.CreateIntent,
        requests.CreateQuote,
        requests.CreateRefund,
        requests.CreateRefundBatch,
        requests.CreatePaymentLink,
        requests.DecideRefund,
        requests.CreateEndpoint,
        requests.ReplayDeliveries,
    ]
    _, schemas = msgspec.json.schema_components([*bodies, requests.Empty], ref_template="#/components/schemas/{name}")
    lists = {name: _list_of(item) for name, item in _LISTS.items()}
    paths: dict[str, Schema] = {}
    for (method, path), operation in _OPERATIONS.items():
        paths.setdefault(path, {})[method.lower()] = _operation(method, path, *operation)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Mizan", "version": "1", "description": _ABOUT},
        "paths": paths,
        "components": {
            "schemas": {**schemas, **_ANSWERS, **lists},
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{"key": []}],
    }


def _operation(
    method: str, path: str, summary: str, body: str | None, status: int, answer: str, filters: tuple[str, ...]
) -> Schema:
    parameters: list[Schema] = [
        {"name": name, "in": "path", "required": True, "schema": _TEXT} for name in re.findall(r"{(\w+)}", path)
    ]
    paging = ("limit", "cursor") if answer in _PAGED else ()
    parameters += [{"name": name, "in": "query", "schema": _TEXT} for name in (*filters, *paging)]
    if method == "POST":
        key = {"type": "string", "minLength": 1, "maxLength": 257}
        parameters.append({"name": "Idempotency-Key", "in": "header", "required": True, "schema": key})
    refusal = {"description": "Refused", "content": {CONTENT_TYPE: {"schema": _ref("Problem")}}}
    content = (
        {"image/svg+xml": {"schema": _TEXT}} if answer == "Drawing" else {"application/json": {"schema": _ref(answer)}}
    )
    answered = {"description": summary, "content": content}
    operation: Schema = {
        "operationId": f"{method.lower()} {path}",
        "summary": summary,
        "parameters": parameters,
        "responses": {str(status): answered, **dict.fromkeys(_REFUSALS, refusal)},
    }
    if body is not None:
        optional = body in ("Empty", "ReplayDeliveries")
        content = {"application/json": {"schema": _ref(body)}}
        operation["requestBody"] = {"required": not optional, "content": content}
    return operation


async def serve(_: web.Request) -> web.Response:
    return document(describe())
