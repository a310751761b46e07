"""The shapes departments get: the JSON of an intent, a refund, an attempt, an event, an endpoint. RFC 3339, UTC."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from gateway.domain.caller import ApiKey, OAuthClient
from gateway.domain.department import Department, Service
from gateway.domain.intent import IntentStatus
from gateway.domain.refund import RefundLine
from gateway.services.notices import money
from gateway.store.attempts import Attempt
from gateway.store.events import Event
from gateway.store.intents import Intent, IntentLine
from gateway.store.refunds import Refund
from gateway.store.webhooks import Delivered, Endpoint
from ledger.money import Money

Document = dict[str, Any]


def instant(at: datetime | None) -> str | None:
    """Write an instant as RFC 3339 in UTC, to the millisecond."""
    if at is None:
        return None
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def line_document(line: IntentLine, currency: str) -> Document:
    return {
        "number": line.number,
        "department": line.department,
        "service": line.service,
        "name": {"ar": line.names.ar, "en": line.names.en},
        "revenue_code": line.revenue_code,
        "quantity": line.quantity,
        "amount": money(Money(line.amount_minor, currency)),
        "vat": money(Money(line.vat_minor, currency)),
    }


def attempt_document(attempt: Attempt) -> Document:
    return {
        "id": attempt.id,
        "object": "payment_attempt",
        "status": attempt.status.value,
        "method": attempt.method.value,
        "decline": attempt.decline.value if attempt.decline else None,
        "started_at": instant(attempt.started_at),
        "captured_at": instant(attempt.captured_at),
        "late": attempt.late,
    }


def intent_document(
    intent: Intent, lines: Sequence[IntentLine], *, refunded_minor: int = 0, last_attempt: Attempt | None = None
) -> Document:
    """The intent as its department sees it, all but the checkout link, which is derived when the answer is sent."""
    currency = intent.amount.currency
    paid = intent.status is IntentStatus.PAID
    return {
        "id": intent.id,
        "object": "payment_intent",
        "status": intent.status.value,
        "amount": money(intent.amount),
        "amount_refunded": money(Money(refunded_minor, currency)),
        "amount_refundable": money(Money(intent.amount.amount_minor - refunded_minor if paid else 0, currency)),
        "reference": intent.reference,
        "lines": [line_document(line, currency) for line in lines],
        "payer": {"language": intent.language, "email": intent.payer_email, "mobile": intent.payer_mobile},
        "return_url": intent.return_url,
        "metadata": intent.metadata,
        "live": intent.live,
        "late_payment": intent.late_payment,
        "duplicate_of": intent.duplicate_of,
        "last_attempt": attempt_document(last_attempt) if last_attempt else None,
        "receipt_number": intent.receipt_number,
        "paid_at": instant(intent.paid_at),
        "created_at": instant(intent.created_at),
        "expires_at": instant(intent.expires_at),
    }


def refund_document(refund: Refund, lines: Sequence[RefundLine]) -> Document:
    currency = refund.amount.currency
    return {
        "id": refund.id,
        "object": "refund",
        "payment_intent": refund.intent,
        "status": refund.status.value,
        "amount": money(refund.amount),
        "lines": [{"number": line.number, "amount": money(Money(line.amount_minor, currency))} for line in lines],
        "reason": refund.reason,
        "late_payment": refund.late,
        "created_at": instant(refund.created_at),
        "updated_at": instant(refund.updated_at),
    }


def event_document(event: Event) -> Document:
    """The event as the feed and the webhooks carry it."""
    return {
        "id": event.id,
        "object": "event",
        "type": event.type,
        "timestamp": instant(event.created_at),
        "data": dict(event.data),
    }


def service_document(service: Service, department: Department) -> Document:
    amount = None if service.amount_minor is None else money(Money(service.amount_minor, service.currency))
    return {
        "code": service.code,
        "object": "service",
        "department": {"code": department.code, "name": {"ar": department.names.ar, "en": department.names.en}},
        "name": {"ar": service.names.ar, "en": service.names.en},
        "amount": amount,
        "currency": service.currency,
        "vat_basis_points": service.vat_basis_points,
    }


def endpoint_document(endpoint: Endpoint, secret: str | None = None) -> Document:
    """An endpoint; its secret is shown when it is made, and never again."""
    document: dict[str, Any] = {
        "id": endpoint.id,
        "object": "webhook_endpoint",
        "url": endpoint.url,
        "disabled_at": instant(endpoint.disabled_at),
        "disabled_because": endpoint.disabled_because,
        "previous_secret_until": instant(endpoint.previous_until),
        "created_at": instant(endpoint.created_at),
    }
    return document if secret is None else {**document, "secret": secret}


def delivery_document(delivery: Delivered) -> Document:
    waiting = delivery.status == "waiting"
    return {
        "object": "webhook_delivery",
        "event": delivery.event,
        "type": delivery.type,
        "status": delivery.status,
        "tries": delivery.tries,
        "answer": delivery.answer,
        "created_at": instant(delivery.created_at),
        "next_try_at": instant(delivery.next_try_at) if waiting else None,
        "delivered_at": instant(delivery.delivered_at),
    }


def api_key_document(key: ApiKey) -> Document:
    """A key as its department manages it: everything but the key."""
    return {
        "id": key.id,
        "object": "api_key",
        "label": key.label,
        "scopes": sorted(key.scopes),
        "live": key.live,
        "requests_per_minute": key.requests_per_minute,
        "replaces": key.replaces,
        "created_at": instant(key.created_at),
        "expires_at": instant(key.expires_at),
        "revoked_at": instant(key.revoked_at),
        "last_used_at": instant(key.last_used_at),
    }


def oauth_client_document(client: OAuthClient) -> Document:
    return {
        "id": client.id,
        "object": "oauth_client",
        "label": client.label,
        "scopes": sorted(client.scopes),
        "live": client.live,
        "jwks": client.jwks,
        "jwks_url": client.jwks_url,
        "requests_per_minute": client.requests_per_minute,
        "created_at": instant(client.created_at),
        "updated_at": instant(client.updated_at),
        "disabled_at": instant(client.disabled_at),
        "last_used_at": instant(client.last_used_at),
    }


def page_document(items: Sequence[Mapping[str, Any]], next_cursor: str | None) -> Document:
    return {"object": "list", "data": list(items), "next_cursor": next_cursor}
