"""The API's own description, OpenAPI 3.1: request bodies from the types that read them, answers as written here."""

from __future__ import annotations

import re
from typing import Any, Final

import msgspec
from aiohttp import web

from gateway.api import bodies, caller_shapes, catalogue_shapes, finance_shapes
from gateway.api.caller_shapes import Schema
from gateway.api.meanings import CHAPTERS, chapter_of, operation_id, with_meanings
from gateway.api.problems import CONTENT_TYPE, document
from gateway.api.shapes import ANSWERS, COUNT, DATE, INSTANT, INTENT_STATUSES, REFUND_STATUSES, TEXT, list_of, ref
from gateway.domain.caller import Scope, TreasuryScope
from gateway.domain.department import Audience

_LISTS: Final = {
    "PaymentIntentList": "PaymentIntent",
    "PaymentAttemptList": "PaymentAttempt",
    "RefundList": "Refund",
    "RefundPage": "Refund",
    "PaymentLinkList": "PaymentLink",
    "ServiceList": "Service",
    "BundleList": "Bundle",
    "PaymentPartList": "PaymentPart",
    "BalanceList": "Balance",
    "PayoutList": "Payout",
    "EventList": "Event",
    "WebhookEndpointList": "WebhookEndpoint",
    "WebhookDeliveryList": "WebhookDelivery",
    **caller_shapes.LISTS,
    **catalogue_shapes.LISTS,
    **finance_shapes.LISTS,
}

# Operation, what it does, the body it reads, the status and shape it answers with, and the filters of a list.
_OPERATIONS: Final[dict[tuple[str, str], tuple[str, str | None, int, str, tuple[str, ...]]]] = {
    ("POST", "/v1/payment-intents"): ("Ask for a payment", "CreateIntent", 201, "PaymentIntent", ()),
    ("GET", "/v1/payment-intents"): (
        "List payment intents, newest first", None, 200, "PaymentIntentList",
        ("status", "reference", "created_from", "created_before", "amount", "currency", "metadata",
         "receipt_number", "paid_from", "paid_before", "service", "duplicate", "expand[]"),
    ),
    ("GET", "/v1/payment-intents/{id}"): ("Read a payment intent", None, 200, "PaymentIntent", ("expand[]",)),
    ("POST", "/v1/payment-intents/{id}"): ("Change the metadata", "UpdateIntent", 200, "PaymentIntent", ()),
    ("GET", "/v1/payment-intents/{id}/events"): ("List what happened to an intent", None, 200, "EventList", ()),
    ("POST", "/v1/payment-intents/{id}/cancel"): ("Take a request back", "Empty", 200, "PaymentIntent", ()),
    ("POST", "/v1/payment-intents/{id}/capture"): (
        "Take what the payer has reserved, or a part of it", "CaptureIntent", 202, "PaymentIntent", (),
    ),
    ("POST", "/v1/payment-intents/{id}/send-receipt"): ("Send the receipt again", "Empty", 202, "ReceiptSending", ()),
    ("GET", "/v1/payment-intents/{id}/attempts"): ("List the tries to pay", None, 200, "PaymentAttemptList", ()),
    ("POST", "/v1/payment-intents/{id}/refunds"): ("Give money back", "CreateRefund", 201, "Refund", ()),
    ("GET", "/v1/payment-intents/{id}/refunds"): ("List an intent's refunds", None, 200, "RefundList", ()),
    ("GET", "/v1/refunds"): ("List refunds, newest first", None, 200, "RefundPage",
        ("status", "batch", "created_from", "created_before"),
    ),
    ("GET", "/v1/refunds/{id}"): ("Read a refund", None, 200, "Refund", ()),
    ("POST", "/v1/refunds/{id}/approve"): ("Agree to a refund as the second person", "DecideRefund", 200, "Refund", ()),
    ("POST", "/v1/refunds/{id}/refuse"): ("Refuse a refund that waits", "DecideRefund", 200, "Refund", ()),
    ("POST", "/v1/refunds/{id}/cancel"): ("Take back a cash refund nobody collected", "Empty", 200, "Refund", ()),
    ("POST", "/v1/refund-batches"): (
        "Give back many payments, or try what that would do", "CreateRefundBatch", 202, "RefundBatch", (),
    ),
    ("POST", "/v1/refund-batches/{id}/approve"): (
        "Agree to all of a batch that waits", "DecideRefund", 200, "RefundBatchDecision", (),
    ),
    ("POST", "/v1/refund-batches/{id}/refuse"): (
        "Refuse all of a batch that waits", "DecideRefund", 200, "RefundBatchDecision", (),
    ),
    ("POST", "/v1/payment-links"): ("Make a link to pay under", "CreatePaymentLink", 201, "PaymentLink", ()),
    ("GET", "/v1/payment-links"): ("List payment links, newest first", None, 200, "PaymentLinkList",
        ("created_from", "created_before"),
    ),
    ("GET", "/v1/payment-links/{id}"): ("Read a payment link", None, 200, "PaymentLink", ()),
    ("GET", "/v1/payment-links/{id}/qr.svg"): ("Draw a payment link as a square code", None, 200, "Drawing", ()),
    ("POST", "/v1/payment-links/{id}/disable"): ("Take a payment link back", "Empty", 200, "PaymentLink", ()),
    ("POST", "/v1/quotes"): ("Price a basket without asking for a payment", "CreateQuote", 200, "Quote", ()),
    ("GET", "/v1/payment-parts"): ("List your parts of other departments' bundles", None, 200, "PaymentPartList", ()),
    ("GET", "/v1/payment-parts/{id}"): ("Read your part of another department's intent", None, 200, "PaymentPart", ()),
    ("GET", "/v1/balances"): ("Read what you are owed, held back, on its way", None, 200, "BalanceList", ()),
    ("GET", "/v1/payouts"): ("List payouts to you, newest first", None, 200, "PayoutList", ()),
    ("GET", "/v1/payouts/{id}"): ("Read a payout and the payments inside it", None, 200, "PayoutInside", ()),
    ("GET", "/v1/reports/{name}"): (
        "Fetch your statement, or the advice of a day's payouts, as CSV", None, 200, "Spreadsheet",
        ("from", "date", "language"),
    ),
    ("GET", "/v1/services"): ("List the catalogue", None, 200, "ServiceList", ("department", "audience")),
    ("GET", "/v1/services/{code}"): ("Read a service and its tariff", None, 200, "Service", ()),
    ("GET", "/v1/bundles"): ("List bundles of services", None, 200, "BundleList", ("department",)),
    ("GET", "/v1/bundles/{code}"): ("Read a bundle", None, 200, "Bundle", ()),
    ("GET", "/v1/events"): ("Read what happened, oldest first", None, 200, "EventList",
        ("object", "created_from", "created_before"),
    ),
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
    **catalogue_shapes.OPERATIONS,
    **finance_shapes.OPERATIONS,
}  # fmt: skip

_ABOUT: Final = (
    "A government's payments, for its departments. Amounts are whole minor units. Every POST takes an Idempotency-Key: "
    "the same key with the same body gets the first answer again, for ninety days."
)
_PAGED: Final = frozenset(
    {
        "PaymentIntentList",
        "RefundPage",
        "PaymentLinkList",
        "PaymentPartList",
        "PayoutList",
        "PayoutInside",
        "ServiceList",
        "BundleList",
        "EventList",
        "WebhookDeliveryList",
        "ApiKeyList",
        "OAuthClientList",
        "TariffProposalList",
    }
)
_REFUSED: Final = {
    "400": "The request cannot be read, or lacks its Idempotency-Key",
    "401": "No credential, or none we know",
    "403": "The credential lacks the scope",
    "404": "There is no such thing of yours",
    "408": "The body came too slowly",
    "409": "Not in this state; with Retry-After, the first request with this key is still running",
    "413": "The body is too large",
    "422": "A field is wrong (errors say which), or the Idempotency-Key was used with another body",
    "429": "Too many requests: come back after Retry-After",
    "500": "An error of ours: the same request may be sent again",
    "503": "Nothing was done: come back after Retry-After",
}
_REFUSALS: Final = tuple(_REFUSED)
_PARAMETERS: Final[dict[str, Schema]] = {
    "limit": {"type": "integer", "minimum": 1, "maximum": 100, "default": 50},
    "status": {"enum": INTENT_STATUSES},
    "audience": {"enum": [each.value for each in Audience]},
    "delivery_status": {"enum": ["waiting", "delivered", "dead"]},
    "from": DATE,
    "date": DATE,
    "language": {"enum": ["ar", "en"]},
    "created_from": INSTANT,
    "created_before": INSTANT,
    "paid_from": INSTANT,
    "paid_before": INSTANT,
    "amount": {"type": "integer", "minimum": 1, "maximum": 10**12},
    "currency": {"type": "string", "pattern": "^[A-Z]{3}$"},
    "duplicate": {"enum": ["true", "false"], "description": "whether it is the second paid under its reference"},
    "metadata": {"type": "string", "pattern": "^[A-Za-z0-9_.-]{1,64}:", "description": "key:value"},
    "expand[]": {"type": "array", "items": {"enum": ["attempts", "refunds"]}, "maxItems": 2, "uniqueItems": True},
}
_OF_LIST: Final[dict[tuple[str, str], Schema]] = {
    ("RefundPage", "status"): {"enum": REFUND_STATUSES},
    ("TariffProposalList", "status"): {"enum": ["awaiting_approval", "approved", "refused"]},
}
"""Filters that mean something else in one list."""
_VERSION: Final[Schema] = {
    "name": "Mizan-Version",
    "in": "header",
    "schema": {"enum": ["2026-11-22"]},
    "description": "the version you wrote for; without it the newest",
}
_FILES: Final[dict[str, dict[str, Schema]]] = {
    "Drawing": {"image/svg+xml": {"schema": TEXT}},
    "Spreadsheet": {"text/csv": {"schema": TEXT}},
    "FinanceReportFile": finance_shapes.FILE,
}
"""Answers that are files, not documents."""
_IN_PATH: Final[dict[str, Schema]] = {
    "name": {"enum": ["statement", "remittance"]},
    "table": {"enum": ["services", "bundles", "tariffs"]},
}
_HEADERS: Final[dict[str, Schema]] = {
    name: {"schema": schema, "description": about}
    for name, schema, about in (
        ("RateLimit-Policy", TEXT, "the quota (q) and its window in seconds (w)"),
        ("RateLimit", TEXT, "what remains (r), and in how many seconds it is full again (t)"),
        ("RateLimit-Limit", COUNT, "the quota of a minute, for this credential and operation"),
        ("RateLimit-Remaining", COUNT, "what remains of it"),
        ("RateLimit-Reset", COUNT, "in how many seconds it is full again"),
        ("Mizan-Version", DATE, "the version that answered"),
        ("Location", TEXT, "the address of what was made"),
        ("Idempotency-Replayed", {"const": "true"}, "the key was used before, and this is its first answer"),
        ("Retry-After", COUNT, "in how many seconds the same request may be sent again"),
    )
}
_ALWAYS: Final = ("RateLimit-Policy", "RateLimit", "RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset")
LOCATED: Final = frozenset(
    {
        "/v1/payment-intents",
        "/v1/payment-intents/{id}/refunds",
        "/v1/refund-batches",
        "/v1/payment-links",
        "/v1/api-keys",
        "/v1/api-keys/{id}/rotate",
        "/v1/oauth-clients",
    }
)
"""What makes something whose address is told."""
_POSTED: Final = {
    "/v1/quotes": Scope.PAYMENTS_READ,
    "/v1/catalogue": Scope.CATALOGUE_WRITE,
    "/v1/tariff-proposals": Scope.CATALOGUE_WRITE,
}
_COMES_BACK: Final = frozenset({"409", "429", "503"})


def scope_of(method: str, path: str) -> Scope | TreasuryScope:
    """Return the scope an operation needs; a test holds it against the service, scope by scope."""
    if path.startswith("/v1/webhook-endpoints"):
        return Scope.WEBHOOKS_WRITE
    if path.startswith(("/v1/api-keys", "/v1/oauth-clients")):
        return Scope.KEYS_WRITE
    if method == "GET":
        return TreasuryScope.FINANCE_READ if path.startswith(finance_shapes.PREFIX) else Scope.PAYMENTS_READ
    if path.endswith(("/approve", "/refuse")):
        return Scope.REFUNDS_APPROVE
    if path in _POSTED:
        return _POSTED[path]
    gives_back = path.startswith("/v1/refund") or path.endswith("/refunds")
    return Scope.REFUNDS_WRITE if gives_back else Scope.PAYMENTS_WRITE


def describe() -> Schema:
    """Build the document; a test holds it against the table of routes and against real answers."""
    _, schemas = msgspec.json.schema_components(_bodies(), ref_template="#/components/schemas/{name}")
    lists = {name: list_of(item) for name, item in _LISTS.items()}
    shapes = {**ANSWERS, **caller_shapes.SHAPES, **catalogue_shapes.SHAPES, **finance_shapes.SHAPES}
    paths: dict[str, Schema] = {}
    for (method, path), operation in _OPERATIONS.items():
        paths.setdefault(path, {})[method.lower()] = _operation(method, path, *operation)
    paths.update(caller_shapes.public_paths({"schema": ref("Problem")}))
    return {
        "openapi": "3.1.0",
        "info": {"title": "Mizan", "version": "2026-11-22", "description": _ABOUT},
        "tags": [{"name": name, "description": about} for name, about in CHAPTERS.values() if about],
        "paths": paths,
        "components": {
            "schemas": {**_by_name(schemas), **with_meanings({**shapes, **lists})},
            "headers": _HEADERS,
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer", "description": "an API key or a token"}},
        },
        "security": [{"key": []}],
    }


def _by_name(schema: Any) -> Any:
    """Put a shape's name in the place of what only repeats that it is an object: clients are generated from names."""
    if isinstance(schema, list):
        return [_by_name(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    if "allOf" in schema:
        [shape] = schema["allOf"]
        return {name: said for name, said in (*shape.items(), *schema.items()) if name not in ("allOf", "type")}
    return {name: _by_name(each) for name, each in schema.items()}


def _bodies() -> list[type[bodies.Body]]:
    """Return the types of every body an operation reads."""
    names = {body for _, body, *_ in _OPERATIONS.values() if body is not None}
    return [*(getattr(bodies, name) for name in sorted(names)), *bodies.ROWS]


def _operation(
    method: str, path: str, summary: str, body: str | None, status: int, answer: str, filters: tuple[str, ...]
) -> Schema:
    in_path = re.findall(r"{(\w+)}", path)
    parameters: list[Schema] = [_VERSION]
    parameters += [{"name": name, "in": "path", "required": True, "schema": _in_path(path, name)} for name in in_path]
    paging = ("limit", "cursor") if answer in _PAGED else ()
    for name in (*filters, *paging):
        schema = _OF_LIST.get((answer, name)) or _PARAMETERS.get(name, TEXT)
        if path.startswith(finance_shapes.PREFIX):
            schema = {**_PARAMETERS.get(name, {}), **finance_shapes.PARAMETERS[name]}
        parameters.append({"name": name.removeprefix("delivery_"), "in": "query", "schema": schema})
    if method == "POST":
        key = {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!#-~]+$"}
        parameters.append({"name": "Idempotency-Key", "in": "header", "required": True, "schema": key})
    told = (*_ALWAYS, *(("Idempotency-Replayed",) if method == "POST" else ()))
    answered = {
        "description": summary,
        "headers": _headers(*told, *(("Location",) if method == "POST" and path in LOCATED else ())),
        "content": _FILES.get(answer) or {"application/json": {"schema": ref(answer)}},
    }
    operation: Schema = {
        "operationId": operation_id(method, path),
        "tags": [chapter_of(path)],
        "summary": summary,
        "parameters": parameters,
        "responses": {str(status): answered, **{each: _refusal(each) for each in _REFUSALS}},
        "security": [{"key": [scope_of(method, path).value]}],
    }
    if body is not None:
        optional = getattr(bodies, body) in bodies.OPTIONAL
        content = {"application/json": {"schema": ref(body)}}
        if body in catalogue_shapes.SHEETS:
            columns, beside = catalogue_shapes.SHEETS[body]
            content["text/csv"] = {"schema": {**TEXT, "description": f"With a heading, of these columns: {columns}"}}
            parameters += [
                {"name": name, "in": "query", "schema": schema, "description": about}
                for name, (schema, about) in beside.items()
            ]
        operation["requestBody"] = {"required": not optional, "content": content}
    return operation


def _in_path(path: str, name: str) -> Schema:
    return finance_shapes.IN_PATH if path == finance_shapes.ONE else _IN_PATH.get(name, TEXT)


def _headers(*names: str) -> Schema:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in ("Mizan-Version", *names)}


def _refusal(status: str) -> Schema:
    comes_back = ("Retry-After",) if status in _COMES_BACK else ()
    headers = _headers(*comes_back, *(_ALWAYS if status == "429" else ()))
    return {"description": _REFUSED[status], "headers": headers, "content": {CONTENT_TYPE: {"schema": ref("Problem")}}}


async def serve(_: web.Request) -> web.Response:
    return document(describe())
