"""The API's own description, OpenAPI 3.1: request bodies from the types that read them, answers as written here."""

from __future__ import annotations

from typing import Final

import msgspec
from aiohttp import web

from gateway.api import caller_shapes, requests
from gateway.api.caller_shapes import Schema, closed
from gateway.api.problems import CONTENT_TYPE, document
from gateway.domain.caller import Scope


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def _id(prefix: str) -> Schema:
    return {"type": "string", "pattern": f"^{prefix}_[0-9a-hjkmnp-tv-z]{{26}}$"}


def _list_of(name: str) -> Schema:
    return closed(
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
_MONEY: Final[Schema] = closed(
    {
        "amount": {"type": "integer", "description": "whole minor units: 12550 is AED 125.50"},
        "currency": {"type": "string", "pattern": "^[A-Z]{3}$"},
    }
)
_NAME: Final[Schema] = closed({"ar": _TEXT, "en": _TEXT})
_INTENT_STATUSES: Final = ["requires_payment", "processing", "paid", "cancelled", "expired"]
_ATTEMPT_STATUSES: Final = ["starting", "pending", "unknown", "succeeded", "declined", "voided"]
_REFUND_STATUSES: Final = ["requested", "pending", "unknown", "succeeded", "failed"]

_ANSWERS: Final[dict[str, Schema]] = {
    "Money": _MONEY,
    "Name": _NAME,
    "IntentLine": closed(
        {
            "number": _COUNT,
            "department": _TEXT,
            "service": _TEXT_OR_NULL,
            "name": _ref("Name"),
            "revenue_code": _TEXT,
            "quantity": _COUNT,
            "amount": _ref("Money"),
            "vat": _ref("Money"),
        }
    ),
    "PaymentAttempt": closed(
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
    "PaymentIntent": closed(
        {
            "id": _id("pi"),
            "object": {"const": "payment_intent"},
            "status": {"enum": _INTENT_STATUSES},
            "amount": _ref("Money"),
            "amount_refunded": _ref("Money"),
            "amount_refundable": _ref("Money"),
            "reference": _TEXT,
            "lines": {"type": "array", "items": _ref("IntentLine")},
            "payer": closed({"language": {"enum": ["ar", "en"]}, "email": _TEXT_OR_NULL, "mobile": _TEXT_OR_NULL}),
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
        },
        attempts={"type": "array", "items": _ref("PaymentAttempt"), "description": "with expand[]=attempts"},
        refunds={"type": "array", "items": _ref("Refund"), "description": "with expand[]=refunds"},
    ),
    "Refund": closed(
        {
            "id": _id("re"),
            "object": {"const": "refund"},
            "payment_intent": _id("pi"),
            "status": {"enum": _REFUND_STATUSES},
            "amount": _ref("Money"),
            "lines": {"type": "array", "items": closed({"number": _COUNT, "amount": _ref("Money")})},
            "reason": _TEXT,
            "late_payment": _FLAG,
            "created_at": _INSTANT,
            "updated_at": _INSTANT,
        }
    ),
    "Service": closed(
        {
            "code": _TEXT,
            "object": {"const": "service"},
            "department": closed({"code": _TEXT, "name": _ref("Name")}),
            "name": _ref("Name"),
            "amount": {"anyOf": [_ref("Money"), {"type": "null"}]},
            "currency": _TEXT,
            "vat_basis_points": _COUNT,
        }
    ),
    "Event": closed(
        {
            "id": _id("ev"),
            "object": {"const": "event"},
            "type": _TEXT,
            "timestamp": _INSTANT,
            "data": {"type": "object", "additionalProperties": True},
        }
    ),
    "WebhookEndpoint": closed(
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
    "WebhookDelivery": closed(
        {
            "object": {"const": "webhook_delivery"},
            "event": _id("ev"),
            "type": _TEXT,
            "status": {"enum": ["waiting", "delivered", "dead"]},
            "tries": _COUNT,
            "answer": {"type": "string", "description": "the last answer: an HTTP status, or why there was none"},
            "created_at": _INSTANT,
            "next_try_at": _INSTANT_OR_NULL,
            "delivered_at": _INSTANT_OR_NULL,
        }
    ),
    "Replay": closed({"object": {"const": "replay"}, "queued": _COUNT}),
    "Problem": closed(
        {
            "type": _TEXT,
            "title": _TEXT,
            "status": _COUNT,
            "detail": _TEXT,
            "instance": _TEXT,
            "code": _TEXT,
            "retryable": _FLAG,
        },
        errors={"type": "array", "items": closed({"pointer": _TEXT, "code": _TEXT, "detail": _TEXT})},
    ),
}

_LISTS: Final = {
    "PaymentIntentList": "PaymentIntent",
    "PaymentAttemptList": "PaymentAttempt",
    "RefundList": "Refund",
    "ServiceList": "Service",
    "EventList": "Event",
    "WebhookEndpointList": "WebhookEndpoint",
    "WebhookDeliveryList": "WebhookDelivery",
    **caller_shapes.LISTS,
}

# Operation, what it does, the body it reads, the status and shape it answers with, and the filters of a list.
_OPERATIONS: Final[dict[tuple[str, str], tuple[str, str | None, int, str, tuple[str, ...]]]] = {
    ("POST", "/v1/payment-intents"): ("Ask for a payment", "CreateIntent", 201, "PaymentIntent", ()),
    ("GET", "/v1/payment-intents"): (
        "List payment intents, newest first", None, 200, "PaymentIntentList",
        ("status", "reference", "created_from", "created_before", "amount", "currency", "metadata", "expand[]"),
    ),
    ("GET", "/v1/payment-intents/{id}"): ("Read a payment intent", None, 200, "PaymentIntent", ("expand[]",)),
    ("POST", "/v1/payment-intents/{id}"): ("Change the metadata", "UpdateIntent", 200, "PaymentIntent", ()),
    ("GET", "/v1/payment-intents/{id}/events"): ("List what happened to an intent", None, 200, "EventList", ()),
    ("POST", "/v1/payment-intents/{id}/cancel"): ("Take a request back", "Empty", 200, "PaymentIntent", ()),
    ("GET", "/v1/payment-intents/{id}/attempts"): ("List the tries to pay", None, 200, "PaymentAttemptList", ()),
    ("POST", "/v1/payment-intents/{id}/refunds"): ("Give money back", "CreateRefund", 201, "Refund", ()),
    ("GET", "/v1/payment-intents/{id}/refunds"): ("List an intent's refunds", None, 200, "RefundList", ()),
    ("GET", "/v1/refunds/{id}"): ("Read a refund", None, 200, "Refund", ()),
    ("GET", "/v1/services"): ("List the catalogue", None, 200, "ServiceList", ("department",)),
    ("GET", "/v1/events"): ("Read what happened, oldest first", None, 200, "EventList", ("object",)),
    ("POST", "/v1/webhook-endpoints"): ("Make an endpoint", "CreateEndpoint", 201, "WebhookEndpoint", ()),
    ("GET", "/v1/webhook-endpoints"): ("List endpoints", None, 200, "WebhookEndpointList", ()),
    ("POST", "/v1/webhook-endpoints/{id}/rotate-secret"): ("Rotate a secret", "Empty", 200, "WebhookEndpoint", ()),
    ("GET", "/v1/webhook-endpoints/{id}"): ("Read an endpoint", None, 200, "WebhookEndpoint", ()),
    ("POST", "/v1/webhook-endpoints/{id}/disable"): ("Stop deliveries", "Empty", 200, "WebhookEndpoint", ()),
    ("POST", "/v1/webhook-endpoints/{id}/enable"): ("Deliver again from now on", "Empty", 200, "WebhookEndpoint", ()),
    ("POST", "/v1/webhook-endpoints/{id}/test"): ("Send a test event", "Empty", 202, "Event", ()),
    ("GET", "/v1/webhook-endpoints/{id}/deliveries"): (
        "List deliveries, newest first", None, 200, "WebhookDeliveryList", ("delivery_status",),
    ),
    ("POST", "/v1/webhook-endpoints/{id}/replay"): ("Deliver again", "ReplayDeliveries", 202, "Replay", ()),
    **caller_shapes.OPERATIONS,
}  # fmt: skip

_ABOUT: Final = (
    "A government's payments, for its departments. Amounts are whole minor units. Every POST takes an Idempotency-Key: "
    "the same key with the same body gets the first answer again, for ninety days."
)
_PAGED: Final = frozenset(
    {"PaymentIntentList", "ServiceList", "EventList", "WebhookDeliveryList", "ApiKeyList", "OAuthClientList"}
)
_REFUSALS: Final = ("400", "401", "403", "404", "408", "409", "413", "422", "429", "500", "503")
_PARAMETERS: Final[dict[str, Schema]] = {
    "limit": {"type": "integer", "minimum": 1, "maximum": 100, "default": 50},
    "status": {"enum": _INTENT_STATUSES},
    "delivery_status": {"enum": ["waiting", "delivered", "dead"]},
    "created_from": _INSTANT,
    "created_before": _INSTANT,
    "amount": {"type": "integer", "minimum": 1, "maximum": 10**12},
    "currency": {"type": "string", "pattern": "^[A-Z]{3}$"},
    "metadata": {"type": "string", "pattern": "^[A-Za-z0-9_.-]{1,64}:", "description": "key:value"},
    "expand[]": {"type": "array", "items": {"enum": ["attempts", "refunds"]}, "maxItems": 2, "uniqueItems": True},
}
_VERSION: Final[Schema] = {
    "name": "Mizan-Version",
    "in": "header",
    "schema": {"enum": ["2026-11-22"]},
    "description": "the version you wrote for; without it the newest",
}
_RATE_HEADERS: Final[Schema] = {
    name: {"schema": schema, "description": about}
    for name, schema, about in (
        ("RateLimit-Policy", _TEXT, "the quota (q) and its window in seconds (w)"),
        ("RateLimit", _TEXT, "what remains (r), and when it is full again (t)"),
    )
}


def scope_of(method: str, path: str) -> Scope:
    """Return the scope an operation needs; a test holds it against the service, scope by scope."""
    if path.startswith("/v1/webhook-endpoints"):
        return Scope.WEBHOOKS_WRITE
    if path.startswith(("/v1/api-keys", "/v1/oauth-clients")):
        return Scope.KEYS_WRITE
    if method == "GET":
        return Scope.PAYMENTS_READ
    return Scope.REFUNDS_WRITE if path.endswith("/refunds") else Scope.PAYMENTS_WRITE


def describe() -> Schema:
    """Build the document; a test holds it against the table of routes and against real answers."""
    _, schemas = msgspec.json.schema_components(_bodies(), ref_template="#/components/schemas/{name}")
    lists = {name: _list_of(item) for name, item in _LISTS.items()}
    paths: dict[str, Schema] = {}
    for (method, path), operation in _OPERATIONS.items():
        paths.setdefault(path, {})[method.lower()] = _operation(method, path, *operation)
    paths.update(caller_shapes.public_paths({"schema": _ref("Problem")}))
    return {
        "openapi": "3.1.0",
        "info": {"title": "Mizan", "version": "2026-11-22", "description": _ABOUT},
        "paths": paths,
        "components": {
            "schemas": {**schemas, **_ANSWERS, **caller_shapes.SHAPES, **lists},
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer", "description": "an API key or a token"}},
        },
        "security": [{"key": []}],
    }


def _bodies() -> list[type[requests.Body]]:
    """Return the types of every body an operation reads."""
    names = {body for _, body, *_ in _OPERATIONS.values() if body is not None}
    return [getattr(requests, name) for name in sorted(names)]


def _operation(
    method: str, path: str, summary: str, body: str | None, status: int, answer: str, filters: tuple[str, ...]
) -> Schema:
    parameters: list[Schema] = [_VERSION]
    if "{id}" in path:
        parameters.append({"name": "id", "in": "path", "required": True, "schema": _TEXT})
    paging = ("limit", "cursor") if answer in _PAGED else ()
    for name in (*filters, *paging):
        shown = "status" if name == "delivery_status" else name
        parameters.append({"name": shown, "in": "query", "schema": _PARAMETERS.get(name, _TEXT)})
    if method == "POST":
        key = {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!#-~]+$"}
        parameters.append({"name": "Idempotency-Key", "in": "header", "required": True, "schema": key})
    refusal = {"description": "Refused", "content": {CONTENT_TYPE: {"schema": _ref("Problem")}}}
    answered = {
        "description": summary,
        "headers": _RATE_HEADERS,
        "content": {"application/json": {"schema": _ref(answer)}},
    }
    operation: Schema = {
        "operationId": f"{method.lower()} {path}",
        "summary": summary,
        "parameters": parameters,
        "responses": {str(status): answered, **dict.fromkeys(_REFUSALS, refusal)},
        "security": [{"key": [scope_of(method, path).value]}],
    }
    if body is not None:
        optional = getattr(requests, body) in requests.OPTIONAL
        content = {"application/json": {"schema": _ref(body)}}
        operation["requestBody"] = {"required": not optional, "content": content}
    return operation


async def serve(_: web.Request) -> web.Response:
    return document(describe())
