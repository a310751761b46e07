"""The shapes departments get: the JSON of an intent, a refund, an attempt, an event, an endpoint. RFC 3339, UTC."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from gateway.domain.caller import ApiKey, OAuthClient
from gateway.domain.contact import Contact
from gateway.domain.department import Bundle, Department, Names, Service
from gateway.domain.intent import IntentStatus
from gateway.domain.refund import RefundLine
from gateway.domain.tariff import Applied, Asked, Fixed, Tariff, in_force, price
from gateway.domain.tariff_terms import terms_document
from gateway.services.notices import failure_document, money
from gateway.store.attempts import Attempt
from gateway.store.catalogue import Catalogue
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
    utc = at if at.tzinfo is UTC else at.astimezone(UTC)
    # Several times as fast as `isoformat`, and every answer has some of these.
    return f"{msgspec.json.encode(utc)[1:20].decode()}.{utc.microsecond // 1000:03}Z"


def _shown(amount_minor: int, currency: str) -> Document:
    """Show an amount as `money` does, of numbers that came out of a `Money` or the database."""
    return {"amount": amount_minor, "currency": currency}


def line_document(line: IntentLine, currency: str) -> Document:
    return {
        "number": line.number,
        "department": line.department,
        "service": line.service,
        "name": {"ar": line.names.ar, "en": line.names.en},
        "revenue_code": line.revenue_code,
        "quantity": line.quantity,
        "amount": _shown(line.amount_minor, currency),
        "vat": _shown(line.vat_minor, currency),
        **_applied(line.applied, currency),
    }


def _applied(applied: Applied | None, currency: str) -> Document:
    """How a line was priced: by which version of which law, of what base, and what was granted."""
    if applied is None:
        return {"base_amount": None, "discount": _shown(0, currency), "concession": None, "tariff": None}
    base, granted = applied.base_minor, applied.tariff.terms.concession(applied.concession)
    return {
        "base_amount": _shown_or_none(base, currency),
        "discount": _shown(applied.discount_minor, currency),
        "concession": granted
        and {"code": granted.code, "name": _both(granted.names), "legal_basis": granted.legal_basis},
        "tariff": _citation(applied.tariff),
    }


def _citation(tariff: Tariff) -> Document:
    return {
        "id": tariff.id,
        "version": tariff.version,
        "effective_on": tariff.effective_on.isoformat(),
        "legal_basis": tariff.legal_basis,
    }


def _both(names: Names) -> Document:
    return {"ar": names.ar, "en": names.en}


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


def _shown_or_none(amount_minor: int | None, currency: str) -> Document | None:
    return None if amount_minor is None else _shown(amount_minor, currency)


def intent_document(
    intent: Intent,
    lines: Sequence[IntentLine],
    *,
    refunded_minor: int = 0,
    disputed_minor: int = 0,
    last_attempt: Attempt | None = None,
) -> Document:
    """The intent as its department sees it, all but its payer and the checkout link, which no stored answer holds."""
    currency = intent.amount.currency
    left_minor = intent.amount.amount_minor - refunded_minor - disputed_minor
    return {
        "id": intent.id,
        "object": "payment_intent",
        "status": intent.status.value,
        "amount": money(intent.amount),
        "capture": "manual" if intent.capture_later else "automatic",
        "amount_authorised": _shown_or_none(intent.authorised_minor, currency),
        "amount_refunded": _shown(refunded_minor, currency),
        "amount_disputed": _shown(disputed_minor, currency),
        "amount_refundable": _shown(max(left_minor, 0) if intent.status is IntentStatus.PAID else 0, currency),
        "reference": intent.reference,
        "bundle": intent.bundle,
        "lines": [line_document(line, currency) for line in lines],
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


def payer_document(language: str, contact: Contact) -> Document:
    return {"language": language, "email": contact.email, "mobile": contact.mobile}


def refund_document(refund: Refund, lines: Sequence[RefundLine]) -> Document:
    currency = refund.amount.currency
    return {
        "id": refund.id,
        "object": "refund",
        "payment_intent": refund.intent,
        "status": refund.status.value,
        "amount": money(refund.amount),
        "lines": [{"number": line.number, "amount": _shown(line.amount_minor, currency)} for line in lines],
        "reason": refund.reason,
        "failure": failure_document(refund),
        "late_payment": refund.late,
        "asked_by": refund.asked_by,
        "decided_by": refund.decided_by,
        "decided_at": instant(refund.decided_at),
        "refund_batch": refund.batch,
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


def service_document(
    service: Service, department: Department, versions: tuple[Tariff, ...] = (), at: datetime | None = None
) -> Document:
    """A service with what it costs: the tariff in force and the next one that is approved, if any."""
    current = in_force(versions, at) if at else None
    coming = next((each for each in versions if at is not None and each.effective_at > at), None)
    return {
        "code": service.code,
        "object": "service",
        "department": {"code": department.code, "name": _both(department.names)},
        "name": _both(service.names),
        "description": _both(service.descriptions),
        "audience": [one.value for one in service.audience],
        "channels": [one.value for one in service.channels],
        "documents": [_both(one) for one in service.documents],
        "depends_on": list(service.depends_on),
        "amount": _amount(service, current),
        "currency": current.terms.currency if current else service.currency,
        "vat_basis_points": current.terms.vat_basis_points if current else service.vat_basis_points,
        "tariff": _tariff(current),
        "next_tariff": _tariff(coming),
    }


def _amount(service: Service, tariff: Tariff | None) -> Document | None:
    """Return what the service costs where nothing has to be known of the applicant: a fixed fee with its VAT."""
    if tariff is None:
        fixed = service.amount_minor
    else:
        fixed = price(tariff.terms, Asked()).amount_minor if isinstance(tariff.terms.price, Fixed) else None
    return _shown_or_none(fixed, tariff.terms.currency if tariff else service.currency)


def _tariff(tariff: Tariff | None) -> Document | None:
    return None if tariff is None else {**_citation(tariff), "terms": terms_document(tariff.terms)}


def bundle_document(bundle: Bundle, catalogue: Catalogue) -> Document:
    services = [(item, catalogue.services[item.service]) for item in bundle.items]
    return {
        "code": bundle.code,
        "object": "bundle",
        "department": bundle.department,
        "name": _both(bundle.names),
        "description": _both(bundle.descriptions),
        "services": [
            {
                "service": service.code,
                "department": service.department,
                "name": _both(service.names),
                "quantity": item.quantity,
            }
            for item, service in services
        ],
    }


def part_document(intent: Intent, lines: Sequence[IntentLine], department: str, refunded_minor: int) -> Document:
    """One department's part of another's intent: its own lines, and nothing of the payer or of the others."""
    currency = intent.amount.currency
    own = [line for line in lines if line.department == department]
    return {
        "payment_intent": intent.id,
        "object": "payment_part",
        "owner": intent.department,
        "bundle": intent.bundle,
        "reference": intent.reference,
        "status": intent.status.value,
        "amount": money(Money(sum(line.amount_minor for line in own), currency)),
        "amount_refunded": _shown(refunded_minor, currency),
        "lines": [line_document(line, currency) for line in own],
        "live": intent.live,
        "late_payment": intent.late_payment,
        "receipt_number": intent.receipt_number,
        "paid_at": instant(intent.paid_at),
        "created_at": instant(intent.created_at),
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
