"""How the API's description shows what departments are answered."""

from __future__ import annotations

from typing import Final

from gateway.api.caller_shapes import Schema, closed
from gateway.domain.department import Audience, Channel
from gateway.domain.refund import FailureCode


def ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def identifier(prefix: str) -> Schema:
    return {"type": "string", "pattern": f"^{prefix}_[0-9a-hjkmnp-tv-z]{{26}}$"}


def _or_null(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


def list_of(name: str) -> Schema:
    return closed(
        {
            "object": {"const": "list"},
            "data": {"type": "array", "items": ref(name)},
            "next_cursor": {"type": ["string", "null"]},
        }
    )


TEXT: Final[Schema] = {"type": "string"}
_TEXT_OR_NULL: Final[Schema] = {"type": ["string", "null"]}
INSTANT: Final[Schema] = {"type": "string", "format": "date-time"}
_INSTANT_OR_NULL: Final[Schema] = {"type": ["string", "null"], "format": "date-time"}
DATE: Final[Schema] = {"type": "string", "format": "date"}
_DATE_OR_NULL: Final[Schema] = {"type": ["string", "null"], "format": "date"}
_FLAG: Final[Schema] = {"type": "boolean"}
COUNT: Final[Schema] = {"type": "integer"}
_MONEY: Final[Schema] = closed(
    {
        "amount": {"type": "integer", "description": "whole minor units: 12550 is AED 125.50"},
        "currency": {"type": "string", "pattern": "^[A-Z]{3}$"},
    }
)
_MONEY_OR_NULL: Final[Schema] = _or_null(ref("Money"))
_NAME: Final[Schema] = closed({"ar": TEXT, "en": TEXT})
_CITATION: Final[dict[str, Schema]] = {
    "id": identifier("tf"),
    "version": COUNT,
    "effective_on": DATE,
    "legal_basis": TEXT,
}
INTENT_STATUSES: Final = ["requires_payment", "processing", "requires_capture", "paid", "cancelled", "expired"]
_ATTEMPT_STATUSES: Final = ["starting", "pending", "unknown", "succeeded", "declined", "voided"]
REFUND_STATUSES: Final = [
    "awaiting_approval", "awaiting_collection", "requested", "pending", "unknown", "succeeded", "failed",
]  # fmt: skip

_PAYOUT: Final[dict[str, Schema]] = {
    "id": identifier("pl"),
    "object": {"const": "payout"},
    "status": {"enum": ["awaiting_approval", "instructed", "accepted", "paid", "rejected", "returned"]},
    "amount": ref("Money"),
    "business_date": DATE,
    "instructed_at": _INSTANT_OR_NULL,
    "paid_on": _DATE_OR_NULL,
    "iban_ending": TEXT,
    "revenue_code": _TEXT_OR_NULL,
    "remittance": TEXT,
    "reason": _TEXT_OR_NULL,
}

PART_KINDS: Final = (
    "payment_captured", "late_payment_accepted", "payment_reversed", "refund_accepted", "refund_failed",
    "provider_fees_borne", "payout_returned", "payout_booked_paid", "dispute_lost", "dispute_loss_returned",
    "break_written_off", "break_matched_by_hand", "match_undone",
)  # fmt: skip
_PART_KINDS: Final = "what was booked: " + ", ".join(PART_KINDS) + "; a correction by hand may have a name of its own"
_EVENT_TYPES: Final = (
    "what happened to which kind of thing: payment_intent, payment_attempt, payment_part, refund, settlement, dispute, "
    "payout; the guide for departments lists them all"
)

ANSWERS: Final[dict[str, Schema]] = {
    "Money": _MONEY,
    "Name": _NAME,
    "IntentLine": closed(
        {
            "number": COUNT,
            "department": TEXT,
            "service": _TEXT_OR_NULL,
            "name": ref("Name"),
            "revenue_code": TEXT,
            "quantity": COUNT,
            "amount": ref("Money"),
            "vat": ref("Money"),
            "base_amount": _MONEY_OR_NULL,
            "discount": ref("Money"),
            "concession": _or_null(closed({"code": TEXT, "name": ref("Name"), "legal_basis": TEXT})),
            "tariff": _or_null(closed(_CITATION)),
        }
    ),
    "Tariff": closed({**_CITATION, "terms": ref("TariffTerms")}),
    "PaymentAttempt": closed(
        {
            "id": identifier("pa"),
            "object": {"const": "payment_attempt"},
            "status": {"enum": _ATTEMPT_STATUSES},
            "method": {"enum": ["card", "mobile", "bank", "bank_transfer", "cash", "card_terminal"]},
            "decline": _TEXT_OR_NULL,
            "started_at": INSTANT,
            "captured_at": _INSTANT_OR_NULL,
            "late": _FLAG,
        }
    ),
    "PaymentIntent": closed(
        {
            "id": identifier("pi"),
            "object": {"const": "payment_intent"},
            "status": {"enum": INTENT_STATUSES},
            "amount": ref("Money"),
            "capture": {"enum": ["automatic", "manual"]},
            "amount_authorised": _MONEY_OR_NULL,
            "amount_refunded": ref("Money"),
            "amount_disputed": ref("Money"),
            "amount_refundable": ref("Money"),
            "reference": TEXT,
            "bundle": _TEXT_OR_NULL,
            "lines": {"type": "array", "items": ref("IntentLine")},
            "payer": closed({"language": {"enum": ["ar", "en"]}, "email": _TEXT_OR_NULL, "mobile": _TEXT_OR_NULL}),
            "return_url": _TEXT_OR_NULL,
            "metadata": {"type": "object", "additionalProperties": TEXT},
            "live": _FLAG,
            "late_payment": _FLAG,
            "duplicate_of": _TEXT_OR_NULL,
            "last_attempt": {"anyOf": [ref("PaymentAttempt"), {"type": "null"}]},
            "receipt_number": _TEXT_OR_NULL,
            "paid_at": _INSTANT_OR_NULL,
            "created_at": INSTANT,
            "expires_at": INSTANT,
            "checkout_url": {"type": "string", "format": "uri"},
        },
        paid_before={**_TEXT_OR_NULL, "description": "while it is not paid: the paid intent of the same reference"},
        attempts={"type": "array", "items": ref("PaymentAttempt"), "description": "with expand[]=attempts"},
        refunds={"type": "array", "items": ref("Refund"), "description": "with expand[]=refunds"},
    ),
    "Refund": closed(
        {
            "id": identifier("re"),
            "object": {"const": "refund"},
            "payment_intent": identifier("pi"),
            "status": {"enum": REFUND_STATUSES},
            "amount": ref("Money"),
            "lines": {"type": "array", "items": closed({"number": COUNT, "amount": ref("Money")})},
            "reason": TEXT,
            "failure": _or_null(closed({"code": {"enum": [each.value for each in FailureCode]}, "detail": TEXT})),
            "late_payment": _FLAG,
            "asked_by": TEXT,
            "decided_by": _TEXT_OR_NULL,
            "decided_at": _INSTANT_OR_NULL,
            "refund_batch": _TEXT_OR_NULL,
            "created_at": INSTANT,
            "updated_at": INSTANT,
        }
    ),
    "PaymentLink": closed(
        {
            "id": identifier("pk"),
            "object": {"const": "payment_link"},
            "status": {"enum": ["usable", "paid", "expired", "disabled", "unavailable"]},
            "reference": TEXT,
            "service": _TEXT_OR_NULL,
            "name": ref("Name"),
            "quantity": COUNT,
            "base_amount": {"anyOf": [ref("Money"), {"type": "null"}]},
            "answers": {"type": "object", "additionalProperties": {"type": ["string", "boolean"]}},
            "amount": {"anyOf": [ref("Money"), {"type": "null"}]},
            "amount_range": {"anyOf": [closed({"least": ref("Money"), "most": ref("Money")}), {"type": "null"}]},
            "single_use": _FLAG,
            "times_paid": COUNT,
            "metadata": {"type": "object", "additionalProperties": TEXT},
            "return_url": _TEXT_OR_NULL,
            "created_at": INSTANT,
            "expires_at": _INSTANT_OR_NULL,
            "disabled_at": _INSTANT_OR_NULL,
            "url": {"type": "string", "format": "uri"},
        }
    ),
    "RefundBatch": closed(
        {
            "id": identifier("rb"),
            "object": {"const": "refund_batch"},
            "dry_run": _FLAG,
            "accepted": COUNT,
            "refused": COUNT,
            "total": {"type": "array", "items": ref("Money")},
            "results": {
                "type": "array",
                "items": closed(
                    {
                        "payment_intent": identifier("pi"),
                        "amount": {"anyOf": [ref("Money"), {"type": "null"}]},
                        "refund": {"anyOf": [ref("Refund"), {"type": "null"}]},
                        "problem": {"anyOf": [closed({"code": TEXT, "detail": TEXT}), {"type": "null"}]},
                    }
                ),
            },
        }
    ),
    "RefundBatchDecision": closed(
        {
            "id": identifier("rb"),
            "object": {"const": "refund_batch_decision"},
            "decision": {"enum": ["approved", "refused"]},
            "decided_by": TEXT,
            "decided": COUNT,
            "not_decided": COUNT,
            "total": {"type": "array", "items": ref("Money")},
            "results": {
                "type": "array",
                "items": closed(
                    {
                        "id": identifier("re"),
                        "payment_intent": identifier("pi"),
                        "refund": {"anyOf": [ref("Refund"), {"type": "null"}]},
                        "problem": {"anyOf": [closed({"code": TEXT, "detail": TEXT}), {"type": "null"}]},
                    }
                ),
            },
        }
    ),
    "Service": closed(
        {
            "code": TEXT,
            "object": {"const": "service"},
            "department": closed({"code": TEXT, "name": ref("Name")}),
            "name": ref("Name"),
            "description": ref("Name"),
            "audience": {"type": "array", "items": {"enum": [one.value for one in Audience]}},
            "channels": {"type": "array", "items": {"enum": [one.value for one in Channel]}},
            "documents": {"type": "array", "items": ref("Name")},
            "depends_on": {"type": "array", "items": TEXT},
            "amount": _MONEY_OR_NULL,
            "currency": TEXT,
            "vat_basis_points": COUNT,
            "tariff": _or_null(ref("Tariff")),
            "next_tariff": _or_null(ref("Tariff")),
        }
    ),
    "Bundle": closed(
        {
            "code": TEXT,
            "object": {"const": "bundle"},
            "department": TEXT,
            "name": ref("Name"),
            "description": ref("Name"),
            "services": {
                "type": "array",
                "items": closed({"service": TEXT, "department": TEXT, "name": ref("Name"), "quantity": COUNT}),
            },
        }
    ),
    "Quote": closed(
        {
            "object": {"const": "quote"},
            "priced_at": INSTANT,
            "bundle": _TEXT_OR_NULL,
            "amount": ref("Money"),
            "vat": ref("Money"),
            "lines": {"type": "array", "items": ref("IntentLine")},
            "departments": {
                "type": "array",
                "items": closed({"department": TEXT, "amount": ref("Money"), "vat": ref("Money")}),
            },
        }
    ),
    "PaymentPart": closed(
        {
            "payment_intent": identifier("pi"),
            "object": {"const": "payment_part"},
            "owner": TEXT,
            "bundle": _TEXT_OR_NULL,
            "reference": TEXT,
            "status": {"enum": INTENT_STATUSES},
            "amount": ref("Money"),
            "amount_refunded": ref("Money"),
            "lines": {"type": "array", "items": ref("IntentLine")},
            "live": _FLAG,
            "late_payment": _FLAG,
            "receipt_number": _TEXT_OR_NULL,
            "paid_at": _INSTANT_OR_NULL,
            "created_at": INSTANT,
        }
    ),
    "Balance": closed(
        {
            "object": {"const": "balance"},
            "currency": TEXT,
            "payable": ref("Money"),
            "held_back": ref("Money"),
            "in_transit": ref("Money"),
        }
    ),
    "Payout": closed(_PAYOUT),
    "PayoutPart": closed(
        {
            "object": {"const": "payout_part"},
            "kind": {"type": "string", "description": _PART_KINDS},
            "payment_intent": _TEXT_OR_NULL,
            "payment_reference": _TEXT_OR_NULL,
            "receipt_number": _TEXT_OR_NULL,
            "services": {
                "type": "array",
                "items": closed({"service": _TEXT_OR_NULL, "revenue_code": TEXT}),
            },
            "reference": {"type": "string", "description": "of the journal in the books"},
            "business_date": DATE,
            "amount": ref("Money"),
        }
    ),
    "PayoutInside": closed(
        {
            **_PAYOUT,
            "not_itemised": ref("Money"),
            "parts": {"type": "array", "items": ref("PayoutPart")},
            "next_cursor": _TEXT_OR_NULL,
        }
    ),
    "Event": closed(
        {
            "id": identifier("ev"),
            "object": {"const": "event"},
            "type": {"type": "string", "pattern": "^[a-z_]+\\.[a-z_]+$", "description": _EVENT_TYPES},
            "timestamp": INSTANT,
            "data": {"type": "object", "additionalProperties": True},
        }
    ),
    "WebhookEndpoint": closed(
        {
            "id": identifier("we"),
            "object": {"const": "webhook_endpoint"},
            "url": TEXT,
            "disabled_at": _INSTANT_OR_NULL,
            "disabled_because": _TEXT_OR_NULL,
            "previous_secret_until": _INSTANT_OR_NULL,
            "created_at": INSTANT,
        },
        secret={"type": "string", "pattern": "^whsec_", "description": "shown when it is made, and never again"},
    ),
    "ReceiptSending": closed(
        {
            "object": {"const": "receipt_sending"},
            "payment_intent": identifier("pi"),
            "channels": {"type": "array", "items": {"enum": ["email", "sms"]}},
        }
    ),
    "WebhookDelivery": closed(
        {
            "object": {"const": "webhook_delivery"},
            "event": identifier("ev"),
            "type": TEXT,
            "status": {"enum": ["waiting", "delivered", "dead"]},
            "tries": COUNT,
            "answer": {"type": "string", "description": "the last answer: an HTTP status, or why there was none"},
            "created_at": INSTANT,
            "next_try_at": _INSTANT_OR_NULL,
            "delivered_at": _INSTANT_OR_NULL,
        }
    ),
    "Replay": closed({"object": {"const": "replay"}, "queued": COUNT, "next_cursor": _TEXT_OR_NULL}),
    "Problem": closed(
        {
            "type": TEXT,
            "title": TEXT,
            "status": COUNT,
            "detail": TEXT,
            "instance": TEXT,
            "code": TEXT,
            "retryable": _FLAG,
        },
        errors={"type": "array", "items": closed({"pointer": TEXT, "code": TEXT, "detail": TEXT})},
    ),
}
